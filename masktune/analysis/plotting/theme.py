"""One look for every figure: a seaborn theme, a palette, and for each method a fixed colour and a fixed marker.

Colours differ in lightness as well as in hue, and markers in shape, so that a figure survives a grey printer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

INK = "#22272e"
QUIET = "#6b7280"
FAINT = "#d7dbe0"
BAND = "#f5f6f8"


@dataclass(frozen=True)
class Mark:
    """How a method is drawn in every figure."""

    colour: str
    marker: str


# From dark to light: CIE lightness about 28, 62, 45, 75, 55, 82.
_FIXED = {"fine-tuning": Mark("#2f4368", "o"), "Mask-tuning": Mark("#e8833a", "D")}
_MORE = (Mark("#1f7a6d", "s"), Mark("#8fc1e3", "^"), Mark("#a8577e", "v"), Mark("#e3c567", "P"), Mark("#7d7f86", "X"))


# For what is no method: the sets of a panel.
SERIES = (Mark("#1f7a6d", "s"), Mark("#a8577e", "v"), Mark("#8a6d1f", "o"), Mark("#4b7fb5", "^"), Mark("#7d7f86", "X"))


def mark(method: str, methods: list[str]) -> Mark:
    """The colour and marker of a method; those without one of their own take the next free, in the study's order.

    The only variant of a method, such as "Mask-tuning (epochs 40)", looks as the method does.
    """
    fixed = {name: _FIXED[own] for name in [method, *methods] if (own := _looks_like(name, methods)) in _FIXED}
    if method in fixed:
        return fixed[method]
    others = [name for name in methods if name not in fixed]
    return _MORE[others.index(method) % len(_MORE)]


def _looks_like(name: str, methods: list[str]) -> str:
    """The method that a name is the only variant of, among these; else the name."""
    method = name.partition(" (")[0]
    return method if {other for other in methods if other.partition(" (")[0] == method} <= {name} else name


def luminance(colour: str | tuple[float, float, float]) -> float:
    """The relative luminance of a colour, 0 (black) to 1 (white), as WCAG 2 has it."""
    from matplotlib.colors import to_rgb

    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in to_rgb(colour)]
    return sum(share * value for share, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: float, other: float) -> float:
    """The contrast of two luminances, 1 to 21; text needs 4.5."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


@contextmanager
def apply_theme() -> Iterator[None]:
    """The look of all figures, inside the block. With it the same figure gives the same SVG, byte for byte."""
    import matplotlib as mpl
    import seaborn

    look: Any = {
        "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold",
        "axes.titlelocation": "left", "axes.labelsize": 9, "axes.labelcolor": QUIET, "axes.edgecolor": FAINT,
        "axes.linewidth": 0.8, "axes.titlecolor": INK, "grid.color": "#eceef1", "grid.linewidth": 0.8,
        "text.color": INK, "xtick.color": QUIET, "ytick.color": INK, "xtick.labelcolor": QUIET, "ytick.labelcolor": INK,
        "xtick.labelsize": 8.5, "ytick.labelsize": 8.5, "legend.frameon": False, "legend.fontsize": 8.5,
        "figure.facecolor": "white", "svg.hashsalt": "masktune", "svg.fonttype": "path",
    }  # fmt: skip
    with mpl.rc_context(), seaborn.axes_style("whitegrid"):
        mpl.rcParams.update(look)
        yield


class Drawing(Figure):
    """A figure that belongs to no window and shows itself in a notebook; `alt` describes what it shows."""

    alt = ""

    def _repr_png_(self) -> tuple[bytes, dict]:
        picture = BytesIO()
        with apply_theme():
            self.savefig(
                picture, format="png", bbox_inches="tight", pad_inches=0.08, dpi=160, metadata={"Software": None}
            )
        width = int.from_bytes(picture.getvalue()[16:20], "big")
        return picture.getvalue(), {"width": width * 96 // 160, "alt": self.alt}


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write `<name>.svg` and `<name>.png` (200 dots an inch), without dates."""
    paths = [folder / f"{name}.svg", folder / f"{name}.png"]
    with apply_theme():
        figure.savefig(paths[0], bbox_inches="tight", pad_inches=0.08, metadata={"Date": None})
        figure.savefig(paths[1], bbox_inches="tight", pad_inches=0.08, dpi=200, metadata={"Software": None})
    return paths
