from base64 import b64decode

import pytest
from matplotlib import pyplot

from masktune.course import picture
from masktune.errors import MaskTuneError


@pytest.fixture
def axis():
    pyplot.close("all")  # what other tests of this process have left open
    axis = pyplot.figure(figsize=(3, 2)).subplots()
    yield axis
    pyplot.close("all")


def test_a_picture_has_its_text_and_the_figure_is_closed(axis):
    made = picture(axis, 'The "line" rises from 1 to 2.')
    png, about = made._repr_png_()
    assert png.startswith(b"\x89PNG") and about == {"alt": 'The "line" rises from 1 to 2.', "width": made.width}
    assert 200 < made.width < 400
    html = made._repr_html_()
    assert html.startswith(
        f'<img alt="The &quot;line&quot; rises from 1 to 2." width="{made.width}" src="data:image/png'
    )
    assert b64decode(html.partition("base64,")[2].partition('"')[0]) == png
    assert not pyplot.get_fignums()


@pytest.mark.parametrize("alt", ["", "A figure.", "x" * 301])
def test_a_text_that_says_nothing_or_too_much_is_refused(axis, alt):
    with pytest.raises(MaskTuneError, match="say what the figure shows"):
        picture(axis, alt)
