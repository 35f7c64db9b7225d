import pytest
from matplotlib import pyplot

from masktune.course import picture
from masktune.errors import MaskTuneError


@pytest.fixture
def axis():
    axis = pyplot.figure(figsize=(3, 2)).subplots()
    yield axis
    pyplot.close("all")


def test_a_picture_has_its_text_and_the_figure_is_closed(axis):
    png, about = picture(axis, "The line rises from 1 to 2.")._repr_png_()
    assert png.startswith(b"\x89PNG") and about["alt"] == "The line rises from 1 to 2."
    assert 200 < about["width"] < 400
    assert not pyplot.get_fignums()


@pytest.mark.parametrize("alt", ["", "A figure.", "x" * 301])
def test_a_text_that_says_nothing_or_too_much_is_refused(axis, alt):
    with pytest.raises(MaskTuneError, match="say what the figure shows"):
        picture(axis, alt)
