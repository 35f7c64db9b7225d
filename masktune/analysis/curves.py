"""Figures of the ablations: a setting against the difference from fine-tuning, and two settings as a heat map."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from masktune.analysis import names, theme
from masktune.analysis.ablations import TITLES, value_of
from masktune.analysis.theme import Drawing


def sweep(swept: pd.DataFrame, factor: str) -> Drawing:
    """The difference from fine-tuning on each set by the values of one setting, with 95 % intervals.

    `swept`: rows of `ablations.sweep`, a panel for each task and model. The values stand at equal distances.
    """
    return sweeps({factor: swept})


def sweeps(swept: Mapping[str, pd.DataFrame]) -> Drawing:
    """Several settings side by side, see `sweep`; one that the study does not vary has no panel."""
    panels = [
        (factor, task, model, part)
        for factor, rows in swept.items()
        for (task, model), part in rows.groupby(["task", "model"], sort=False)
    ]
    columns = min(3, max(1, len(panels)))
    lines = max(1, -(-len(panels) // columns))
    with theme.applied():
        figure = Drawing(figsize=(0.6 + 3.6 * columns, 3.1 * lines), layout="constrained")
        axes = figure.subplots(lines, columns, squeeze=False, sharey=True)
        for axis, (factor, task, model, part) in zip(axes.flat, panels, strict=False):
            _lines(axis, part, factor)
            axis.set_title(f"{names.task(task)}, {names.model(model)}", pad=8)
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        for axis in axes[:, 0]:
            axis.set_ylabel("difference from fine-tuning (points)")
    settings = ", ".join(TITLES[factor] for factor in swept)
    figure.alt = f"Difference from fine-tuning on each set by {settings}, with 95 % intervals"
    return figure


def _lines(axis: Axes, part: pd.DataFrame, factor: str) -> None:
    values = _values(part[factor])
    axis.axhline(0, color=theme.QUIET, linewidth=0.9, zorder=1)
    sets = list(dict.fromkeys(part["set"]))
    for number, name in enumerate(sets):
        style = theme.SERIES[number % len(theme.SERIES)]
        rows = part[part["set"] == name]
        places = np.array([values.index(value_of(value)) for value in rows[factor]], dtype=float)
        places += (number - (len(sets) - 1) / 2) * 0.08
        axis.vlines(places, rows["low"], rows["high"], color=style.colour, linewidth=1.4, alpha=0.55, zorder=2)
        dashes = "--" if rows["kind"].iloc[0] == "in_distribution" else "-"
        axis.plot(
            places, rows["difference"], dashes, marker=style.marker, color=style.colour, markersize=5, linewidth=1.4,
            markeredgecolor="white", label=names.evaluation_set(name), zorder=3,
        )  # fmt: skip
    axis.set_xticks(range(len(values)), values)
    axis.set_xlabel(TITLES[factor])
    axis.grid(axis="x", visible=False)
    axis.legend(loc="best")


def _values(column: pd.Series) -> list[str]:
    """The values of a setting in their order, as a reader sees them; "all" comes last."""
    present = sorted(column.dropna().unique())
    return [value_of(value) for value in present] + (["all"] if column.isna().any() else [])


def heat_map(swept: pd.DataFrame, row: str, column: str, kind: str = "out_of_distribution") -> Drawing:
    """The mean difference from fine-tuning over the sets of a kind, by the values of two settings; a panel a task."""
    chosen = swept[swept["kind"] == kind]
    places = list(dict.fromkeys(zip(chosen["task"], chosen["model"], strict=True)))
    limit = max(1.0, float(chosen["difference"].abs().max())) if len(chosen) else 1.0
    with theme.applied():
        figure = Drawing(figsize=(0.8 + 3.4 * max(1, len(places)), 3.0), layout="constrained")
        axes = figure.subplots(1, max(1, len(places)), squeeze=False)[0]
        for axis, (task, model) in zip(axes, places, strict=False):
            part = chosen[(chosen["task"] == task) & (chosen["model"] == model)]
            grid = part.pivot_table(index=row, columns=column, values="difference", aggfunc="mean")
            image = _tiles(axis, grid, limit)
            axis.set_title(f"{names.task(task)}, {names.model(model)}", pad=8)
            axis.set(xlabel=TITLES[column], ylabel=TITLES[row])
        if places:
            figure.colorbar(image, ax=list(axes), label="difference (points)", shrink=0.9)
    figure.alt = f"Mean difference from fine-tuning by {TITLES[row]} and {TITLES[column]}"
    return figure


def _tiles(axis: Axes, grid: pd.DataFrame, limit: float):
    image = axis.imshow(grid, cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto")
    axis.set_xticks(range(grid.shape[1]), [value_of(value) for value in grid.columns])
    axis.set_yticks(range(grid.shape[0]), [value_of(value) for value in grid.index])
    axis.grid(visible=False)
    for (i, j), value in np.ndenumerate(grid.to_numpy()):
        if not np.isnan(value):
            dark = abs(value) > 0.6 * limit
            axis.text(j, i, f"{value:+.1f}", ha="center", va="center", color="white" if dark else theme.INK, fontsize=8)
    return image


def along_training(
    histories: pd.DataFrame, columns: Sequence[str], titles: Sequence[str], time: str = "step"
) -> Drawing:
    """What was measured along training: a panel a quantity, a line a label (mean over seeds, band: all seeds).

    `histories`: the columns label, seed, `time` ("step" or "epoch") and those named in `columns`.
    """
    labels = list(dict.fromkeys(histories["label"]))
    with theme.applied():
        figure = Drawing(figsize=(0.6 + 3.4 * len(columns), 3.1), layout="constrained")
        for axis, name, title in zip(figure.subplots(1, len(columns), squeeze=False)[0], columns, titles, strict=True):
            for label in labels:
                colour = theme.mark(label, labels).colour
                rows = histories[histories["label"] == label].dropna(subset=[name])
                by_time = rows.groupby(time)[name]
                axis.fill_between(by_time.min().index, by_time.min(), by_time.max(), color=colour, alpha=0.15)
                axis.plot(by_time.mean().index, by_time.mean(), color=colour, linewidth=1.6, label=label)
            axis.set_title(title, pad=8)
            axis.set_xlabel(time)
        handles, found = axis.get_legend_handles_labels()
        figure.legend(handles, found, loc="outside lower left", ncols=min(4, len(labels)))
    figure.alt = "Measured along training: " + ", ".join(titles)
    return figure
