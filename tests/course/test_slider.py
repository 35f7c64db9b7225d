"""The slider of a lesson: a number is tried when it is chosen, once, and joins what was tried before."""

from types import SimpleNamespace

import pandas as pd
import pytest

from masktune.analysis.plotting import live
from masktune.course import slider
from masktune.course.figures import Picture
from masktune.study.execute.execution import UNATTENDED

PNG = b"\x89PNG" + bytes(12) + (640).to_bytes(4, "big")


@pytest.fixture
def tried():
    """The numbers that were tried live, and the tables that were drawn."""
    return SimpleNamespace(numbers=[], drawn=[])


@pytest.fixture
def box(tried):
    def trial(value):
        tried.numbers.append(value)
        return {"rate": value, "changed": 100 * value}

    def draw(table):
        tried.drawn.append(table)
        return Picture(PNG, f"{len(table)} points")

    before = pd.DataFrame({"rate": [0.5, 1.0], "changed": [0.0, 90.0]})
    return slider.slider(trial, before, draw, [0.5, 0.7, 1.0], "rate")


def test_it_begins_with_what_was_tried_before(box, tried):
    chooser, said, picture = box.children
    assert chooser.value == 0.5 and not chooser.continuous_update
    assert said.value == "rate 0.5, changed 0" and picture.value == live.image(Picture(PNG, "2 points"))
    assert tried.numbers == [] and list(tried.drawn[-1]["rate"]) == [0.5, 1.0]


def test_a_number_is_tried_once_and_joins_in_order(box, tried):
    chooser, said, _ = box.children
    for value in (0.7, 1.0, 0.7):
        chooser.value = value
    assert tried.numbers == [0.7]
    assert list(tried.drawn[-1]["rate"]) == [0.5, 0.7, 1.0] and said.value == "rate 0.7, changed 70"


@pytest.mark.parametrize(("kernel", "unattended", "shown"), [(True, False, 1), (True, True, 0), (False, False, 0)])
def test_it_is_shown_to_a_reader_alone(monkeypatch, kernel, unattended, shown):
    displayed = []
    monkeypatch.setattr("IPython.display.display", displayed.append)
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=object()) if kernel else None)
    monkeypatch.delenv(UNATTENDED, raising=False)
    if unattended:
        monkeypatch.setenv(UNATTENDED, "1")
    before = pd.DataFrame({"rate": [0.5]})
    slider.show(lambda value: {"rate": value}, before, lambda table: Picture(PNG, "points"), [0.5], "rate")
    assert len(displayed) == shown
