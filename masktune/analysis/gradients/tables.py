"""The table of the gradients."""

import pandas as pd

from masktune.analysis import names
from masktune.analysis.formatting import count, number
from masktune.analysis.gradients import numbers
from masktune.analysis.gradients.text import two_decimals
from masktune.analysis.table import Table, name_columns


def gradients(histories: pd.DataFrame, variants: pd.DataFrame) -> Table:
    """The two gradients of each variant and its difference from fine-tuning, see `numbers.with_accuracy`."""
    frame = numbers.with_accuracy(histories, variants)
    shown = pd.DataFrame(
        {
            "task": frame["task"].map(names.task),
            "model": frame["model"].map(names.model),
            "method": frame["label"],
            "norms": [f"{value:.1f}" for value in frame["norm_ratio"]],
            "cosine": [two_decimals(value) for value in frame["cosine"]],
            "inside": [number(value, sign=True) for value in frame["in_distribution"]],
            "outside": [number(value, sign=True) for value in frame["out_of_distribution"]],
        }  # fmt: skip
    )
    caption = (
        "Gradient norm of the masked-LM term over that of the classification term, and the cosine of the two: medians "
        f"over the measured steps of {count(frame['runs'], 'seed')}. Mean differences from fine-tuning at the same "
        "training, in points, in and out of distribution (mean over sets and seeds; intervals are in the tables of the "
        "sweeps)."
    )
    titles = {"norms": "Norm, MLM : classification", "cosine": "Cosine", "inside": "In-distribution", "outside": "OOD"}
    return Table("terms", "The two gradients and the accuracy", caption, frame, name_columns(shown, titles))
