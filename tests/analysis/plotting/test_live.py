"""What is drawn live: the figure of each value with its text, and only for somebody who can choose one."""

from types import SimpleNamespace

import ipywidgets
import pytest

from masktune.analysis.plotting import live, panels
from masktune.study.execute.execution import UNATTENDED


@pytest.mark.parametrize(("kernel", "unattended", "reader"), [(1, 0, True), (1, 1, False), (0, 0, False)])
def test_a_reader_has_a_kernel_that_nothing_executes_unattended(monkeypatch, kernel, unattended, reader):
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=object()) if kernel else None)
    monkeypatch.delenv(UNATTENDED, raising=False)
    if unattended:
        monkeypatch.setenv(UNATTENDED, "1")
    assert live.has_reader() is reader


def test_the_image_of_a_figure_says_what_it_shows():
    figure = panels.text_figure("Nothing.", 'Nothing <above> "zero"')
    html = live.image(figure)
    assert html.startswith('<img alt="Nothing &lt;above&gt; &quot;zero&quot;" width="')
    assert f'width="{figure._repr_png_()[1]["width"]}"' in html


def test_every_value_of_a_widget_draws_its_figure():
    chooser = ipywidgets.Dropdown(options=["one", "two"])
    above, below = live.redrawn(chooser, panels.text_figure).children
    assert above is chooser
    for word in ("one", "two", "one"):
        chooser.value = word
        assert below.value == live.image(panels.text_figure(word))
