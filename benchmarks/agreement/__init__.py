"""Is the library right? What it computes, held against what others wrote.

fine_tuning   our fine-tuning and a stock transformers.Trainer, from one checkpoint, with the same seeds
masking       which tokens we mask, and transformers' DataCollatorForLanguageModeling
scores        group accuracy (HANS) and pair consistency (contrast sets), computed a second time from stored predictions
processors    the runs of a study, and the same on another kind of processor
tables        what was measured, as tables

`python -m benchmarks.agreement` measures and writes results/agreement. Training needs torch, transformers, datasets and
pandas alone; `--only tables` lays out what another machine has measured.
"""
