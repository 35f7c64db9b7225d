"""The figure of the comparisons: differences between methods as a matrix of tiles."""

from collections.abc import Sequence

import pandas as pd

from masktune.analysis import names
from masktune.analysis.formatting import DASH, MINUS, count, join_words
from masktune.analysis.plotting import alt_text, panels, theme
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.plotting.tiles import tiles


def matrix(contrasts: pd.DataFrame, pairs: Sequence[tuple[str, str]] = ()) -> Drawing:
    """A row of tiles for each pair (first, second), a column for each set and model, those in distribution first.

    `contrasts`: rows of `numbers.contrasts`. A star marks an interval without zero, a dash what has no finished runs;
    `pairs` have a row in any case.
    """
    if contrasts.empty:
        return panels.text_figure("No two methods of this comparison have finished runs on the same seeds.")
    drawn = list(dict.fromkeys([*pairs, *zip(contrasts["first"], contrasts["second"], strict=True)]))
    several = contrasts["model"].nunique() > 1
    titles = [
        f"{names.task(task)}\n{names.evaluation_set(name)}" + (f"\n{names.model(model)}" if several else "")
        for task, name, model in zip(contrasts["task"], contrasts["set"], contrasts["model"], strict=True)
    ]
    frame = contrasts.assign(column=titles, clear=(contrasts["low"] > 0) | (contrasts["high"] < 0))
    differences, clear = (_grid(frame, value, drawn) for value in ("difference", "clear"))
    missing = differences.isna().any(axis=None)
    with theme.apply_theme():
        figure = Drawing(figsize=(3.0 + 1.05 * differences.shape[1], 1.0 + 0.36 * len(drawn)), layout="constrained")
        axis = figure.subplots()
        limit = max(1.0, float(frame["difference"].abs().max()))
        image = tiles(axis, differences, limit, starred=clear.eq(True).to_numpy(dtype=bool))
        axis.tick_params(axis="x", labelsize=7.5)
        figure.colorbar(image, ax=axis, label="difference (points)", shrink=0.9)
        dashes = f"{DASH} {panels.NO_RUNS} on shared seeds." if missing else ""
        seeds = count(frame["seeds"], "paired seed")
        panels.add_note(figure, f"* the 95 % interval does not hold zero ({seeds}). {dashes}")
    figure.alt = alt_text.compose(*_words(frame, len(drawn)), missing=_empty_tiles(differences) if missing else "")
    return figure


def _grid(frame: pd.DataFrame, value: str, drawn: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """One value of each contrast: a row for each pair, a column for each set."""
    columns = list(dict.fromkeys(frame.sort_values("kind", kind="stable")["column"]))
    grid = frame.pivot_table(index=["first", "second"], columns="column", values=value, aggfunc="first")
    grid = grid.reindex(index=pd.MultiIndex.from_tuples(drawn), columns=columns)
    return grid.set_axis(_titles(drawn))


def _words(frame: pd.DataFrame, rows: int) -> list[str]:
    """What a matrix of so many rows shows."""
    firsts, place = frame["first"].unique(), alt_text.row_namer(frame)
    title = f"Differences in points out of distribution of {rows} pairs of methods."
    if len(firsts) == 1:
        title = f"Differences in points out of distribution of {rows} method{'s' * (rows != 1)} from {firsts[0]}."
    pair = lambda row: row["second"] if len(firsts) == 1 else f"{row['second']} minus {row['first']}"  # noqa: E731
    return [title, f"They go {alt_text.difference_range(frame, lambda row: f'{pair(row)}, {place(row)}')}."]


def _empty_tiles(differences: pd.DataFrame) -> str:
    """How many tiles are empty, and which rows are."""
    rows = differences.index[differences.isna().all(axis=1)].to_list()
    which = f", all of {join_words(rows)}" if rows else ""
    return f"{int(differences.isna().to_numpy().sum())} tiles have {panels.NO_RUNS}{which}."


def _titles(drawn: Sequence[tuple[str, str]]) -> list[str]:
    """What the rows of pairs (first, second) are called: the second alone where all have one first."""
    same = len({first for first, _ in drawn}) == 1
    return [second if same else f"{second} {MINUS} {first}" for first, second in drawn]
