"""How a lesson shows a figure: as a picture, with a text that says what is on it to those who cannot see it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from masktune.analysis.plotting.alt_text import LONGEST
from masktune.analysis.plotting.live import image
from masktune.errors import MaskTuneError

_DOTS = 160  # an inch
_SCREEN = 96


class Picture:
    """A finished picture, PNG, and `alt`, what it shows in a sentence or two."""

    def __init__(self, png: bytes, alt: str) -> None:
        self.png, self.alt = png, alt

    @property
    def width(self) -> int:
        """How wide it is shown, in pixels of a screen."""
        return int.from_bytes(self.png[16:20], "big") * _SCREEN // _DOTS

    # What IPython asks for. JupyterLab shows the HTML, for it leaves out the text of a PNG; a site takes the PNG.
    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        return self.png, {"width": self.width, "alt": self.alt}

    def _repr_html_(self) -> str:
        return image(self)


def picture(axis: Any, alt: str) -> Picture:
    """The figure of a matplotlib axis as a picture; the figure itself is closed, so that it is shown once.

    `alt` says what a reader finds in the figure, with its numbers, in at most 300 characters. Raises MaskTuneError
    where it says nothing or too much.
    """
    from matplotlib import pyplot

    if not 20 <= len(alt) <= LONGEST:
        raise MaskTuneError(f"alt {alt!r} has {len(alt)} characters; say what the figure shows in 20 to {LONGEST}")
    png = BytesIO()
    axis.figure.savefig(png, format="png", bbox_inches="tight", dpi=_DOTS, metadata={"Software": None})
    pyplot.close(axis.figure)
    return Picture(png.getvalue(), alt)
