"""What the ablations say, in sentences."""

import pandas as pd

from masktune.analysis import names
from masktune.analysis.ablations import numbers
from masktune.analysis.ablations.settings import TAUGHT, TITLES, short_title, value_text
from masktune.analysis.formatting import number

# The variants that each take one possible explanation away, as (setting, value, what it is) next to the base.
EXPLANATIONS = (
    ("fill", "original", "the hidden token put back, so that the texts are clean"),
    ("fill", "random", "random tokens in the gaps"),
    ("fill", "soft", "mean word embeddings in the gaps"),
    ("fill", TAUGHT, "mean word embeddings in the gaps, through which the classifier teaches the language model"),
    ("fill_mode", "evaluation", "fills predicted without dropout"),
    ("encoder", "frozen", "a frozen language model, so that there is no masked-LM loss"),
    ("encoder", "separate", "two separate networks"),
    ("reduction", "maskable", "the masked-LM loss averaged over all tokens"),
    ("reduction", "equalised", "gradients of equal norm"),
    ("alpha", 0.05, "alpha 0.05"),
    ("alpha", 0, "alpha 0"),
    ("mask_rate", 0.15, "a masking rate of 0.15"),
)


def sweep(swept: pd.DataFrame, factor: str) -> list[str]:
    """What a sweep says of each task and model out of distribution: where the mean difference goes along its values."""
    sentences = []
    outside = swept[swept["kind"] == "out_of_distribution"]
    for (task, model), rows in outside.groupby(["task", "model"], sort=False):
        means = rows.groupby(factor, sort=True, dropna=False)["difference"].mean()
        above, below = int((rows["low"] > 0).sum()), int((rows["high"] < 0).sum())
        sentences.append(
            f"{names.task(task)}, {names.model(model)}: {_along(means, factor)}; on {above} of {len(rows)} rows (set x "
            f"value) the interval lies above zero, on {below} below."
        )
    return sentences or [f"No runs of this study vary the {TITLES[factor]} alone."]


def _along(means: pd.Series, factor: str) -> str:
    """The mean difference at the smallest and the largest value of a setting, and its extremes; in any order for names.

    `means` has the values of the setting as its index, in their order.
    """
    told = {value_text(value): f"{number(mean, sign=True)} points" for value, mean in means.items()}
    what = "the mean difference from fine-tuning in accuracy out of distribution"
    lowest, highest = value_text(means.idxmin()), value_text(means.idxmax())
    extremes = f"lowest at {lowest} ({told[lowest]}), highest at {highest} ({told[highest]})"
    if not pd.api.types.is_numeric_dtype(means.index):
        return f"{what}, by {TITLES[factor]}, is {extremes}"
    first, last = value_text(means.index[0]), value_text(means.index[-1])
    return (
        f"along the {short_title(factor)}, from {first} to {last}, {what} goes from {told[first]} to {told[last]}; it "
        f"is {extremes}"
    )


def explanations(variants: pd.DataFrame) -> list[str]:
    """The difference of the base, and of each variant that was run of EXPLANATIONS: a sentence each."""
    sentences = []
    for (task, model), rows in numbers.observed(variants).groupby(["task", "model"], sort=False):
        if not rows["base"].any():
            continue
        means = numbers.means_by_kind(rows).droplevel(["task", "model"])
        base = means.loc[rows.loc[rows["base"], "label"].iloc[0]]
        sentences.append(
            f"{names.task(task)}, {names.model(model)}: Mask-tuning as in the main row differs from fine-tuning by "
            f"{_in_and_out(base)}."
        )
        for setting, value, words in EXPLANATIONS:
            labels = _with_value(rows, setting, value)
            sentences += [f"With {words}: {_in_and_out(means.loc[label])}." for label in labels]
    return sentences or ["This study has no variants of Mask-tuning."]


def _with_value(variants: pd.DataFrame, setting: str, value: object) -> list[str]:
    """The labels of variants that differ from the base in this setting alone, and have this value of it."""
    swept = numbers.sweep(variants, setting)
    return list(dict.fromkeys(swept.loc[(swept[setting] == value) & ~swept["base"], "label"]))


def adapted(variants: pd.DataFrame) -> list[str]:
    """What becomes of the difference from fine-tuning when the language model is adapted to the texts of the task."""
    sentences = []
    for (task, model), rows in numbers.observed(variants).groupby(["task", "model"], sort=False):
        base = rows[rows["base"]]
        others = rows[~rows["base"] & (rows["adaptation"] != base["adaptation"].iloc[0])] if len(base) else base
        means = numbers.means_by_kind(rows).droplevel(["task", "model"])
        sentences += [
            f"{names.task(task)}, {names.model(model)}: with a language model that was first trained on the texts of "
            f"the task, fine-tuning's too, the difference is {_in_and_out(means.loc[label])}; without, "
            f"{_in_and_out(means.loc[base['label'].iloc[0]])}."
            for label in dict.fromkeys(others["label"])
        ]
    return sentences or ["No language model of this study was adapted and compared with one that was not."]


def _in_and_out(means: pd.Series) -> str:
    inside, outside = (number(means[kind], sign=True) for kind in ("in_distribution", "out_of_distribution"))
    return f"{inside} points in distribution and {outside} out of distribution"
