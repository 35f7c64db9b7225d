"""The figure of the collapse: what a method loses by steps of training, and the two gradients along training."""

import pandas as pd
from matplotlib.axes import Axes

from masktune.analysis import names
from masktune.analysis.collapse.numbers import PARTS, Collapse
from masktune.analysis.collapse.text import language_model, steps
from masktune.analysis.formatting import CROSSED, MINUS
from masktune.analysis.plotting import alt_text, marks, panels, theme
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.plotting.value_axis import ValueAxis

CAPTION = "What is lost by steps of fine-tuning, and the two gradients along training, by language model."
NOTHING = "No place of this study has finished runs of both methods."


def collapse(found: Collapse, runs: pd.DataFrame | None = None) -> Drawing:
    """Above, the loss on each set by steps of training; below, the ratio of the gradients in each length of training.

    A line for each language model in every panel. `runs`: all runs of the study; what is missing is said.
    """
    missing = alt_text.unfinished_runs(runs)
    if found.losses.empty:
        return panels.text_figure(NOTHING, f"{NOTHING} {missing}".strip())
    above = list(found.losses[["task", "set"]].drop_duplicates().itertuples(index=False, name=None))
    lengths = sorted(found.ratios["training_steps"].unique())
    first_below = -(-len(above) // panels.PER_LINE) * panels.PER_LINE
    adapted = sorted(found.losses["adaptation_steps"].unique())
    styles = {each: theme.SERIES[index % len(theme.SERIES)] for index, each in enumerate(adapted)}
    with theme.apply_theme():
        figure, axes = panels.side_by_side(first_below + len(lengths), 3.4, 3.0)
        for axis in axes[len(above) : first_below]:
            axis.set_axis_off()
        _draw_losses(axes[: len(above)], above, found.losses, styles)
        _draw_ratios(axes[first_below:], lengths, found.ratios, styles)
        handles = [marks.method_handle(style, language_model(each)) for each, style in styles.items()]
        marks.add_legend(figure, [*handles, *marks.seed_handles(found.losses["seeds"])])
        panels.add_note(figure, f"{_note(found)} {missing}".strip())
    figure.alt = alt_text.compose(*_words(found.losses), missing=missing)
    return figure


def _draw_losses(
    axes: list[Axes], sets: list[tuple[str, str]], losses: pd.DataFrame, styles: dict[int, theme.Mark]
) -> None:
    """A panel a set, all with one range of the y axis."""
    at = ValueAxis(losses["training_steps"], lambda value: f"{value:,.0f}", log=True)
    ends = losses[["loss", "low", "high"]]
    low, high = min(-1.0, float(ends.min(axis=None))), max(1.0, float(ends.max(axis=None)))
    for axis, (task, name) in zip(axes, sets, strict=True):
        at.draw(axis)
        axis.axhline(0, color=theme.QUIET, linewidth=0.9, zorder=1)
        axis.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))
        rows = losses[(losses["task"] == task) & (losses["set"] == name)]
        for (each, style), offset in zip(styles.items(), marks.offsets(len(styles)), strict=True):
            _line(axis, rows[rows["adaptation_steps"] == each].sort_values("training_steps"), at, style, offset)
        axis.set_title(f"{names.evaluation_set(name)} ({names.KINDS[rows['kind'].iloc[0]]})", pad=8)
        axis.set_xlabel("steps of fine-tuning")
    for axis in axes[:: panels.PER_LINE]:
        axis.set_ylabel("accuracy lost (points)")


def _line(axis: Axes, rows: pd.DataFrame, at: ValueAxis, style: theme.Mark, offset: float) -> None:
    """The loss with one language model: marks with their intervals, joined."""
    places = [at.position(value, offset) for value in rows["training_steps"]]
    axis.plot(places, rows["loss"], color=style.colour, linewidth=1.3, alpha=0.8, zorder=2)
    for place, row in zip(places, rows.itertuples(), strict=True):
        marks.draw_vertical(axis, place, row.loss, (row.low, row.high), style, row.seeds)


def _draw_ratios(axes: list[Axes], lengths: list[float], ratios: pd.DataFrame, styles: dict[int, theme.Mark]) -> None:
    """A panel a length of training, all with one range of the y axis."""
    for axis, length in zip(axes, lengths, strict=True):
        axis.set_yscale("log")
        axis.axhline(1, color=theme.QUIET, linewidth=0.9, zorder=1)
        rows = ratios[ratios["training_steps"] == length]
        for each, style in styles.items():
            own = rows[rows["adaptation_steps"] == each].sort_values("share")
            middle = 100 * (own["share"] - 0.5 / PARTS)
            axis.fill_between(middle, own["lowest"], own["highest"], color=style.colour, alpha=0.12, linewidth=0)
            axis.plot(middle, own["ratio"], color=style.colour, linewidth=1.5, marker=style.marker, markersize=3)
        axis.set(xlim=(0, 100), ylim=_range(ratios), xlabel="share of training (%)")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.set_title(f"gradients in {steps(length)}", pad=8)
    for axis in axes[:: panels.PER_LINE]:
        axis.set_ylabel("norm, MLM over classification")


def _range(ratios: pd.DataFrame) -> tuple[float, float]:
    return min(0.8, float(ratios["lowest"].min()) / 1.2), max(1.25, float(ratios["highest"].max()) * 1.2)


def _note(found: Collapse) -> str:
    first = found.declared[0]
    above = f"Above: accuracy of {first.against} {MINUS} {first.method}, with the {CROSSED}."
    if found.ratios.empty:
        return f"{above} No finished run has measured its gradients."
    return (
        f"{above} Below: norms before weighting, medians over the steps measured in each tenth of training and over "
        "seeds; bands: from the lowest seed to the highest."
    )


def _words(losses: pd.DataFrame) -> list[str]:
    """The largest and the smallest loss of each kind, and where they are."""
    said = ["Accuracy that is lost, in points."]
    where = lambda row: f"{language_model(row['adaptation_steps'])}, {steps(row['training_steps'])}"  # noqa: E731
    for kind, rows in losses.groupby("kind", sort=False):
        ends = alt_text.value_range(rows, "loss", where, sign=True)
        said.append(f"{names.KINDS[str(kind)]}: {ends}.")
    return said
