"""What all figures share: panels in lines of three, intervals that are seen, marks that tell few seeds from many.

A hollow mark rests on fewer seeds than a sign-flip test needs to reach 0.05, a filled one on enough; the legend says
how many.
"""

import textwrap
from collections.abc import Callable, Sequence
from numbers import Number

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from masktune.analysis.formatting import MINUS, count
from masktune.analysis.plotting import theme
from masktune.analysis.plotting.theme import Drawing, Mark
from masktune.study.spec.claims import LEVEL, seeds_needed

ENOUGH = seeds_needed(LEVEL)  # seeds
NOTHING = "no finished runs"
CONVENTION = (
    f"A hollow mark rests on fewer than {ENOUGH} seeds, too few for a test at {LEVEL:g}, a filled one on enough."
)
A_LINE = 3  # panels
CAP = 10  # points: an interval that is narrower than its mark still shows at both sides of it
_SIZES = {"D": 4.6, "s": 5.0, "^": 5.6, "v": 5.6, "P": 5.6, "X": 5.6}  # points; "o" has 5.6 too, by its diameter


def side_by_side(panels: int, width: float = 3.4, height: float = 3.1, **shared: object) -> tuple[Drawing, list[Axes]]:
    """A figure with so many panels, three in a line; at least one. Width and height of a panel are in inches."""
    panels = max(1, panels)
    columns = min(A_LINE, panels)
    lines = -(-panels // columns)
    # A panel alone is wider: its legend needs the room.
    figure = Drawing(figsize=(0.6 + width * max(columns, 1.3), height * lines), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False, **shared)
    for axis in axes.flat[panels:]:
        axis.set_axis_off()
    return figure, list(axes.flat[:panels])


def nothing(axis: Axes, words: str = NOTHING) -> None:
    """An empty panel that says why."""
    axis.text(0.5, 0.5, words, transform=axis.transAxes, ha="center", va="center", color=theme.QUIET)
    axis.tick_params(axis="both", length=0, labelleft=False)
    axis.grid(visible=False)


def alone(words: str, alt: str = "") -> Drawing:
    """A figure of words alone, where nothing can be drawn."""
    with theme.applied():
        figure = Drawing(figsize=(5.0, 0.5))
        figure.text(0, 0.5, words, color=theme.QUIET)
    figure.alt = alt or words
    return figure


def note(figure: Drawing, words: str) -> None:
    """Words below the panels: what is not there. Nothing where there are none."""
    if words:
        letters = int(15 * figure.get_size_inches()[0])
        shown = "\n".join(textwrap.wrap(words, letters))
        figure.supxlabel(shown, x=0.01, ha="left", fontsize=8, color=theme.QUIET)


# ---- marks and intervals


def look(style: Mark, seeds: float = ENOUGH) -> dict[str, object]:
    """How the mark of a mean over so many seeds is drawn."""
    few = seeds < ENOUGH
    return {
        "marker": style.marker, "color": style.colour, "markersize": _SIZES.get(style.marker, 5.6),
        "markerfacecolor": "white" if few else style.colour, "markeredgecolor": style.colour if few else "white",
        "markeredgewidth": 1.4 if few else 0.8,
    }  # fmt: skip


def across(axis: Axes, mean: float, ends: tuple[float, float], height: float, style: Mark, seeds: float) -> None:
    """A mean and its interval at one height."""
    if not np.isnan(ends[0]):
        axis.plot(ends, [height] * 2, marker="|", **_bar(style))
    axis.plot([mean], [height], linestyle="", zorder=4, **look(style, seeds))


def upright(axis: Axes, place: float, mean: float, ends: tuple[float, float], style: Mark, seeds: float) -> None:
    """A mean and its interval at one place of the x axis."""
    if not np.isnan(ends[0]):
        axis.plot([place] * 2, ends, marker="_", **{**_bar(style), "markersize": CAP - 1})
    axis.plot([place], [mean], linestyle="", zorder=4, **look(style, seeds))


def _bar(style: Mark) -> dict[str, object]:
    return {
        "color": style.colour, "linewidth": 1.7, "markersize": CAP, "markeredgewidth": 1.1, "zorder": 3,
        "solid_capstyle": "butt",
    }  # fmt: skip


def asides(count: int, points: float = 5) -> list[float]:
    """How far so many marks at one value stand from it, in points."""
    return [(number - (count - 1) / 2) * points for number in range(count)]


def of_seeds(seeds: pd.Series) -> list[Line2D]:
    """What hollow and filled marks mean, for a legend; each where it is in the figure."""
    few = seeds < ENOUGH
    handles = []
    for part, filled in ((seeds[few], False), (seeds[~few], True)):
        if len(part):
            words = f"{'filled' if filled else 'hollow'}: {count(part, 'seed')}"
            style = look(Mark(theme.QUIET, "o"), ENOUGH if filled else 0)
            handles.append(Line2D([], [], linestyle="", label=words, **style))
    return handles


def handle(style: Mark, label: str) -> Line2D:
    """A method in the legend."""
    return Line2D([], [], linewidth=1.7, label=label, **look(style))


def dot(label: str, **own: object) -> Line2D:
    """A pale point in the legend."""
    plain = {"marker": "o", "color": theme.QUIET, "markersize": 3.5, "markeredgewidth": 0, "alpha": 0.5}
    return Line2D([], [], **{**plain, **own}, linestyle="", label=label)


def legend(figure: Drawing, handles: Sequence[Line2D]) -> None:
    """Above the panels, in as many columns as there is room for."""
    inches = [0.55 + 0.07 * len(item.get_label()) for item in handles]
    room = figure.get_size_inches()[0]
    columns = next((many for many in range(len(handles), 1, -1) if _wide(inches, many) < room), 1)
    figure.legend(handles=handles, loc="outside upper left", ncols=columns, handletextpad=0.5, columnspacing=1.4)


def _wide(inches: Sequence[float], columns: int) -> float:
    """How wide a legend is that has so many columns, filled one after the other."""
    long = -(-len(inches) // columns)
    return sum(max(inches[start : start + long]) for start in range(0, len(inches), long))


# ---- the x axis of a setting


class Places:
    """Where the values of a setting stand on the x axis.

    Numbers stand at their size, on a logarithmic axis where each is a multiple of the one before; everything else
    stands side by side in its order.
    "all" (no number of examples) stands one step after the last number, and no line leads to it.
    """

    WIDTH = 2.6  # inches of the axis, about

    def __init__(self, column: pd.Series, value_of: Callable[[object], str], log: bool | None = None):
        known = sorted(column.dropna().unique(), key=lambda value: (isinstance(value, str), value))
        self.is_number = bool(known) and all(isinstance(value, Number) for value in known)
        self.log = self.is_number and (_geometric(known) if log is None else log)
        self._at = dict(zip(known, known if self.is_number else range(len(known)), strict=True))
        self._all = self._after(known) if column.isna().any() else None
        self.ticks = [*self._at.values()] + ([self._all] if self._all is not None else [])
        self.labels = [value_of(value) for value in known] + (["all"] if self._all is not None else [])
        ends = np.log(self.ticks) if self.log else np.array(self.ticks, dtype=float)
        room = 0.1 * np.ptp(ends) if self.is_number and len(ends) > 1 else 0.6
        self._low, self._high = float(ends.min() - room), float(ends.max() + room)

    def _after(self, known: list) -> float:
        if not self.is_number:
            return len(known)
        last, before = known[-1], known[-2] if len(known) > 1 else known[-1] / 2
        return last * last / before if self.log else last + (last - before)

    def of(self, value: object, aside: float = 0) -> float:
        """Where a value stands, or what is drawn so many points beside it."""
        place = self._all if pd.isna(value) else self._at[value]
        moved = aside / 72 / self.WIDTH * (self._high - self._low)
        return place * float(np.exp(moved)) if self.log else place + moved

    def joined(self, value: object) -> bool:
        """Whether a line may lead to it."""
        return self.is_number and not pd.isna(value)

    def draw(self, axis: Axes) -> bool:
        """The ticks, their labels and the limits of an axis; whether the labels take a second line."""
        if self.log:
            axis.set_xscale("log")
            axis.minorticks_off()
        axis.set_xlim(*(np.exp([self._low, self._high]) if self.log else (self._low, self._high)))
        places = np.log(self.ticks) if self.log else np.array(self.ticks, dtype=float)
        shown = _apart(self.labels, (places - self._low) / (self._high - self._low) * self.WIDTH)
        axis.set_xticks(self.ticks, shown)
        return any(label.startswith("\n") for label in shown)


def _geometric(known: list) -> bool:
    """Whether the values grow by about the same factor each, as 128, 256, 512 do."""
    if len(known) < 2 or known[0] <= 0:
        return False
    steps = np.diff(np.log(np.array(known, dtype=float)))
    return bool(steps.max() <= 1.3 * steps.min() and steps.min() > np.log(1.5))


def _apart(labels: Sequence[str], inches: np.ndarray) -> list[str]:
    """The same labels, in a second line where one would touch the one before it; a label that comes again is not."""
    end, shown = -np.inf, []
    for label, middle in zip(labels, inches, strict=True):
        if label in (text.strip() for text in shown):
            shown.append("")
            continue
        half = 0.036 * len(label)
        touches = middle - half < end + 0.06
        shown.append(f"\n{label}" if touches else label)
        end = end if touches else middle + half
    return shown


def signed(value: float, _: int = 0) -> str:
    """A tick of an axis of differences."""
    return f"{value:+g}".replace("-", MINUS) if value else "0"
