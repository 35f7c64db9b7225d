"""Figures on dark pages: what is read contrasts with the page as text must, and marks do at least as on paper."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib import image
from matplotlib.colors import to_hex, to_rgb

from masktune.analysis.plotting import theme
from masktune.site import pictures

WHITE = theme.luminance("white")
PAGE = theme.luminance(pictures.PAPER)
MARKS = [mark.colour for mark in (*theme._FIXED.values(), *theme._MORE, *theme.SERIES)]


def on_dark(colour):
    return tuple(pictures.darkened(np.array(to_rgb(colour))))


@pytest.mark.parametrize("colour", [theme.INK, theme.QUIET])
def test_text_can_be_read(colour):
    assert theme.contrast(theme.luminance(on_dark(colour)), PAGE) >= 4.5


@pytest.mark.parametrize("colour", MARKS)
def test_a_mark_is_seen_at_least_as_on_paper(colour):
    needed = min(3.0, theme.contrast(theme.luminance(colour), WHITE))
    assert theme.contrast(theme.luminance(on_dark(colour)), PAGE) >= needed


def test_methods_stay_apart():
    one, other = (theme.luminance(on_dark(mark.colour)) for mark in theme._FIXED.values())
    assert theme.contrast(one, other) > 1.3


def test_white_is_the_page_and_hues_stay():
    assert on_dark("white") == pytest.approx(pictures.PAPER)
    red, green, blue = on_dark("#e8833a")
    assert red > green > blue


def test_a_bitmap_comes_out_as_a_drawing_does():
    colours = ["#ffffff", "#2f4368", "#e8833a", "#6b7280"]
    drawn = pictures.dark_svg(" ".join(colours).encode()).decode().split()
    made = BytesIO()
    image.imsave(made, np.array([[to_rgb(colour) for colour in colours]]), format="png")
    turned = image.imread(BytesIO(pictures.dark_png(made.getvalue())))[0, :, :3]
    assert np.allclose(turned, [to_rgb(colour) for colour in drawn], atol=1.5 / 255)
    assert drawn[0] == to_hex(pictures.PAPER)


def test_every_colour_of_a_bitmap_becomes_one():
    """White and a strong colour that rounding takes past the ends, too: a PNG is read in 32 bits."""
    steps = np.linspace(0, 1, 52, dtype=np.float32)
    colours = np.stack(np.meshgrid(steps, steps, steps), -1)
    assert (colours + 1 - colours.max(-1, keepdims=True) - colours.min(-1, keepdims=True)).min() < 0
    turned = pictures.darkened(colours)
    assert np.isfinite(turned).all() and turned.min() >= 0 and turned.max() <= 1
