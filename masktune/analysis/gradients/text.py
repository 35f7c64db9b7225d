"""What was measured of the gradients, in sentences."""

import pandas as pd

from masktune.analysis import names


def gradients(histories: pd.DataFrame, *labels: str) -> list[str]:
    """The ratio of the norms early and late in training, and the cosine, of Mask-tuning or of these labels.

    `histories`: `numbers.along`.
    """
    sentences = []
    own = histories[histories["label"].isin(labels or ("Mask-tuning",))]
    for (task, model, label), rows in own.groupby(["task", "model", "label"], sort=False):
        steps, ratio, cosine = rows["step"], rows["norm_ratio"], rows["cosine"]
        early, late = ratio[steps <= steps.quantile(0.25)], ratio[steps >= steps.quantile(0.75)]
        sentences.append(
            f"{names.task(task)}, {names.model(model)}, {label}: the gradient of the masked-LM term is "
            f"{early.median():.1f} times as long as that of the classification term in the first quarter "
            f"of training (median over steps and seeds) and {late.median():.1f} times in the last; their "
            f"cosine has the median {two_decimals(cosine.median())}, and lies below zero at "
            f"{100 * (cosine < 0).mean():.0f} % of the steps."
        )
    return sentences or ["No gradients were measured in the runs of this study."]


def two_decimals(value: float) -> str:
    """Two decimals with a sign."""
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")
