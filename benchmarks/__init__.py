"""Benchmarks: what a training step costs beside a stock Trainer's, and what the grid itself costs.

`make bench`, or python -m benchmarks. Plain scripts, run from the project's folder and not installed:

    lengths      how long real examples are: token counts of SST-2 and MNLI, no texts
    sizes        models of each size with random weights, and a tokenizer with the full vocabulary
    operations   the floating-point operations that fine-tuning and Mask-tuning cannot do without
    arms         the Trainers that are compared: stock, padded, naive, ours
    measure      one measurement, in a process of its own
    steps        all measurements of the training step, interleaved and repeated
    sharing      how many cells at once make the most of one GPU
    grid         planning, gathering and tables of large made-up studies
    report       medians with their spread, and what was asked beside what was reached
"""
