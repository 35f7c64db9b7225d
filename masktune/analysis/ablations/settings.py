"""The settings in which variants of Mask-tuning differ, and what a reader calls them and their values."""

import pandas as pd

from masktune.study.store.gather import TRAINING

METHOD = "mask_tuning"
REFERENCE = "fine_tuning"
RATES = ("alpha", "mask_rate")
OPTIONS = ("reduction", "encoder", "fill", "fill_mode", "classify", "positions", "symbol", "keep", "alpha_weights")
# A soft fill with `fill_gradient`, a value of the setting "fill": no other fill can have that option.
TAUGHT = "soft, with gradient"
SETTINGS = (*RATES, *OPTIONS, *TRAINING)
# What else may differ: the adaptation of the language model, and the options of the data.
BESIDES = ("adaptation", "data_options")
# What a variant and its reference share.
SHARED = (*TRAINING, *BESIDES)
# For axes and tables.
TITLES = {
    "alpha": "alpha (weight of the MLM loss)", "mask_rate": "masking rate", "reduction": "mean of the MLM loss",
    "encoder": "networks", "fill": "fill", "classify": "classified", "positions": "tokens", "symbol": "mask symbol",
    "keep": "filter", "alpha_weights": "alpha weights", "epochs": "epochs", "learning_rate": "learning rate",
    "batch_size": "batch size", "train_examples": "training examples", "sampling": "sampling",
    "max_length": "longest text (tokens)", "warmup_ratio": "warm-up", "weight_decay": "weight decay",
    "max_grad_norm": "clipping norm", "fill_mode": "mode of the fills",
}  # fmt: skip


def short_title(setting: str) -> str:
    """The title without what it says in brackets."""
    return TITLES[setting].partition(" (")[0]


def value_text(value: object) -> str:
    """A value of a setting as a reader sees it; no number of training examples means all of them."""
    if pd.isna(value):
        return "all"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def has_value(column: pd.Series, value: object) -> pd.Series:
    """Where a column has this value; a missing value equals a missing one. bool."""
    return column.isna() if pd.isna(value) else column == value
