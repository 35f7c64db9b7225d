"""Figures of the ablations: a setting against the difference from fine-tuning, and two settings as a heat map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from masktune.analysis import names
from masktune.analysis.ablations import numbers as ablations
from masktune.analysis.ablations.numbers import TITLES, value_of
from masktune.analysis.plotting import alt_text as findings
from masktune.analysis.plotting import panels, theme
from masktune.analysis.plotting.panels import Places
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.table import MINUS, count, number

_NO_RUNS = "\N{EN DASH}"  # in a tile


def sweep(swept: pd.DataFrame, factor: str, runs: pd.DataFrame | None = None) -> Drawing:
    """The difference from fine-tuning on each set by the values of one setting, with 95 % intervals.

    `swept`: rows of `ablations.sweep`, a panel for each task and model. Numbers stand at their size, and lines join
    them; settings without an order are not joined. `runs`: all runs of the study; a value without finished runs is
    marked.
    """
    return sweeps({factor: swept}, runs)


def sweeps(swept: Mapping[str, pd.DataFrame], runs: pd.DataFrame | None = None) -> Drawing:
    """Several settings side by side, see `sweep`; one that the study does not vary has no panel."""
    planned = {factor: _planned(rows, factor, runs) for factor, rows in swept.items()}
    drawn = [panel for factor, rows in swept.items() for panel in _panels(rows, factor, planned[factor])]
    if not drawn:
        named = findings.listed([TITLES[factor] for factor in swept]) or "one of these settings"
        return panels.alone(f"No finished runs vary {named} alone.")
    missing = findings.unfinished(_of_sweeps(runs, planned.values()))
    return _side_by_side(drawn, missing)


def _planned(swept: pd.DataFrame, factor: str, runs: pd.DataFrame | None) -> pd.DataFrame:
    """Task, model, label and value of all that is there and, where the runs are known, of all that shall be."""
    columns = ["task", "model", "label", factor]
    parts = [swept] if runs is None else [ablations.planned(runs, factor), swept]
    return pd.concat([part[columns] for part in parts if len(part)] or [swept[columns]]).drop_duplicates()


def _of_sweeps(runs: pd.DataFrame | None, planned) -> pd.DataFrame | None:
    """The runs of these variants."""
    if runs is None:
        return None
    keys = pd.concat([part[["task", "model", "label"]] for part in planned]).drop_duplicates()
    return runs.merge(keys, on=["task", "model", "label"])


@dataclass(frozen=True)
class _Panel:
    """One panel: what is drawn, by which setting, and where its values stand. `empty` have no finished runs."""

    title: str
    factor: str
    rows: pd.DataFrame
    places: Places
    empty: tuple = ()


def _panels(swept: pd.DataFrame, factor: str, planned: pd.DataFrame) -> list[_Panel]:
    """A panel for each task and model."""
    found = []
    for (task, model), part in planned.groupby(["task", "model"], sort=False):
        rows = swept[(swept["task"] == task) & (swept["model"] == model)]
        empty = tuple(value for value in part[factor].unique() if not (_same(rows[factor], value)).any())
        title = f"{names.task(task)}, {names.model(model)}"
        found.append(_Panel(title, factor, rows, Places(part[factor], value_of), empty))
    return found


def _same(column: pd.Series, value: object) -> pd.Series:
    return column.isna() if pd.isna(value) else column == value


def slices(swept: pd.DataFrame, factor: str, by: str, only: float | None = None) -> Drawing:
    """`sweep` at each value of a second setting, side by side; at that value alone with `only`.

    `swept`: rows of `ablations.sweep` by both settings. All panels have the same axes, whichever of them are drawn.
    """
    if swept.empty:
        return panels.alone(f"No finished runs vary {TITLES[factor]} and {TITLES[by]}.")
    places = Places(swept[factor], value_of)
    drawn = [
        _Panel(f"{names.task(task)}, {names.model(model)}: {TITLES[by]} {value_of(value)}", factor, part, places)
        for value in sliced(swept, factor, by)
        if only in (None, value)
        for (task, model), part in swept[swept[by] == value].groupby(["task", "model"], sort=False)
    ]
    if not drawn:
        return panels.alone(f"No finished runs vary {TITLES[factor]} at more than one {TITLES[by]}.")
    figure = _side_by_side(drawn)
    figure.alt = findings.alt(f"By {TITLES[factor]} at each {TITLES[by]}.", *_words(drawn)[1:])
    limits = swept[["difference", "low", "high"]]
    limits = min(-1.0, 1.1 * limits.min(axis=None)), max(1.0, 1.1 * limits.max(axis=None))
    for axis in figure.axes[: len(drawn)]:
        axis.set_ylim(limits)
    return figure


def sliced(swept: pd.DataFrame, factor: str, by: str) -> list:
    """The values of `by`, in their order, at which `factor` varies."""
    counts = swept.groupby(by)[factor].nunique()
    return counts.index[counts > 1].to_list()


def _side_by_side(drawn: Sequence[_Panel], missing: str = "") -> Drawing:
    """Panels with one axis of differences."""
    with theme.applied():
        figure, axes = panels.side_by_side(len(drawn), 3.6, 3.5, sharey=True)
        for axis, panel in zip(axes, drawn, strict=True):
            _lines(axis, panel)
            axis.set_title(panel.title, pad=8)
        for axis in axes[:: panels.A_LINE]:
            axis.set_ylabel("difference from fine-tuning (points)")
        seeds = pd.concat([panel.rows["seeds"] for panel in drawn])
        if len(seeds):
            panels.legend(figure, panels.of_seeds(seeds))
        panels.note(figure, missing)
    figure.alt = findings.alt(*_words(drawn), missing=missing)
    return figure


def _words(drawn: Sequence[_Panel]) -> list[str]:
    """What each panel shows."""
    return ["Difference from fine-tuning in points out of distribution.", *(_shows(panel) for panel in drawn)]


def _shows(panel: _Panel) -> str:
    where = lambda row: f"{value_of(row[panel.factor])}, {names.evaluation_set(row['set'])}"  # noqa: E731
    title = panel.title if TITLES[panel.factor] in panel.title else f"{panel.title}, {_short(panel.factor)}"
    return f"{title}: {findings.differences(panel.rows, where)}."


def _short(factor: str) -> str:
    return TITLES[factor].partition(" (")[0]


def _lines(axis: Axes, panel: _Panel) -> None:
    axis.axhline(0, color=theme.QUIET, linewidth=0.9, zorder=1)
    axis.set_xlabel(TITLES[panel.factor])
    axis.grid(axis="x", visible=False)
    two_lines = panel.places.draw(axis)
    for value in panel.empty:
        axis.text(panel.places.of(value), 0.5, panels.NOTHING, rotation=90, ha="center", va="center",
                  color=theme.QUIET, fontsize=8, transform=axis.get_xaxis_transform())  # fmt: skip
    sets = list(dict.fromkeys(panel.rows["set"]))
    for number_of, (name, aside) in enumerate(zip(sets, panels.asides(len(sets)), strict=True)):
        style = theme.SERIES[number_of % len(theme.SERIES)]
        _one_set(axis, panel, panel.rows[panel.rows["set"] == name], style, aside)
    if sets:
        below = -0.36 if two_lines else -0.25
        axis.legend(loc="upper left", bbox_to_anchor=(0, below), ncols=2, borderaxespad=0, columnspacing=1.2)


def _one_set(axis: Axes, panel: _Panel, rows: pd.DataFrame, style: theme.Mark, aside: float) -> None:
    """One set by the values of the setting: marks with their intervals, and a line where the values have an order."""
    places = np.array([panel.places.of(value, aside) for value in rows[panel.factor]], dtype=float)
    joined = rows[panel.factor].map(panel.places.joined).to_numpy(dtype=bool)
    dashes = "--" if rows["kind"].iloc[0] == "in_distribution" else "-"
    line = {"color": style.colour, "linewidth": 1.1, "alpha": 0.8, "zorder": 2}
    axis.plot(places[joined], rows["difference"][joined], dashes, **line)
    for place, row in zip(places, rows.itertuples(), strict=True):
        panels.upright(axis, place, row.difference, (row.low, row.high), style, row.seeds)
    look = {**panels.look(style), "linestyle": dashes if joined.any() else ""}
    axis.plot([], [], linewidth=1.1, label=names.evaluation_set(rows["set"].iloc[0]), **look)


def heat_map(swept: pd.DataFrame, row: str, column: str, kind: str = "out_of_distribution") -> Drawing:
    """The mean difference from fine-tuning over the sets of a kind, by the values of two settings; a panel a task."""
    chosen = swept[swept["kind"] == kind]
    places = list(dict.fromkeys(zip(chosen["task"], chosen["model"], strict=True)))
    if not places:
        return panels.alone(f"No finished runs vary {TITLES[row]} and {TITLES[column]}.")
    means = chosen.groupby(["task", "model", row, column], sort=False)["difference"].mean().reset_index()
    limit = max(1.0, float(means["difference"].abs().max()))
    with theme.applied():
        figure, axes = panels.side_by_side(len(places), 3.4, 3.0)
        for axis, (task, model) in zip(axes, places, strict=True):
            part = means[(means["task"] == task) & (means["model"] == model)]
            image = _tiles(axis, part.pivot(index=row, columns=column, values="difference"), limit)
            axis.set_title(f"{names.task(task)}, {names.model(model)}", pad=8)
            axis.set(xlabel=TITLES[column], ylabel=TITLES[row])
        figure.colorbar(image, ax=list(axes), label="difference (points)", shrink=0.9)
        panels.note(figure, f"{_NO_RUNS} {panels.NOTHING}.")
    first, second = _short(row), _short(column)
    where = lambda at: f"{names.task(at['task'])}, {first} {value_of(at[row])}, {second} {value_of(at[column])}"  # noqa: E731
    ends = findings.span(means, "difference", where, sign=True)
    kind = names.KINDS[kind]
    figure.alt = findings.alt(f"Mean difference from fine-tuning ({kind}) by {first} and {second}: {ends} points.")
    return figure


def _tiles(axis: Axes, grid: pd.DataFrame, limit: float, starred: np.ndarray | None = None):
    # The limits stand at half a tile: of one row alone they could not be found.
    ends = (-0.5, grid.shape[1] - 0.5, grid.shape[0] - 0.5, -0.5)
    image = axis.imshow(grid, cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto", extent=ends)
    axis.set_xticks(range(grid.shape[1]), [value_of(value) for value in grid.columns])
    axis.set_yticks(range(grid.shape[0]), [value_of(value) for value in grid.index])
    axis.grid(visible=False)
    for (i, j), value in np.ndenumerate(grid.to_numpy(dtype=float)):
        text = _NO_RUNS if np.isnan(value) else f"{number(value, sign=True)}"
        text += "*" if starred is not None and starred[i, j] else ""
        axis.text(j, i, text, ha="center", va="center", color=_readable(image, value), fontsize=8)
    return image


def _readable(image, value: float) -> str:
    """Black or white, whichever stands out more from the colour of a tile."""
    if np.isnan(value):
        return theme.QUIET
    tile = theme.luminance(image.cmap(image.norm(value))[:3])
    return max(("#000000", "#ffffff"), key=lambda text: theme.contrast(theme.luminance(text), tile))


def along_training(
    histories: pd.DataFrame, columns: Sequence[str], titles: Sequence[str], time: str = "step"
) -> Drawing:
    """What was measured along training: a panel a quantity, a line a label (mean over seeds, band: all seeds).

    `histories`: the columns label, seed, `time` ("step" or "epoch") and those named in `columns`.
    """
    labels = list(dict.fromkeys(histories["label"]))
    if not labels:
        return panels.alone("No finished run has measured this along training.")
    seeds = histories.groupby("label")["seed"].nunique()
    with theme.applied():
        figure, axes = panels.side_by_side(len(columns), 3.4, 3.1)
        for axis, name, title in zip(axes, columns, titles, strict=True):
            for label in labels:
                colour = theme.mark(label, labels).colour
                rows = histories[histories["label"] == label].dropna(subset=[name])
                by_time = rows.groupby(time)[name]
                legend = f"{label} ({count(seeds[[label]], 'seed')})"
                axis.fill_between(by_time.min().index, by_time.min(), by_time.max(), color=colour, alpha=0.15)
                axis.plot(by_time.mean().index, by_time.mean(), color=colour, linewidth=1.6, label=legend)
            axis.set_title(title, pad=8)
            axis.set_xlabel(time)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        panels.legend(figure, axes[0].get_legend_handles_labels()[0])
    figure.alt = findings.alt(*_ends(histories, columns, titles, time))
    return figure


def _ends(histories: pd.DataFrame, columns: Sequence[str], titles: Sequence[str], time: str) -> list[str]:
    """Where each quantity begins and ends, a sentence a panel: the mean over the seeds of each label."""
    said = []
    for name, title in zip(columns, titles, strict=True):
        means = histories.dropna(subset=[name]).groupby(["label", time], sort=False)[name].mean()
        courses = [(label, means[label].sort_index()) for label in dict.fromkeys(means.index.get_level_values(0))]
        ends = "; ".join(f"{label} {course.iloc[0]:.3g} to {course.iloc[-1]:.3g}" for label, course in courses)
        said.append(f"{title}, first to last {time}: {ends}.")
    return said


def matrix(contrasts: pd.DataFrame, pairs: Sequence[tuple[str, str]] = ()) -> Drawing:
    """Differences at a glance: a row for each pair (first, second), a column for each set, those in distribution first.

    `contrasts`: rows of `comparisons.contrasts`. A star marks an interval without zero, a dash what has no finished
    runs; `pairs` are those that have a row in any case.
    """
    if contrasts.empty:
        return panels.alone("No two methods of this comparison have finished runs on the same seeds.")
    frame = contrasts.assign(
        column=[
            f"{names.task(a)}\n{names.evaluation_set(b)}"
            for a, b in zip(contrasts["task"], contrasts["set"], strict=True)
        ],
        clear=(contrasts["low"] > 0) | (contrasts["high"] < 0),
    )
    drawn = list(dict.fromkeys([*pairs, *zip(contrasts["first"], contrasts["second"], strict=True)]))
    columns = list(dict.fromkeys(frame.sort_values("kind", kind="stable")["column"]))
    differences, clear = (
        frame.pivot_table(index=["first", "second"], columns="column", values=value, aggfunc="first").reindex(
            index=pd.MultiIndex.from_tuples(drawn), columns=columns
        )
        for value in ("difference", "clear")
    )
    differences.index = _pairs(drawn)
    limit = max(1.0, float(frame["difference"].abs().max()))
    with theme.applied():
        figure = Drawing(figsize=(3.0 + 1.05 * len(columns), 1.0 + 0.36 * len(drawn)), layout="constrained")
        axis = figure.subplots()
        image = _tiles(axis, differences, limit, clear.eq(True).to_numpy(dtype=bool))
        axis.tick_params(axis="x", labelsize=7.5)
        figure.colorbar(image, ax=axis, label="difference (points)", shrink=0.9)
        missing = f"{_NO_RUNS} {panels.NOTHING} on shared seeds." if differences.isna().any(axis=None) else ""
        panels.note(figure, f"* the 95 % interval does not hold zero ({_seeds(frame)}). {missing}")
    figure.alt = findings.alt(*_compared(frame, len(differences)), missing=missing and _without(differences))
    return figure


def _seeds(frame: pd.DataFrame) -> str:
    return count(frame["seeds"], "paired seed")


def _compared(frame: pd.DataFrame, rows: int) -> list[str]:
    """What a matrix shows."""
    firsts, place = frame["first"].unique(), findings.places(frame)
    title = f"Differences in points out of distribution of {rows} pairs of methods."
    if len(firsts) == 1:
        title = f"Differences in points out of distribution of {rows} method{'s' * (rows != 1)} from {firsts[0]}."
    pair = lambda row: row["second"] if len(firsts) == 1 else f"{row['second']} minus {row['first']}"  # noqa: E731
    return [title, f"They go {findings.differences(frame, lambda row: f'{pair(row)}, {place(row)}')}."]


def _without(differences: pd.DataFrame) -> str:
    """How many tiles are empty, and which rows are."""
    rows = differences.index[differences.isna().all(axis=1)].to_list()
    which = f", all of {findings.listed(rows)}" if rows else ""
    return f"{int(differences.isna().sum(axis=None))} tiles have {panels.NOTHING}{which}."


def _pairs(drawn: Sequence[tuple[str, str]]) -> list[str]:
    """What the rows of pairs (first, second) are called: the second alone where all have one first."""
    same = len({first for first, _ in drawn}) == 1
    return [second if same else f"{second} {MINUS} {first}" for first, second in drawn]
