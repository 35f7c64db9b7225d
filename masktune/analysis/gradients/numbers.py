"""The two terms of the loss along training: their values, the norms of their gradients, and the cosine between these.

Read from the training logs that every run stores (MaskTuningTrainer with `measure_gradients`).
"""

import pandas as pd

from masktune.analysis import names
from masktune.analysis.ablations.numbers import means_by_kind
from masktune.analysis.ablations.settings import METHOD

# Columns of the logs, and what they are called here.
MEASURED = {"norm_mlm": "norm_mlm", "norm_classification": "norm_classification", "cosine_mlm_classification": "cosine"}


def along(runs: pd.DataFrame, histories: pd.DataFrame) -> pd.DataFrame:
    """A row for each run and step at which gradients were measured, of the runs that have both terms.

    Columns: model task label seed step, norm_ratio (norm_mlm over norm_classification), norm_mlm, norm_classification,
    cosine, loss_mlm, loss_classification. Empty where nothing was measured.
    """
    columns = ["model", "task", "label", "seed", "step", "norm_ratio", *MEASURED.values()]
    columns += ["loss_mlm", "loss_classification"]
    if not set(MEASURED) <= set(histories):
        return pd.DataFrame(columns=columns)
    measured = histories.dropna(subset=list(MEASURED)).rename(columns=MEASURED)
    rows = measured.merge(runs[["run_id", "model", "task", "label", "seed"]], on="run_id")
    return rows.assign(norm_ratio=rows["norm_mlm"] / rows["norm_classification"])[columns]


def main_labels(runs: pd.DataFrame) -> list[str]:
    """The labels of Mask-tuning in the main part of a study: several where it is trained in several ways."""
    main = runs[(runs["part"] == "main") & (runs["method"] == METHOD)]
    plain = main[main["options"] == main["options"].iloc[0]] if len(main) else main
    return list(dict.fromkeys(plain["label"]))


def named(histories: pd.DataFrame) -> pd.DataFrame:
    """The same rows; where they are of several models, labels name the model as well: a line is one model's."""
    if histories["model"].nunique() < 2:
        return histories
    return histories.assign(label=histories["label"] + ", " + histories["model"].map(names.model))


def with_accuracy(histories: pd.DataFrame, variants: pd.DataFrame) -> pd.DataFrame:
    """A row for each variant of Mask-tuning: its gradients and its difference from fine-tuning, by `norm_ratio`.

    `histories`: `along`; `variants`: `ablations.numbers.variants`. Columns: task model label; norm_ratio and cosine,
    medians over steps and seeds; the number of `runs`; in_distribution and out_of_distribution (points).
    """
    by_label = histories.groupby(["task", "model", "label"], sort=False)
    gradients = by_label[["norm_ratio", "cosine"]].median().assign(runs=by_label["seed"].nunique())
    frame = gradients.join(means_by_kind(variants)).dropna(subset=["in_distribution"]).reset_index()
    return frame.sort_values(["task", "model", "norm_ratio"], kind="stable")
