"""The picker over stored results: whom it offers, and that each method is drawn beside the first one alone."""

import ipywidgets
import numpy as np
import pytest
from synthetic_study import METHODS, make

from masktune.analysis.answers import blocks
from masktune.analysis.comparisons import numbers, picker
from masktune.analysis.plotting import live
from masktune.analysis.plotting.theme import Drawing
from masktune.study.execute.execution import UNATTENDED

OURS, OTHERS = "Mask-tuning", ["R-Drop", "early stop"]


@pytest.fixture(scope="module")
def against():
    others = [(label, "r_drop", {}, np.nan, np.nan) for label in OTHERS]
    answered = blocks(*make(tasks=("sentiment", "inference"), seeds=3, examples=24, methods=[*METHODS, *others]))
    return numbers.against(answered, "fine-tuning", [OURS, *OTHERS, "never run"])


def drawn(figure):
    """The differences that a figure's marks lie at."""
    return sorted(line.get_xdata()[0] for axis in figure.axes for line in axis.lines if len(line.get_xdata()) == 1)


@pytest.mark.parametrize("beside", [*OTHERS, OURS, "never run"])
def test_two_methods_are_drawn_and_no_third(against, beside):
    rows = against[against["second"].isin([OURS, beside])]
    figure = picker.compare(against, OURS, beside)
    assert drawn(figure) == sorted(rows["difference"])
    assert all((f"{label}: " in figure.alt) == (label in set(rows["second"])) for label in [OURS, *OTHERS])


def test_the_axes_have_room_for_all_and_are_the_same_for_every_method(against):
    figures = [picker.compare(against, OURS, beside) for beside in OTHERS]
    (low, high), *same = {axis.get_xlim() for figure in figures for axis in figure.axes}
    assert low < against["low"].min() and against["high"].max() < high and not same


def test_the_list_has_every_other_method_that_ran_and_draws_the_one_that_is_picked(against):
    chooser, picture = picker.picker(against, OURS).children
    assert list(chooser.options) == OTHERS
    for label in OTHERS:
        chooser.value = label
        assert picture.value == live.image(picker.compare(against, OURS, label))


def test_a_reader_gets_the_figure_and_below_it_the_picker(against, shown):
    picker.show(against, OURS, "R-Drop")
    assert [type(item) for item in shown] == [Drawing, ipywidgets.VBox]


@pytest.mark.parametrize("without", ["reader", "others", "runs"])
def test_without_a_reader_or_a_choice_the_figure_stands_alone(against, shown, monkeypatch, without):
    if without == "reader":
        monkeypatch.setenv(UNATTENDED, "1")
    rows = {"others": against[against["second"] == OURS], "runs": against.iloc[:0]}.get(without, against)
    picker.show(rows, OURS, "R-Drop")
    assert [type(item) for item in shown] == [Drawing]
