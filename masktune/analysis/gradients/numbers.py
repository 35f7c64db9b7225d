"""The loss terms along training: their values, the norms of their gradients, the cosine between them; and what follows.

Read from the training logs that every run stores (MaskTuningTrainer with `measure_gradients`).
"""

import pandas as pd

from masktune.analysis import names
from masktune.analysis.ablations import numbers as ablations
from masktune.analysis.table import Table, count, number, titled

MEASURED = {"norm_mlm": "norm_mlm", "norm_classification": "norm_classification", "cosine_mlm_classification": "cosine"}
# The variants that take one explanation away each, as (setting, value) next to the base.
TRIALS = (
    ("fill", "original", "the hidden token put back, so that the texts are clean"),
    ("fill", "random", "random tokens in the gaps"),
    ("encoder", "frozen", "a frozen language model, so that there is no masked-LM loss"),
    ("encoder", "separate", "two separate networks"),
    ("reduction", "maskable", "the masked-LM loss averaged over all tokens"),
    ("reduction", "equalised", "gradients of equal norm"),
    ("alpha", 0.05, "alpha 0.05"),
    ("alpha", 0, "alpha 0"),
    ("mask_rate", 0.15, "a masking rate of 0.15"),
)


def along(runs: pd.DataFrame, histories: pd.DataFrame) -> pd.DataFrame:
    """A row for each run and step at which gradients were measured, of the runs that have both terms.

    Columns: model task label seed step, norm_mlm, norm_classification, norm_ratio (the one over the other), cosine,
    loss_mlm, loss_classification. Empty where nothing was measured.
    """
    columns = ["model", "task", "label", "seed", "step", "norm_ratio", *MEASURED.values()]
    columns += ["loss_mlm", "loss_classification"]
    if not set(MEASURED) <= set(histories):
        return pd.DataFrame(columns=columns)
    measured = histories.dropna(subset=list(MEASURED)).rename(columns=MEASURED)
    rows = measured.merge(runs[["run_id", "model", "task", "label", "seed"]], on="run_id")
    return rows.assign(norm_ratio=rows["norm_mlm"] / rows["norm_classification"])[columns]


def sentences(histories: pd.DataFrame, label: str = "Mask-tuning") -> list[str]:
    """What was measured of one method: the median norms, their ratio, the cosine."""
    found = []
    for (task, model), rows in histories[histories["label"] == label].groupby(["task", "model"], sort=False):
        first, last = (
            rows[rows["step"] <= rows["step"].quantile(0.25)],
            rows[rows["step"] >= rows["step"].quantile(0.75)],
        )
        found.append(
            f"{names.task(task)}, {names.model(model)}, {label}: the gradient of the masked-LM term is "
            f"{first['norm_ratio'].median():.1f} times as long as that of the classification term in the first quarter "
            f"of training (median over steps and seeds) and {last['norm_ratio'].median():.1f} times in the last; their "
            f"cosine has the median {two_decimals(rows['cosine'].median())}, and lies below zero at "
            f"{100 * (rows['cosine'] < 0).mean():.0f} % of the steps."
        )
    return found or ["No gradients were measured in the runs of this study."]


def table(histories: pd.DataFrame, variants: pd.DataFrame) -> Table:
    """Each variant: how its gradients stood to each other, and what became of accuracy."""
    gradients = histories.groupby(["task", "model", "label"], sort=False)[["norm_ratio", "cosine"]].median()
    gradients["runs"] = histories.groupby(["task", "model", "label"], sort=False)["seed"].nunique()
    frame = gradients.join(_by_kind(variants)).dropna(subset=["in_distribution"]).reset_index()
    frame = frame.sort_values(["task", "model", "norm_ratio"], kind="stable")
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
    return Table("terms", "The two gradients and the accuracy", caption, frame, titled(shown, titles))


def two_decimals(value: float) -> str:
    """Two decimals with a sign."""
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _by_kind(variants: pd.DataFrame) -> pd.DataFrame:
    """The mean difference of each variant in and out of distribution, by task, model, label."""
    means = ablations.observed(variants).pivot_table(
        index=["task", "model", "label"], columns="kind", values="difference", sort=False
    )
    return means.reindex(columns=["in_distribution", "out_of_distribution"])


def verdicts(variants: pd.DataFrame) -> list[str]:
    """What each trial gives back of what the base loses in distribution: a sentence for each that was run."""
    found = []
    for (task, model), part in ablations.observed(variants).groupby(["task", "model"], sort=False):
        means = _by_kind(part).droplevel(["task", "model"])
        base = means.loc[part.loc[part["base"], "label"].iloc[0]] if part["base"].any() else None
        if base is None:
            continue
        found.append(
            f"{names.task(task)}, {names.model(model)}: Mask-tuning as in the main row differs from fine-tuning by "
            f"{_pair(base)}."
        )
        for setting, value, words in TRIALS:
            labels = _only(part, setting, value)
            found += [f"With {words}: {_pair(means.loc[label])}." for label in labels]
    return found or ["This study has no variants of Mask-tuning."]


def adapted(variants: pd.DataFrame) -> list[str]:
    """What becomes of the difference from fine-tuning when the language model is adapted to the texts of the task."""
    found = []
    for (task, model), part in ablations.observed(variants).groupby(["task", "model"], sort=False):
        base = part[part["base"]]
        other = part[~part["base"] & (part["adaptation"] != base["adaptation"].iloc[0])] if len(base) else base
        means = _by_kind(part).droplevel(["task", "model"])
        found += [
            f"{names.task(task)}, {names.model(model)}: with a language model that was first trained on the texts of "
            f"the task, fine-tuning's too, the difference is {_pair(means.loc[label])}; without, "
            f"{_pair(means.loc[base['label'].iloc[0]])}."
            for label in dict.fromkeys(other["label"])
        ]
    return found or ["No language model of this study was adapted beside one that was not."]


def _pair(means: pd.Series) -> str:
    inside, outside = (number(means[kind], sign=True) for kind in ("in_distribution", "out_of_distribution"))
    return f"{inside} points in distribution and {outside} out of distribution"


def _only(part: pd.DataFrame, setting: str, value: object) -> list[str]:
    """The labels of variants that differ from the base in this setting alone, and have this value of it."""
    swept = ablations.sweep(part, setting)
    return list(dict.fromkeys(swept.loc[(swept[setting] == value) & ~swept["base"], "label"]))


def readings(variants: pd.DataFrame) -> Table:
    """Every variant by its mean difference out of distribution, the best first."""
    keys = ["task", "model", "label"]
    variants = ablations.observed(variants)
    frame = _by_kind(variants)
    outside = variants[variants["kind"] == "out_of_distribution"]
    grouped = outside.groupby(keys, sort=False)
    frame["sets"], frame["seeds"] = grouped["set"].nunique(), grouped["seeds"].max()
    frame["above"] = outside[outside["low"] > 0].groupby(keys, sort=False)["set"].nunique()
    frame["below"] = outside[outside["high"] < 0].groupby(keys, sort=False)["set"].nunique()
    frame = frame.fillna({"above": 0, "below": 0}).astype({"above": int, "below": int}).reset_index()
    frame = frame.sort_values(["task", "model", "out_of_distribution"], ascending=[True, True, False], kind="stable")
    shown = pd.DataFrame(
        {
            "task": frame["task"].map(names.task),
            "model": frame["model"].map(names.model),
            "method": frame["label"],
            "outside": [number(value, sign=True) for value in frame["out_of_distribution"]],
            "inside": [number(value, sign=True) for value in frame["in_distribution"]],
            "above": frame["above"],
            "below": frame["below"],
            "sets": frame["sets"],
        }  # fmt: skip
    )
    caption = (
        "Mean difference from fine-tuning at the same training in points, over the sets of a kind and "
        f"{count(frame['seeds'], 'paired seed')}; on how many of the out-of-distribution sets the 95 % t interval over "
        "paired seeds x clusters of examples lies above and below zero. Not corrected: with so many variants the best "
        "is best partly by luck."
    )
    titles = {"outside": "OOD", "inside": "In-distribution", "above": "Above 0", "below": "Below 0", "sets": "OOD sets"}
    return Table("readings", "Every variant", caption, frame, titled(shown, titles))
