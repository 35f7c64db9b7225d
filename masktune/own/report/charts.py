"""Pictures of a report as inline SVG and HTML: they take the page's colours, in light and dark, and a phone's width."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, HEIGHT = 400, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 10, 34
TICKS = 4
MOST_MARKS = 12
MARKS = ("circle", "diamond", "square", "triangle")  # a method is told by its mark too

STYLE = """
:root { --m0: #d1701f; --m1: #2f4368; --m2: #1f7a6d; --m3: #a8577e; --m4: #8a6d1f; --hit: 47, 95, 168; }
@media (prefers-color-scheme: dark) {
  :root { --m0: #f09a55; --m1: #9db8ea; --m2: #5cc0b0; --m3: #dc93b6; --m4: #d6b95e; --hit: 120, 165, 235; } }
svg.chart { display: block; width: 100%; max-width: 38rem; height: auto; font: 11px system-ui, sans-serif; }
svg.chart text { fill: var(--quiet); }
svg.chart .grid { stroke: var(--line); stroke-width: 1; }
svg.chart .zero { stroke: var(--quiet); stroke-width: 1.2; stroke-dasharray: 4 3; }
svg.chart .line { fill: none; stroke-width: 2; }
svg.chart .faint { opacity: .5; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .9rem; padding: 0; list-style: none; }
.legend svg { width: 1em; height: 1em; vertical-align: -.1em; margin-right: .4em; }
.intervals { max-width: 52rem; }
.findings { padding-left: 1.1rem; }
.interval { display: grid; grid-template-columns: 14rem 1fr 13.5rem; gap: .2rem 1rem; align-items: center;
  border-bottom: 1px solid var(--line); padding: .55rem 0; font-size: .92rem; }
.interval .value { font-variant-numeric: tabular-nums; }
.interval svg.chart { max-width: none; height: 26px; }
.interval small { color: var(--quiet); display: block; }
@media (max-width: 40rem) { .interval { grid-template-columns: 1fr; gap: .15rem; } }
table.confusion td { text-align: right; padding: .5rem .8rem; border: 1px solid var(--line); }
table.confusion thead th, table.confusion tbody th { padding: .4rem .8rem .4rem 0; }
table.confusion thead th + th { padding-left: .8rem; text-align: right; }
.changed del { color: var(--quiet); text-decoration-thickness: 1.5px; }
.changed ins { text-decoration: none; font-weight: 600; border-bottom: 2px solid var(--m0); }
.changed b { font-weight: 400; border-bottom: 2px dotted var(--quiet); }
.changed .of { color: var(--quiet); font-size: .86rem; display: block; }
.changed li { margin: .8rem 0; }
pre.command { background: var(--soft); padding: .8rem 1rem; border-radius: 8px; white-space: pre-wrap;
  overflow-wrap: anywhere; max-width: 46rem; }
"""


@dataclass(frozen=True)
class Line:
    """Points of one method, with the number of its colour and mark; `faint` where it is one seed of several."""

    points: Sequence[tuple[float, float]]
    number: int
    faint: bool = False

    @property
    def marked(self) -> bool:
        """Whether its points have marks: few of them, and of all seeds."""
        return not self.faint and len(self.points) <= MOST_MARKS


def lines(drawn: Sequence[Line], x_title: str, y_title: str, alt: str, percent: bool = False) -> str:
    """A chart of lines with marks at their points; `alt` says what it shows to who cannot see it."""
    points = np.array([point for line in drawn for point in line.points])
    low, high = points.min(0), points.max(0)
    ticks = round_ticks(float(low[1]), float(high[1]), percent)
    x = _scale(min(0.0, float(low[0])), float(high[0]), LEFT, WIDTH - RIGHT)
    y = _scale(ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP)
    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(alt)}">']
    for tick in ticks:
        parts.append(f'<path class="grid" d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{y(tick) + 4:.1f}" text-anchor="end">{_number(tick)}</text>')
    for tick in whole_ticks(float(high[0])):
        parts.append(f'<text x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{_number(tick)}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 3}" text-anchor="middle">{escape(x_title)}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(
        f'<text transform="rotate(-90 10 {middle})" x="10" y="{middle}" text-anchor="middle">{escape(y_title)}</text>'
    )
    for line in sorted(drawn, key=lambda line: not line.faint):
        parts.append(_line([(x(first), y(second)) for first, second in line.points], line))
    return "".join([*parts, "</svg>"])


def _line(points: Sequence[tuple[float, float]], line: Line) -> str:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    faint = " faint" if line.faint else ""
    marks = "" if not line.marked else "".join(mark(line.number, x, y, 4) for x, y in points)
    return f'<path class="line{faint}" style="stroke:var(--m{line.number % 5})" d="{path}"/>{marks}'


def mark(number: int, x: float, y: float, size: float) -> str:
    """The mark of a method, as SVG."""
    style = f'style="fill:var(--m{number % 5})"'
    match MARKS[number % len(MARKS)]:
        case "circle":
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" {style}/>'
        case "diamond":
            half = 1.3 * size
            return f'<path d="M{x:.1f} {y - half:.1f}l{half} {half}l{-half} {half}l{-half} {-half}z" {style}/>'
        case "square":
            return f'<rect x="{x - size:.1f}" y="{y - size:.1f}" width="{2 * size}" height="{2 * size}" {style}/>'
    return f'<path d="M{x:.1f} {y - size:.1f}l{size} {2 * size}h{-2 * size}z" {style}/>'


def legend(names: Sequence[str]) -> str:
    """The names of the methods beside their marks."""
    entries = [
        f'<li><svg viewBox="0 0 12 12" aria-hidden="true">{mark(number, 6, 6, 4)}</svg>{escape(name)}</li>'
        for number, name in enumerate(names)
    ]
    return f'<ul class="legend">{"".join(entries)}</ul>'


@dataclass(frozen=True)
class Interval:
    """A difference in points with its interval (None: there is none), what it is of, and a note."""

    name: str
    note: str
    mean: float
    ends: tuple[float, float] | None


def intervals(rows: Sequence[Interval]) -> str:
    """A bar for each interval on one axis around 0; on a phone the name stands above its bar."""
    reach = max([abs(end) for row in rows for end in (row.mean, *(row.ends or ()))] + [1.0]) * 1.08
    x = _scale(-reach, reach, 0, WIDTH)
    parts = []
    for row in rows:
        low, high = row.ends or (row.mean, row.mean)
        said = f"{signed(row.mean)} points" + (f", {signed(low)} to {signed(high)}" if row.ends else ", no interval")
        picture = (
            f'<svg class="chart" viewBox="0 0 {WIDTH} 26" preserveAspectRatio="none" aria-hidden="true">'
            f'<path class="grid" d="M0 13H{WIDTH}"/><path class="zero" d="M{x(0):.1f} 0V26"/>'
            f'<path d="M{x(low):.1f} 13H{x(high):.1f}" style="stroke:var(--m0);stroke-width:5;opacity:.55"/>'
            f'<rect x="{x(row.mean) - 2.5:.1f}" y="4" width="5" height="18" style="fill:var(--m0)"/></svg>'
        )
        parts.append(
            f'<div class="interval" role="listitem"><div>{escape(row.name)}<small>{escape(row.note)}</small></div>'
            f'{picture}<div class="value">{said}</div></div>'
        )
    return f'<div class="intervals" role="list">{"".join(parts)}</div>'


def confusion(counts: Sequence[Sequence[int]], names: Sequence[str]) -> str:
    """A table of counts by class (row) and answer (column), shaded by the share of the row."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    body = []
    for name, row in zip(names, counts, strict=True):
        total = max(sum(row), 1)
        cells = "".join(
            f'<td style="background:rgba(var(--hit),{0.55 * count / total:.2f})">{count:,}</td>' for count in row
        )
        body.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    return (
        '<table class="confusion"><caption>Rows: the class of the example. Columns: the answer of the model.</caption>'
        f'<thead><tr><th scope="col">class</th>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'
    )


def changed(pieces: Sequence[tuple[str, str | None]]) -> str:
    """A text as a method gave it to the classifier: struck what was replaced, underlined what was put there.

    A dotted line is under what was masked and came back as it was.
    """
    parts: list[str] = []
    for before, after in pieces:
        glued = before.startswith("##")
        old = escape(before.removeprefix("##"))
        if after is None:
            text = old
        elif after == before:
            text = f"<b>{old}</b>"
        else:
            new = escape(after.removeprefix("##"))
            text = f"<del>{old}</del>{'' if after.startswith('##') and glued else ' '}<ins>{new}</ins>"
        parts.append(text if glued and parts else f" {text}")
    return "".join(parts).strip()


def signed(points: float) -> str:
    """A number with its sign, and a minus that is as wide as a plus."""
    return f"{points:+.1f}".replace("-", "\N{MINUS SIGN}")


def round_ticks(low: float, high: float, percent: bool = False) -> list[float]:
    """About TICKS round numbers that span the values; per cent stay within 0 and 100."""
    span = max(high - low, 2.0 if percent else 1e-3 * max(abs(high), 1.0))
    raw = span / TICKS
    power = 10.0 ** np.floor(np.log10(raw))
    step = float(next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999))
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    ticks = [round(float(number * step), 10) for number in np.arange(first, last + 1)]
    return [tick for tick in ticks if not percent or 0 <= tick <= 100] or ticks


def whole_ticks(high: float) -> list[float]:
    """Whole numbers from 0, at most nine of them."""
    step = max(1, int(np.ceil(high / 8)))
    return [float(tick) for tick in range(0, int(high + 1e-6) + 1, step)]


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """The line on which `low` lies at `start` and `high` at `end`."""
    width = (high - low) or 1.0
    return lambda value: start + (value - low) / width * (end - start)


def _number(value: float) -> str:
    return f"{value:g}"
