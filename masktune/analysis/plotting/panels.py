"""Figures of several panels, three in a line, and what replaces a panel that has nothing to show."""

import textwrap
from typing import Any

from matplotlib.axes import Axes

from masktune.analysis.plotting import theme
from masktune.analysis.plotting.theme import Drawing

NO_RUNS = "no finished runs"
PER_LINE = 3  # panels


def side_by_side(panels: int, width: float = 3.4, height: float = 3.1, **shared: Any) -> tuple[Drawing, list[Axes]]:
    """A figure with so many panels, three in a line; at least one. Width and height of a panel are in inches."""
    panels = max(1, panels)
    columns = min(PER_LINE, panels)
    lines = -(-panels // columns)
    # A panel alone is wider: its legend needs the room.
    figure = Drawing(figsize=(0.6 + width * max(columns, 1.3), height * lines), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False, **shared)
    for axis in axes.flat[panels:]:
        axis.set_axis_off()
    return figure, list(axes.flat[:panels])


def mark_empty(axis: Axes, words: str = NO_RUNS) -> None:
    """Write into a panel why it is empty."""
    axis.text(0.5, 0.5, words, transform=axis.transAxes, ha="center", va="center", color=theme.QUIET)
    axis.tick_params(axis="both", length=0, labelleft=False)
    axis.grid(visible=False)


def text_figure(words: str, alt: str = "") -> Drawing:
    """A figure that holds only words, where nothing can be drawn."""
    with theme.apply_theme():
        figure = Drawing(figsize=(5.0, 0.5))
        figure.text(0, 0.5, words, color=theme.QUIET)
    figure.alt = alt or words
    return figure


def add_note(figure: Drawing, words: str) -> None:
    """Write words below the panels, as on what is missing; empty words add nothing."""
    if words:
        letters = int(15 * figure.get_size_inches()[0])
        shown = "\n".join(textwrap.wrap(words, letters))
        figure.supxlabel(shown, x=0.01, ha="left", fontsize=8, color=theme.QUIET)
