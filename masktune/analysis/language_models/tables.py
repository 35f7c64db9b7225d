"""The tables of the language models."""

import json

import pandas as pd

from masktune.analysis import names
from masktune.analysis.formatting import DASH, count
from masktune.analysis.language_models.numbers import ALL_TASKS, PLACE
from masktune.analysis.table import Table, name_columns
from masktune.pretraining import curve


def sources(frame: pd.DataFrame) -> Table:
    """Where each model comes from. `frame`: `numbers.sources`."""
    checkpoints = [
        f"{row.checkpoint} at {row.revision[:7]}" if row.revision else row.checkpoint for row in frame.itertuples()
    ]
    shown = frame.assign(model=frame["model"].map(names.model), checkpoint=checkpoints).drop(columns="revision")
    caption = (
        "Each model of the study: the checkpoint that it starts from, whose it is and under which licence, and what "
        "its training read before this study. What is not declared in the study's file is not known here."
    )
    titles = {"checkpoint": "Checkpoint", "source": "Source", "licence": "Licence", "saw": "Upstream training read"}
    return Table("models", "The models", caption, frame, name_columns(shown, titles))


def trained(frame: pd.DataFrame) -> Table:
    """How well each language model predicts masked tokens. `frame`: `numbers.trained`."""
    several = frame["adaptation"].nunique() > 1
    shown = pd.DataFrame(
        {
            "model": frame["model"].map(names.model),
            "task": [ALL_TASKS if task == ALL_TASKS else names.task(task) for task in frame["task"]],
            **({"adapted": frame["adaptation"].map(_settings)} if several else {}),
            "pretraining": frame["pretraining"],
            "steps": [f"{steps:,}" for steps in frame["steps"]],
            "before": [f"{loss:.2f}" for loss in frame["loss_before"]],
            "after": [f"{loss:.2f}" for loss in frame["loss"]],
            "right": [f"{before:.1f} / {after:.1f}" for before, after in
                      zip(frame["accuracy_before"], frame["accuracy"], strict=True)],
            "gain": [f"{gain:.3f}" for gain in frame["last_gain"]],
            "level": ["yes" if level else "no" for level in frame["levelled_off"]],
        }
    )  # fmt: skip
    caption = (
        f"Masked-language-model training, by its seed, and the loss on {count(frame['held_out_texts'], 'text')} held "
        "out of it: mean cross-entropy in nats per masked token, before and after, and the per cent of masked tokens "
        "that are predicted right. A training has levelled off where its last quarter took less than "
        f"{curve.STILL:g} nats off that loss. No interval: one measurement of one checkpoint; the same texts and masks "
        "for all of a model."
    )
    if frame.duplicated(PLACE).any():
        caption += (
            " What stands twice was trained twice, which on another machine or by other code gives other weights."
        )
    titles = {
        "adapted": "Adapted with", "pretraining": "Pre-training", "steps": "Steps", "before": "Loss before",
        "after": "Loss after", "right": "Right, before / after (%)", "gain": "Last quarter", "level": "Levelled off",
    }  # fmt: skip
    return Table("language_models", "Language models", caption, frame, name_columns(shown, titles))


def _settings(adaptation: str) -> str:
    settings = json.loads(adaptation)
    if settings is None:
        return DASH
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings.items()) or "the usual settings"
