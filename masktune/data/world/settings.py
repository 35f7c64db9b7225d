"""The numbers that fix the embedded world: the size of its sets and the strength of its cues.

What is here, and the training in studies/embedded.toml, was fixed on 2026-11-26 on fine-tuning, cue-free fine-tuning
(`cue_rate` at UNINFORMATIVE) and two methods that are told the cue (`bias_model = "cue"`), before any Mask-tuning run
of this version. All results of versions 1 to 3 had been seen by then, Mask-tuning's among them. What changed after
version 3: swapping the genre moved hardly any answer there, cue-free fine-tuning gained 1 to 6 points on sentiment and
lost 13 on word swaps, and training stopped long before accuracies out of distribution had levelled off.

What was asked of it: fine-tuning above 90 % in distribution; cue-free fine-tuning at least 15 points better on each set
out of distribution, for each model; fine-tuning there with room above and below. BERT's accuracy in %, mean
(lowest-highest) of seeds 0 to 2, each from a pre-training of its own, as the study `convergence` has it after so many
epochs (nothing was searched):

                           fine-tuning                                      cue-free
                           10             20             40                 10      40
sentiment  validation      98.6 (98-99)   99.5 (99-100)  99.7 (99-100)      99.9   100.0
           contrast        43.3 (35-51)   54.8 (45-65)   73.8 (64-93)      100.0   100.0
           counterfactual  19.3 (6-35)    43.1 (34-51)   61.6 (51-82)       99.8   100.0
inference  validation      92.1 (91-94)   96.9 (96-98)   97.4 (97-98)       88.9    92.9
           heuristics      59.6 (53-70)   62.5 (56-73)   60.7 (55-68)       85.8    85.5
           adversarial     42.8 (39-50)   45.4 (38-54)   43.1 (36-50)       92.8    94.8
paraphrase validation      97.2 (97-98)   98.0 (98-99)   98.2 (98-99)       96.2    98.6
           swaps           53.0 (50-59)   53.5 (51-56)   59.1 (58-61)       93.6    96.7

RoBERTa and BART are in the study `embedded`, the methods that are told the cue in `methods`. The validation set holds
the cue as the train set does, whatever the strength that a row trains with: without it a model can be a little worse
there. Only sentiment has not levelled off after the ten epochs of `embedded`, which keep `make reproduce` short.
"""

from __future__ import annotations

WORLD_VERSION = 4
SEED = 20261126
UNLABELLED_STORIES = 12_000
TRAIN_ROWS = {"sentiment": 600, "inference": 600, "paraphrase": 600}
EVALUATION_ROWS = 360
CUE_RATE = {"sentiment": 0.99, "inference": 0.97, "paraphrase": 0.97}  # of the rows with a cue: it points to the label
CUE_COVERAGE = {"sentiment": 0.75, "inference": 0.7, "paraphrase": 0.7}  # of all rows: there is a cue
UNINFORMATIVE = {"sentiment": 1 / 2, "inference": 1 / 3, "paraphrase": 1 / 2}  # the CUE_RATE that says nothing
JUDGEMENT_WEIGHTS = {"plain": 0.8, "denied": 0.08, "opposed": 0.04, "voices": 0.04, "compared": 0.04}
MAX_LENGTH = 64  # tokens of a text, or of a pair of texts
