"""Marks of means, their intervals and the legend.

A hollow mark rests on fewer seeds than a sign-flip test needs to reach 0.05, a filled one on enough; the legend says
how many.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from masktune.analysis.formatting import count
from masktune.analysis.plotting import theme
from masktune.analysis.plotting.theme import Drawing, Mark
from masktune.study.design.claims import LEVEL, seeds_needed

ENOUGH = seeds_needed(LEVEL)  # seeds
CONVENTION = (
    f"A hollow mark rests on fewer than {ENOUGH} seeds, too few for a test at {LEVEL:g}, a filled one on enough."
)
CAP = 10  # points: an interval that is narrower than its mark still shows at both sides of it
# On the mark of a row that did not learn its task, by the study's gates.
UNTRAINED: dict[str, Any] = {"color": theme.INK, "marker": "x", "markersize": 8, "linestyle": "", "zorder": 5}
_SIZES = {"D": 4.6, "s": 5.0, "^": 5.6, "v": 5.6, "P": 5.6, "X": 5.6}  # points; "o" has 5.6 too, by its diameter


def marker_style(style: Mark, seeds: float = ENOUGH) -> dict[str, Any]:
    """Matplotlib's arguments for the mark of a mean over so many seeds."""
    few = seeds < ENOUGH
    return {
        "marker": style.marker, "color": style.colour, "markersize": _SIZES.get(style.marker, 5.6),
        "markerfacecolor": "white" if few else style.colour, "markeredgecolor": style.colour if few else "white",
        "markeredgewidth": 1.4 if few else 0.8,
    }  # fmt: skip


def draw_horizontal(
    axis: Axes, mean: float, ends: tuple[float, float], height: float, style: Mark, seeds: float
) -> None:
    """A mean and its interval at one height."""
    if not np.isnan(ends[0]):
        axis.plot(ends, [height] * 2, marker="|", **_bar(style))
    axis.plot([mean], [height], linestyle="", zorder=4, **marker_style(style, seeds))


def draw_vertical(axis: Axes, place: float, mean: float, ends: tuple[float, float], style: Mark, seeds: float) -> None:
    """Draw a mean and its interval at one place of the x axis. NaN ends: no interval."""
    if not np.isnan(ends[0]):
        axis.plot([place] * 2, ends, marker="_", **{**_bar(style), "markersize": CAP - 1})
    axis.plot([place], [mean], linestyle="", zorder=4, **marker_style(style, seeds))


def _bar(style: Mark) -> dict[str, Any]:
    return {
        "color": style.colour, "linewidth": 1.7, "markersize": CAP, "markeredgewidth": 1.1, "zorder": 3,
        "solid_capstyle": "butt",
    }  # fmt: skip


def offsets(count: int, points: float = 5) -> list[float]:
    """How far from their common value so many marks are drawn, in points, so that none hides another."""
    return [(number - (count - 1) / 2) * points for number in range(count)]


def seed_handles(seeds: pd.Series) -> list[Line2D]:
    """Handles of a legend that say what hollow and filled marks mean; each only where the figure has such marks."""
    few = seeds < ENOUGH
    handles = []
    for counts, filled in ((seeds[few], False), (seeds[~few], True)):
        if len(counts):
            words = f"{'filled' if filled else 'hollow'}: {count(counts, 'seed')}"
            style = marker_style(Mark(theme.QUIET, "o"), ENOUGH if filled else 0)
            handles.append(Line2D([], [], linestyle="", label=words, **style))
    return handles


def method_handle(style: Mark, label: str) -> Line2D:
    """A method in the legend."""
    return Line2D([], [], linewidth=1.7, label=label, **marker_style(style))


def dot_handle(label: str, **own: Any) -> Line2D:
    """A pale point in the legend."""
    plain = {"marker": "o", "color": theme.QUIET, "markersize": 3.5, "markeredgewidth": 0, "alpha": 0.5}
    return Line2D([], [], **{**plain, **own}, linestyle="", label=label)


def add_legend(figure: Drawing, handles: Sequence[Artist]) -> None:
    """Add a legend above the panels, in as many columns as there is room for."""
    inches = [0.55 + 0.07 * len(str(item.get_label())) for item in handles]
    room = figure.get_size_inches()[0]
    columns = next((many for many in range(len(handles), 1, -1) if _legend_width(inches, many) < room), 1)
    figure.legend(handles=handles, loc="outside upper left", ncols=columns, handletextpad=0.5, columnspacing=1.4)


def _legend_width(inches: Sequence[float], columns: int) -> float:
    """How wide a legend of so many columns is, filled one after the other; from the widths of its entries."""
    long = -(-len(inches) // columns)
    return sum(max(inches[start : start + long]) for start in range(0, len(inches), long))
