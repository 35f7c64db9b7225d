"""The numbers that fix the embedded world: the size of its sets and the strength of its cues.

What is here, and the training in studies/embedded.toml, was fixed on 2026-11-26 on fine-tuning, cue-free fine-tuning
(`cue_rate` at UNINFORMATIVE) and two methods that are told the cue (`bias_model = "cue"`), before any Mask-tuning run
of this version. All results of versions 1 to 3 had been seen by then, Mask-tuning's among them. What changed after
version 3: swapping the genre moved hardly any answer there, cue-free fine-tuning gained 1 to 6 points on sentiment and
lost 13 on word swaps, and training stopped long before accuracies out of distribution had levelled off.

What was asked of it: fine-tuning above 90 % in distribution; cue-free fine-tuning at least 15 points better on each set
out of distribution, for each model; fine-tuning there with room above and below. Accuracy in %, mean (lowest-highest)
of seeds 0 to 2, each from a pre-training of its own, as `python -m masktune run` trains the rows of
studies/embedded.toml and studies/methods.toml at the learning rate named there (nothing was searched):

                           BERT                       RoBERTa                    BART
                           fine-tuning    cue-free    fine-tuning    cue-free    fine-tuning    cue-free
sentiment  validation      98.6 (98-99)     99.9      96.3 (95-98)     99.5      96.7 (96-98)     99.6
           contrast        43.3 (35-51)    100.0      15.0 (10-18)     99.0      13.9  (5-30)     98.6
           counterfactual  19.3  (6-35)     99.8       6.1  (1-12)     97.6       4.3  (1-10)     86.1
inference  validation      92.1 (91-94)     88.9      93.8 (92-97)     82.7      96.0 (94-97)     87.2
           heuristics      59.6 (53-70)     85.8      56.8 (55-59)     81.4      55.1 (53-56)     82.4
           adversarial     42.8 (39-50)     92.8      34.4 (31-37)     90.0      25.1 (22-29)     90.0
paraphrase validation      97.2 (97-98)     96.2      93.8 (91-97)     88.1      92.1 (88-96)     89.4
           swaps           53.0 (50-59)     93.6      51.8 (50-55)     86.7      50.9 (50-52)     90.4

The validation set holds the cue as the train set does, whatever the strength that a row trains with: without it a model
can be a little worse there. BERT with Product of Experts and with example reweighting: contrast 91.7 and 87.7,
counterfactual 57.0 and 60.6, heuristics 73.0 and 63.4, adversarial 53.2 and 44.2, swaps 65.0 and 66.4. Twice the epochs
changed fine-tuning's heuristics by 3 points, adversarial by 3 and swaps by 1. Sentiment had not levelled off: after 10,
20 and 40 epochs contrast is at 43, 55 and 74, counterfactual at 19, 43 and 62, which leaves the control 26 points.
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
