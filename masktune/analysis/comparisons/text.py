"""What the comparisons say, in sentences."""

import pandas as pd

from masktune.analysis import names
from masktune.analysis.formatting import MINUS, count, number


def contrasts(frame: pd.DataFrame) -> list[str]:
    """The difference of each pair out of distribution and in distribution. `frame`: `numbers.contrasts`."""
    sentences = []
    for (first, second), rows in frame.groupby(["first", "second"], sort=False):
        kinds = [_kind(rows[rows["kind"] == kind], kind) for kind in ("out_of_distribution", "in_distribution")]
        sentences.append(f"**{second}** {MINUS} {first}: " + "; ".join(filter(None, kinds)) + ".")
    return sentences or ["No two methods of this comparison have finished runs on the same seeds."]


def _kind(rows: pd.DataFrame, kind: str) -> str:
    """The mean over the sets of one kind, its range, and how many intervals lie above and below zero."""
    if rows.empty:
        return ""
    above, below = int((rows["low"] > 0).sum()), int((rows["high"] < 0).sum())
    lowest, mean, highest = (number(value, True) for value in rows["difference"].agg(["min", "mean", "max"]))
    spread = f" (from {lowest} to {highest})" if len(rows) > 1 else ""
    return (
        f"accuracy {names.AXES[kind]} {mean} points on the mean of {_sets(rows)}{spread}, the interval above zero on "
        f"{above} and below on {below}"
    )


def _sets(rows: pd.DataFrame) -> str:
    return count(pd.Series([len(rows)]), "set")


def additivity(frame: pd.DataFrame, first: str) -> list[str]:
    """Whether the gain of each combination out of distribution is the sum of the two. `frame`: `numbers.additivity`."""
    sentences = []
    for other, rows in frame[frame["kind"] == "out_of_distribution"].groupby("other", sort=False):
        less, more = int((rows["high"] < 0).sum()), int((rows["low"] > 0).sum())
        means = {name: number(rows[name].mean(), True) for name in ("alone", "added", "sum", "both", "difference")}
        sentences.append(
            f"**{other}**, accuracy out of distribution: alone {means['alone']} points, {first} alone "
            f"{means['added']}, the sum {means['sum']}; both together {means['both']}, which is {means['difference']} "
            f"from the sum (means of {_sets(rows)}). The interval of that gap lies below zero on {less} and above on "
            f"{more} of them."
        )
    return sentences or ["No combination of this study has finished on the seeds of its parts."]
