"""Figures of the ablations: a setting against the difference from fine-tuning, and two settings as a heat map."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from masktune.analysis import names
from masktune.analysis.ablations import numbers
from masktune.analysis.ablations.settings import TITLES, has_value, short_title, value_text
from masktune.analysis.formatting import DASH, join_words
from masktune.analysis.plotting import alt_text, marks, panels, theme
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.plotting.tiles import tiles
from masktune.analysis.plotting.value_axis import ValueAxis


def sweep(swept: pd.DataFrame, factor: str, runs: pd.DataFrame | None = None) -> Drawing:
    """The difference from fine-tuning on each set by the values of one setting, with 95 % intervals.

    `swept`: rows of `numbers.sweep`, a panel for each task and model. Numbers lie at their size, and lines join
    them; settings without an order are not joined. `runs`: all runs of the study; a value without finished runs is
    marked.
    """
    return sweeps({factor: swept}, runs)


def sweeps(swept: Mapping[str, pd.DataFrame], runs: pd.DataFrame | None = None) -> Drawing:
    """Several settings side by side, see `sweep`; one that the study does not vary has no panel."""
    planned = {factor: _planned_values(rows, factor, runs) for factor, rows in swept.items()}
    drawn = [panel for factor, rows in swept.items() for panel in _panels(rows, factor, planned[factor])]
    if not drawn:
        named = join_words([TITLES[factor] for factor in swept]) or "one of these settings"
        return panels.text_figure(f"No finished runs vary {named} alone.")
    missing = alt_text.unfinished_runs(_of_sweeps(runs, planned.values()))
    return _side_by_side(drawn, missing)


def _planned_values(swept: pd.DataFrame, factor: str, runs: pd.DataFrame | None) -> pd.DataFrame:
    """Task, model, label and value of every variant that is swept or, where the runs are known, planned."""
    columns = ["task", "model", "label", factor]
    frames = [swept] if runs is None else [numbers.planned(runs, factor), swept]
    return pd.concat([frame[columns] for frame in frames if len(frame)] or [swept[columns]]).drop_duplicates()


def _of_sweeps(runs: pd.DataFrame | None, planned: Iterable[pd.DataFrame]) -> pd.DataFrame | None:
    """The runs of these variants."""
    if runs is None:
        return None
    keys = pd.concat([variants[["task", "model", "label"]] for variants in planned]).drop_duplicates()
    return runs.merge(keys, on=["task", "model", "label"])


@dataclass(frozen=True)
class _Panel:
    """One panel: what is drawn, by which setting, and where its values lie. `empty` have no finished runs."""

    title: str
    factor: str
    rows: pd.DataFrame
    values: ValueAxis
    empty: tuple = ()


def _panels(swept: pd.DataFrame, factor: str, planned: pd.DataFrame) -> list[_Panel]:
    """A panel for each task and model."""
    drawn = []
    for (task, model), variants in planned.groupby(["task", "model"], sort=False):
        rows = swept[(swept["task"] == task) & (swept["model"] == model)]
        empty = tuple(value for value in variants[factor].unique() if not has_value(rows[factor], value).any())
        title = f"{names.task(task)}, {names.model(model)}"
        drawn.append(_Panel(title, factor, rows, ValueAxis(variants[factor], value_text), empty))
    return drawn


def slices(swept: pd.DataFrame, factor: str, by: str, only: float | None = None) -> Drawing:
    """`sweep` at each value of a second setting, side by side; at that value alone with `only`.

    `swept`: rows of `numbers.sweep` by both settings. All panels have the same axes, whichever of them are drawn.
    """
    if swept.empty:
        return panels.text_figure(f"No finished runs vary {TITLES[factor]} and {TITLES[by]}.")
    values = ValueAxis(swept[factor], value_text)
    drawn = [
        _Panel(f"{names.task(task)}, {names.model(model)}: {TITLES[by]} {value_text(value)}", factor, rows, values)
        for value in slice_values(swept, factor, by)
        if only in (None, value)
        for (task, model), rows in swept[swept[by] == value].groupby(["task", "model"], sort=False)
    ]
    if not drawn:
        return panels.text_figure(f"No finished runs vary {TITLES[factor]} at more than one {TITLES[by]}.")
    figure = _side_by_side(drawn)
    figure.alt = alt_text.compose(f"By {TITLES[factor]} at each {TITLES[by]}.", *_words(drawn)[1:])
    limits = swept[["difference", "low", "high"]]
    limits = min(-1.0, 1.1 * limits.min(axis=None)), max(1.0, 1.1 * limits.max(axis=None))
    for axis in figure.axes[: len(drawn)]:
        axis.set_ylim(limits)
    return figure


def slice_values(swept: pd.DataFrame, factor: str, by: str) -> list:
    """The values of `by`, in their order, at which `factor` varies."""
    counts = swept.groupby(by)[factor].nunique()
    return counts.index[counts > 1].to_list()


def _side_by_side(drawn: Sequence[_Panel], missing: str = "") -> Drawing:
    """Panels with one axis of differences."""
    with theme.apply_theme():
        figure, axes = panels.side_by_side(len(drawn), 3.6, 3.5, sharey=True)
        for axis, panel in zip(axes, drawn, strict=True):
            _lines(axis, panel)
            axis.set_title(panel.title, pad=8)
        for axis in axes[:: panels.PER_LINE]:
            axis.set_ylabel("difference from fine-tuning (points)")
        seeds = pd.concat([panel.rows["seeds"] for panel in drawn])
        if len(seeds):
            marks.add_legend(figure, marks.seed_handles(seeds))
        panels.add_note(figure, missing)
    figure.alt = alt_text.compose(*_words(drawn), missing=missing)
    return figure


def _words(drawn: Sequence[_Panel]) -> list[str]:
    """What each panel shows."""
    return ["Difference from fine-tuning in points out of distribution.", *(_panel_words(panel) for panel in drawn)]


def _panel_words(panel: _Panel) -> str:
    where = lambda row: f"{value_text(row[panel.factor])}, {names.evaluation_set(row['set'])}"  # noqa: E731
    title = panel.title if TITLES[panel.factor] in panel.title else f"{panel.title}, {short_title(panel.factor)}"
    return f"{title}: {alt_text.difference_range(panel.rows, where)}."


def _lines(axis: Axes, panel: _Panel) -> None:
    axis.axhline(0, color=theme.QUIET, linewidth=0.9, zorder=1)
    axis.set_xlabel(TITLES[panel.factor])
    axis.grid(axis="x", visible=False)
    two_lines = panel.values.draw(axis)
    for value in panel.empty:
        axis.text(panel.values.position(value), 0.5, panels.NO_RUNS, rotation=90, ha="center", va="center",
                  color=theme.QUIET, fontsize=8, transform=axis.get_xaxis_transform())  # fmt: skip
    sets = list(dict.fromkeys(panel.rows["set"]))
    for index, (name, offset) in enumerate(zip(sets, marks.offsets(len(sets)), strict=True)):
        style = theme.SERIES[index % len(theme.SERIES)]
        _one_set(axis, panel, panel.rows[panel.rows["set"] == name], style, offset)
    if sets:
        below = -0.36 if two_lines else -0.25
        axis.legend(loc="upper left", bbox_to_anchor=(0, below), ncols=2, borderaxespad=0, columnspacing=1.2)


def _one_set(axis: Axes, panel: _Panel, rows: pd.DataFrame, style: theme.Mark, offset: float) -> None:
    """One set by the values of the setting: marks with their intervals, and a line where the values have an order."""
    places = np.array([panel.values.position(value, offset) for value in rows[panel.factor]], dtype=float)
    joined = rows[panel.factor].map(panel.values.is_joined).to_numpy(dtype=bool)
    dashes = "--" if rows["kind"].iloc[0] == "in_distribution" else "-"
    line: dict[str, Any] = {"color": style.colour, "linewidth": 1.1, "alpha": 0.8, "zorder": 2}
    axis.plot(places[joined], rows["difference"][joined], dashes, **line)
    for place, row in zip(places, rows.itertuples(), strict=True):
        marks.draw_vertical(axis, place, row.difference, (row.low, row.high), style, row.seeds)
    look = {**marks.marker_style(style), "linestyle": dashes if joined.any() else ""}
    axis.plot([], [], linewidth=1.1, label=names.evaluation_set(rows["set"].iloc[0]), **look)


def heat_map(swept: pd.DataFrame, row: str, column: str, kind: str = "out_of_distribution") -> Drawing:
    """The mean difference from fine-tuning over the sets of a kind, by the values of two settings; a panel a task."""
    chosen = swept[swept["kind"] == kind]
    places = list(dict.fromkeys(zip(chosen["task"], chosen["model"], strict=True)))
    if not places:
        return panels.text_figure(f"No finished runs vary {TITLES[row]} and {TITLES[column]}.")
    means = chosen.groupby(["task", "model", row, column], sort=False)["difference"].mean().reset_index()
    limit = max(1.0, float(means["difference"].abs().max()))
    with theme.apply_theme():
        figure, axes = panels.side_by_side(len(places), 3.4, 3.0)
        for axis, (task, model) in zip(axes, places, strict=True):
            here = means[(means["task"] == task) & (means["model"] == model)]
            image = tiles(axis, here.pivot(index=row, columns=column, values="difference"), limit, value_text)
            axis.set_title(f"{names.task(task)}, {names.model(model)}", pad=8)
            axis.set(xlabel=TITLES[column], ylabel=TITLES[row])
        figure.colorbar(image, ax=list(axes), label="difference (points)", shrink=0.9)
        panels.add_note(figure, f"{DASH} {panels.NO_RUNS}.")
    first, second = short_title(row), short_title(column)
    where = lambda at: f"{names.task(at['task'])}, {first} {value_text(at[row])}, {second} {value_text(at[column])}"  # noqa: E731
    ends = alt_text.value_range(means, "difference", where, sign=True)
    kind = names.KINDS[kind]
    figure.alt = alt_text.compose(f"Mean difference from fine-tuning ({kind}) by {first} and {second}: {ends} points.")
    return figure
