"""Alternative texts: what a figure shows, in a sentence or two, for those who cannot see it.

They name its largest and smallest number, not its axes, and what of the study has no finished runs.
"""

from collections.abc import Callable

import pandas as pd

from masktune.analysis import names
from masktune.analysis.formatting import number

LONGEST = 300  # characters
_NAMED = 3  # gaps that are named


def compose(*sentences: str, missing: str = "") -> str:
    """The sentences as one text, `missing` at its end; those that do not fit are left out, and the first is cut."""
    text = " ".join(filter(None, [*sentences, missing]))
    if len(text) <= LONGEST:
        return text
    if len(sentences) > 1:
        return compose(*sentences[:-1], missing=missing)
    room = LONGEST - len(missing) - 2
    return f"{sentences[0][:room].rstrip()}\N{HORIZONTAL ELLIPSIS} {missing}".strip() if sentences else text[:LONGEST]


def row_namer(frame: pd.DataFrame) -> Callable[[pd.Series], str]:
    """A function that names a row by its set, and by its model where there are several: `contrast edits, BERT`."""
    several = frame["model"].nunique() > 1
    return lambda row: names.evaluation_set(row["set"]) + (f", {names.model(row['model'])}" if several else "")


def value_range(
    frame: pd.DataFrame, column: str, where: Callable[[pd.Series], str], unit: str = "", sign: bool = False
) -> str:
    """From the smallest number of a column to the largest, and where each is. Nothing in an empty frame."""
    known = frame.dropna(subset=[column])
    if known.empty:
        return ""
    least, most = known.loc[known[column].idxmin()], known.loc[known[column].idxmax()]
    ends = [f"{number(row[column], sign)}{unit} ({where(row)})" for row in (least, most)]
    return ends[0] if len(known) == 1 else f"from {ends[0]} to {ends[1]}"


def difference_range(frame: pd.DataFrame, where: Callable[[pd.Series], str]) -> str:
    """The range of differences out of distribution (of all where there are none) and how many intervals clear zero."""
    outside = frame[frame["kind"] == "out_of_distribution"]
    shown = outside if len(outside) else frame
    if shown.empty:
        return "no finished runs"
    above, below = int((shown["low"] > 0).sum()), int((shown["high"] < 0).sum())
    ends = value_range(shown, "difference", where, sign=True)
    return f"{ends}; {above} of {len(shown)} intervals above 0, {below} below"


# ---- what is missing


def unfinished_runs(runs: pd.DataFrame | None) -> str:
    """How many runs are not finished, and which tasks, models and methods have none that is; nothing if all are."""
    if runs is None or (done := runs["status"] == "done").all():
        return ""
    if not done.any():
        return f"None of the {len(runs)} runs is finished."
    missing = f"{(~done).sum()} of {len(runs)} runs are not finished"
    gaps = _gaps(runs.assign(done=done))
    more = [f"{len(gaps) - _NAMED} more"] if len(gaps) > _NAMED else []
    return f"{missing}; no finished runs of {'; '.join([*gaps[:_NAMED], *more])}." if gaps else f"{missing}."


def _gaps(runs: pd.DataFrame) -> list[str]:
    """What has no finished run: whole tasks, models and methods first, then methods at a place."""
    cells = runs.groupby(["task", "model", "label"], sort=False, observed=True)["done"].any().reset_index()
    gaps = []
    for column, title in (("task", names.task), ("model", names.model), ("label", str)):
        there = cells.groupby(column, sort=False)["done"].any()
        empty = there.index[~there].to_list()
        gaps += [title(value) for value in empty]
        cells = cells[~cells[column].isin(empty)]
    rest = cells[~cells["done"]]
    return gaps + [f"{row.label} ({names.task(row.task)}, {names.model(row.model)})" for row in rest.itertuples()]
