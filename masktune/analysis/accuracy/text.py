"""Sentences on accuracies and differences, made from their frames, so that nobody types a number into a notebook."""

from collections.abc import Mapping

import pandas as pd

from masktune.analysis import names
from masktune.analysis.formatting import count, interval, number, seeds_note

NO_DIFFERENCES = "There is nothing to compare yet: no second method has finished runs on the first one's seeds."


def differences(frame: pd.DataFrame) -> list[str]:
    """What the comparisons say of each method: how often it is better, by how much, and the loss in distribution."""
    if frame.empty:
        return [NO_DIFFERENCES]
    sentences = []
    for second, rows in frame.groupby("second", sort=False, observed=True):
        outside = rows[rows["kind"] == "out_of_distribution"]
        inside = rows[rows["kind"] == "in_distribution"]
        if len(outside):
            sentences += [_how_often(str(second), outside), _how_far(outside)]
        if len(inside):
            sentences.append(_in_distribution(str(second), inside))
    note = seeds_note(frame)
    if note:
        sentences.append(f"{note.strip(' ()')}, so no p value below 0.05 is possible for these rows.")
    return sentences


def lopsided(main: pd.DataFrame, differences: pd.DataFrame) -> list[str]:
    """Of each set where a constant answer scores far more than chance: what accuracy, and what else, says there.

    Accuracy follows there how often a method gives the commonest answer; balanced accuracy and AUROC do not.
    """
    sentences = []
    uneven, place = main[main["balanced"].notna()], ["task", "model", "set"]
    for key, frame in uneven.groupby(place, sort=False, observed=True):
        _, model, name = key
        below = list(frame.loc[frame["accuracy"] < frame["majority"], "method"])
        gaps = differences[(differences[place] == list(key)).all(axis=1)].set_index("second")
        sentences.append(
            f"{names.evaluation_set(name)} ({names.model(model)}): always giving the commonest answer would score "
            f"{number(frame['majority'].iloc[0])}; accuracy: {_values(frame)}{_below(below, len(frame))}. "
            + " ".join(_secondary(frame, gaps, column, title) for column, title in SECONDARY.items())
        )
    return [text.strip() for text in sentences]


SECONDARY = {"balanced": "Balanced accuracy", "auroc": "AUROC, which no threshold moves"}


def _below(below: list[str], methods: int) -> str:
    if not below:
        return ""
    who = "all of them" if len(below) == methods else ", ".join(below)
    return f", below that for {who}: accuracy there follows how often a method gives that answer"


def _values(frame: pd.DataFrame) -> str:
    """Each method with its mean accuracy and interval."""
    cells = zip(frame["method"], frame["accuracy"], frame["low"], frame["high"], strict=True)
    return "; ".join(f"{method} ({interval(*values)})" for method, *values in cells)


def _secondary(frame: pd.DataFrame, gaps: pd.DataFrame, column: str, title: str) -> str:
    """A secondary metric of each method, and its difference from the first with the interval over paired seeds."""
    if frame[column].isna().all():
        return ""
    cells = []
    for method, value in zip(frame["method"], frame[column], strict=True):
        gap = ""
        if method in gaps.index:
            mean, low, high = (gaps.loc[method, f"{column}{end}"] for end in ("", "_low", "_high"))
            gap = f", {interval(mean, low, high, sign=True)} points"
        cells.append(f"{method} ({number(value)}{gap})")
    return f"{title}: {'; '.join(cells)}."


def _how_often(second: str, frame: pd.DataFrame) -> str:
    """On how many comparisons the second method is ahead, and on how many the interval says so."""
    first, total = frame["first"].iloc[0], len(frame)
    ahead, above, below = (frame["difference"] > 0).sum(), (frame["low"] > 0).sum(), (frame["high"] < 0).sum()
    return (
        f"On {ahead} of {total} out-of-distribution comparisons (model x set) the mean of {second} is higher than that "
        f"of {first}; the 95 % interval of the difference lies above zero on {above}, below zero on {below} and "
        f"spans it on {total - above - below}."
    )


def _how_far(frame: pd.DataFrame) -> str:
    """The mean difference, the largest and the smallest."""
    best, worst = frame.loc[frame["difference"].idxmax()], frame.loc[frame["difference"].idxmin()]
    mean = f"The mean difference out of distribution is {_points(frame['difference'].mean())}"
    return f"{mean}." if len(frame) == 1 else f"{mean}, from {_where(worst)} to {_where(best)}."


def _in_distribution(second: str, frame: pd.DataFrame) -> str:
    """How far the second method is from the first in distribution, and how often it loses."""
    lost = (frame["high"] < 0).sum()
    span = _points(frame["difference"].iloc[0])
    if len(frame) > 1:
        span = f"between {number(frame['difference'].min(), sign=True)} and {_points(frame['difference'].max())}"
    return (
        f"In distribution {second} differs from {frame['first'].iloc[0]} by {span}; on {lost} of {len(frame)} "
        "comparisons the interval lies below zero, a loss."
    )


def _points(value: float) -> str:
    return f"{number(value, sign=True)} points"


def _where(row: pd.Series) -> str:
    place = f"{names.model(row['model'])}, {names.evaluation_set(row['set'])}"
    return f"{number(row['difference'], sign=True)} ({place})"


def against_prediction(differences: pd.DataFrame, prediction: Mapping[str, float]) -> list[str]:
    """For each task that was predicted: what was expected, what came."""
    sentences = []
    outside = differences[differences["kind"] == "out_of_distribution"]
    for (second, task), frame in outside.groupby(["second", "task"], sort=False, observed=True):
        expected = prediction.get(str(task))
        if expected is not None:
            mean = frame["difference"].mean()
            sentences.append(
                f"{names.task(str(task))}: predicted {_points(expected)}, observed {_points(mean)} for {second} "
                f"({count(pd.Series([len(frame)]), 'comparison')}); off by {number(abs(mean - expected))}."
            )
    return sentences or ["No prediction was written for a task of this study."]


def single_pairs(differences: pd.DataFrame) -> list[str]:
    """How far single pairs of runs would have misled: McNemar's test at each seed against the mean over seeds."""
    if differences.empty:
        return [NO_DIFFERENCES]
    better, worse = differences["mcnemar_better"], differences["mcnemar_worse"]
    split = ((better > 0) & (worse > 0)).sum()
    some = (((better > 0) | (worse > 0)) & (differences["low"] <= 0) & (differences["high"] >= 0)).sum()
    return [
        f"Of {int(differences['seeds'].sum())} single pairs of runs McNemar's test calls {int(better.sum())} better "
        f"and {int(worse.sum())} worse than {' or '.join(differences['first'].unique())} at 0.05.",
        f"On {split} of {len(differences)} comparisons two seeds would have been called different in opposite "
        f"directions; on {some} at least one seed would have been, where the interval over seeds and examples spans 0.",
    ]
