"""What a figure shows, in a sentence or two for those who do not see it: its largest and smallest number, not its axes.

Also what is not there: which parts of a study have no finished runs.
"""

from collections.abc import Callable, Sequence

import pandas as pd

from masktune.analysis import names
from masktune.analysis.formatting import number

LONGEST = 300  # characters
_NAMED = 3  # gaps that are named


def alt(*sentences: str, missing: str = "") -> str:
    """The sentences as one text, `missing` at its end; those that do not fit are left out, and the first is cut."""
    said = " ".join(filter(None, [*sentences, missing]))
    if len(said) <= LONGEST:
        return said
    if len(sentences) > 1:
        return alt(*sentences[:-1], missing=missing)
    room = LONGEST - len(missing) - 2
    return f"{sentences[0][:room].rstrip()}\N{HORIZONTAL ELLIPSIS} {missing}".strip() if sentences else said[:LONGEST]


def places(frame: pd.DataFrame) -> Callable[[pd.Series], str]:
    """What calls a row of the frame by its set, and by its model where there are several: `contrast edits, BERT`."""
    several = frame["model"].nunique() > 1
    return lambda row: names.evaluation_set(row["set"]) + (f", {names.model(row['model'])}" if several else "")


def span(
    frame: pd.DataFrame, column: str, where: Callable[[pd.Series], str], unit: str = "", sign: bool = False
) -> str:
    """From the smallest number of a column to the largest, and where each is. Nothing in an empty frame."""
    known = frame.dropna(subset=[column])
    if known.empty:
        return ""
    least, most = known.loc[known[column].idxmin()], known.loc[known[column].idxmax()]
    ends = [f"{number(row[column], sign)}{unit} ({where(row)})" for row in (least, most)]
    return ends[0] if len(known) == 1 else f"from {ends[0]} to {ends[1]}"


def differences(frame: pd.DataFrame, where: Callable[[pd.Series], str]) -> str:
    """The span of differences out of distribution (of all where there are none) and how many intervals clear zero."""
    outside = frame[frame["kind"] == "out_of_distribution"]
    shown = outside if len(outside) else frame
    if shown.empty:
        return "no finished runs"
    above, below = int((shown["low"] > 0).sum()), int((shown["high"] < 0).sum())
    ends = span(shown, "difference", where, sign=True)
    return f"{ends}; {above} of {len(shown)} intervals above zero, {below} below"


# ---- what is not there


def unfinished(runs: pd.DataFrame | None) -> str:
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
    found = []
    for column, title in (("task", names.task), ("model", names.model), ("label", str)):
        there = cells.groupby(column, sort=False)["done"].any()
        empty = there.index[~there].to_list()
        found += [title(value) for value in empty]
        cells = cells[~cells[column].isin(empty)]
    rest = cells[~cells["done"]]
    return found + [f"{row.label} ({names.task(row.task)}, {names.model(row.model)})" for row in rest.itertuples()]


def planned(frame: pd.DataFrame, runs: pd.DataFrame | None, *columns: str) -> list[tuple]:
    """The values of these columns in a frame and, in their own order first, in all runs of the study."""
    sources = [frame] if runs is None else [runs.rename(columns={"method": "registered", "label": "method"}), frame]
    rows = [tuple(row) for source in sources for row in source[list(columns)].drop_duplicates().itertuples(index=False)]
    return list(dict.fromkeys(rows))


def listed(values: Sequence[str]) -> str:
    """The values as in "a, b and c"."""
    return " and ".join(filter(None, [", ".join(values[:-1]), *values[-1:]]))
