"""Figures for light pages and for dark ones: the same drawing, its colours turned over.

Figures are drawn on white. On a dark page the lightness of each colour is turned over and its hue kept: white becomes
the page, ink becomes light, a method's blue or orange stays blue or orange. SVG is turned colour by colour, a bitmap
pixel by pixel; blends of two colours come out as blends.
"""

import re
from functools import cache
from html import escape
from io import BytesIO

import numpy as np

PAPER = (0x16 / 255, 0x19 / 255, 0x1D / 255)  # the ground of dark pages, `--color-background-primary` of style.css
INK = (0.93, 0.94, 0.95)  # what black becomes

_LIFT = 0.85  # below 1: what is neither page nor ink comes out a little lighter, as it is seen on dark grounds
_HEX = re.compile(rb"#[0-9a-fA-F]{6}\b")


def darkened(colours: np.ndarray) -> np.ndarray:
    """Colours [..., 3] between 0 and 1, as they are on a dark page.

    >>> [round(float(value), 2) for value in darkened(np.array([1.0, 1.0, 1.0]))]  # white is the page
    [0.09, 0.1, 0.11]
    """
    turned = colours + 1 - colours.max(-1, keepdims=True) - colours.min(-1, keepdims=True)
    turned = turned.clip(0, 1)  # it may be off by the last digit, and below 0 there is no power
    paper, ink = np.array(PAPER), np.array(INK)
    return paper + turned**_LIFT * (ink - paper)


def dark_svg(drawing: bytes) -> bytes:
    """An SVG file with every colour turned over. matplotlib writes each as #rrggbb."""
    return _HEX.sub(lambda match: _dark_hex(match[0]), drawing)


@cache
def _dark_hex(colour: bytes) -> bytes:
    channels = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return b"#" + b"".join(b"%02x" % round(255 * value) for value in darkened(channels))


def dark_png(picture: bytes) -> bytes:
    """A PNG file with every pixel turned over; what is transparent stays so."""
    from matplotlib import image

    pixels = image.imread(BytesIO(picture))
    pixels[..., :3] = darkened(pixels[..., :3])
    made = BytesIO()
    image.imsave(made, pixels, format="png", metadata={"Software": "masktune"})
    return made.getvalue()


def images(light: str, dark: str, alt: str, width: int | None = None) -> str:
    """HTML of one figure of which two files are drawn; a page shows one of them. `alt` is escaped."""
    size = f' width="{width}"' if width else ""
    return "".join(
        f'<img class="only-{ground}" src="{escape(source)}" alt="{alt}"{size} loading="lazy">'
        for ground, source in (("light", light), ("dark", dark))
    )


def figure(light: str, dark: str, alt: str, width: int | None = None) -> str:
    """HTML of a figure in a frame that scrolls on a phone and that the keyboard reaches."""
    shown = images(light, dark, escape(alt), width)
    return f'<figure><div class="picture" tabindex="0" role="group" aria-label="Figure">{shown}</div></figure>'
