"""A small study that is tuned."""

import tomllib

from masktune.study.design.load import parse_study

TOML = """
name = "toy"
data = "embedded"
tasks = ["sentiment", "inference"]
seeds = 3
[training]
learning_rate = 1e-3
[models.bert]
checkpoint = "embedded:bert"
[tuning]
trials = 3
seeds = [100, 101]
space = { learning_rate = [1e-3, 2e-3, 4e-3] }
[[grid]]
label = "fine-tuning"
method = "fine_tuning"
[[grid]]
label = "ours"
method = "mask_tuning"
tune = { alpha = [0.1, 0.6] }
[[grid]]
label = "control"
method = "mask_tuning"
fill = "original"
tuned_as = "ours"
part = "control"
"""


def parsed(text=TOML):
    return parse_study(tomllib.loads(text))
