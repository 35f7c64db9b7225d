"""What the length of the texts changes, in sentences."""

import pandas as pd

from masktune.analysis import names
from masktune.analysis.formatting import MINUS, number


def lengths(frame: pd.DataFrame, plain: str) -> list[str]:
    """The accuracy of `plain` on each set by length, and whether the differences from it change their sign."""
    sentences = []
    for (_, model, name), group in frame.groupby(["task", "model", "set"], sort=False):
        own = group[group["method"] == plain]
        levels = ", ".join(f"{number(row.accuracy)} % at {row.tokens} tokens" for row in own.itertuples())
        sentences.append(f"{names.evaluation_set(name)}, {names.model(model)}: {plain} has {levels}.")
        for method, rows in group.dropna(subset=["difference"]).groupby("method", sort=False):
            gaps = ", ".join(number(value, sign=True) for value in rows["difference"])
            turned = "changes its sign" if rows["difference"].min() < 0 < rows["difference"].max() else "keeps its sign"
            sentences.append(f"{method} {MINUS} {plain} is {gaps} points at these lengths: it {turned}.")
    return sentences or ["No set of this study was cut at more than one length."]
