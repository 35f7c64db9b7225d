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
        (f"{names.task(task)}, {names.model(model)}", factor, part, _values(part[factor]))
        for factor, rows in swept.items()
        for (task, model), part in rows.groupby(["task", "model"], sort=False)
    ]
    settings = ", ".join(TITLES[factor] for factor in swept)
    return _side_by_side(panels, f"Difference from fine-tuning on each set by {settings}, with 95 % intervals")


def slices(swept: pd.DataFrame, factor: str, by: str, only: float | None = None) -> Drawing:
    """`sweep` at each value of a second setting, side by side; at that value alone with `only`.

    `swept`: rows of `ablations.sweep` by both settings. All panels have the same axes, whichever of them are drawn.
    """
    values = _values(swept[factor])
    panels = [
        (f"{names.task(task)}, {names.model(model)}: {TITLES[by]} {value_of(value)}", factor, part, values)
        for value in sliced(swept, factor, by)
        if only in (None, value)
        for (task, model), part in swept[swept[by] == value].groupby(["task", "model"], sort=False)
    ]
    words = f"Difference from fine-tuning on each set by {TITLES[factor]} at each {TITLES[by]}, with 95 % intervals"
    figure = _side_by_side(panels, words)
    drawn = swept[["difference", "low", "high"]]
    limits = min(-1.0, 1.1 * drawn.min(axis=None)), max(1.0, 1.1 * drawn.max(axis=None))
    for axis in figure.axes if panels else ():
        axis.set(xlim=(-0.4, len(values) - 0.6), ylim=limits)
    return figure


def sliced(swept: pd.DataFrame, factor: str, by: str) -> list:
    """The values of `by`, in their order, at which `factor` varies."""
    counts = swept.groupby(by)[factor].nunique()
    return counts.index[counts > 1].to_list()


def _side_by_side(panels: Sequence[tuple[str, str, pd.DataFrame, list[str]]], words: str) -> Drawing:
    """Panels of (title, setting, rows, values of the setting), three in a line, with one axis of differences."""
    columns = min(3, max(1, len(panels)))
    lines = max(1, -(-len(panels) // columns))
    with theme.applied():
        figure = Drawing(figsize=(0.6 + 3.6 * columns, 3.1 * lines), layout="constrained")
        axes = figure.subplots(lines, columns, squeeze=False, sharey=True)
        for axis, (title, factor, part, values) in zip(axes.flat, panels, strict=False):
            _lines(axis, part, factor, values)
            axis.set_title(title, pad=8)
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        for axis in axes[:, 0]:
            axis.set_ylabel("difference from fine-tuning (points)")
    figure.alt = words
    return figure


def _lines(axis: Axes, part: pd.DataFrame, factor: str, values: list[str]) -> None:
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


def _tiles(axis: Axes, grid: pd.DataFrame, limit: float, starred: np.ndarray | None = None):
    image = axis.imshow(grid, cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto")
    axis.set_xticks(range(grid.shape[1]), [value_of(value) for value in grid.columns])
    axis.set_yticks(range(grid.shape[0]), [value_of(value) for value in grid.index])
    axis.grid(visible=False)
    for (i, j), value in np.ndenumerate(grid.to_numpy()):
        if not np.isnan(value):
            dark = abs(value) > 0.6 * limit
            text = f"{value:+.1f}" + ("*" if starred is not None and starred[i, j] else "")
            axis.text(j, i, text, ha="center", va="center", color="white" if dark else theme.INK, fontsize=8)
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


def matrix(contrasts: pd.DataFrame) -> Drawing:
    """Differences at a glance: a row for each pair (first, second), a column for each set, those in distribution first.

    `contrasts`: rows of `comparisons.contrasts`. A star marks an interval without zero.
    """
    frame = contrasts.assign(
        row=_pairs(contrasts),
        column=[
            f"{names.task(a)}\n{names.evaluation_set(b)}"
            for a, b in zip(contrasts["task"], contrasts["set"], strict=True)
        ],
        clear=(contrasts["low"] > 0) | (contrasts["high"] < 0),
    )
    rows, columns = (
        list(dict.fromkeys(part)) for part in (frame["row"], frame.sort_values("kind", kind="stable")["column"])
    )
    differences, clear = (
        frame.pivot_table(index="row", columns="column", values=value, aggfunc="first").loc[rows, columns]
        for value in ("difference", "clear")
    )
    limit = max(1.0, float(frame["difference"].abs().max())) if len(frame) else 1.0
    with theme.applied():
        figure = Drawing(figsize=(3.0 + 1.05 * len(columns), 1.0 + 0.36 * len(rows)), layout="constrained")
        axis = figure.subplots()
        image = _tiles(axis, differences, limit, clear.fillna(False).to_numpy(dtype=bool))
        axis.tick_params(axis="x", labelsize=7.5)
        figure.colorbar(image, ax=axis, label="difference (points)", shrink=0.9)
    figure.alt = "Difference in points of accuracy, a row for each method and a column for each set"
    return figure


def _pairs(contrasts: pd.DataFrame) -> list[str]:
    """What a row of contrasts is called: the second alone where all have one first."""
    pairs = zip(contrasts["first"], contrasts["second"], strict=True)
    return [
        second if contrasts["first"].nunique() == 1 else f"{second} \N{MINUS SIGN} {first}" for first, second in pairs
    ]
