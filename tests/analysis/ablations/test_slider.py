"""The slider over stored results: what each of its values draws, and that nobody gets one who cannot move it."""

import itertools

import ipywidgets
import pytest
from synthetic_study import METHODS, make

from masktune.analysis import ablations
from masktune.analysis.ablations import slider
from masktune.analysis.answers import blocks
from masktune.analysis.plotting import live
from masktune.analysis.plotting.theme import Drawing
from masktune.study.execute.execution import UNATTENDED

pytestmark = pytest.mark.slow

PAIRS = [*itertools.product((0.2, 0.6), (0.01, 0.05, 0.15)), (0.8, 0.15), (0.6, 0.1)]


@pytest.fixture(scope="module")
def swept():
    """Alpha by masking rate: three rates with two or three values of alpha, a fourth (0.1) with one."""
    grid = [
        (f"alpha {alpha}, rate {rate}", "mask_tuning", {"alpha": alpha, "mask_rate": rate}, alpha, rate)
        for alpha, rate in PAIRS
        if (alpha, rate) != (0.6, 0.05)
    ]
    runs, predictions = make(tasks=("inference",), seeds=3, examples=24, methods=[*METHODS, *grid])
    runs.loc[~runs["label"].isin([row[0] for row in METHODS]), "part"] = "ablation"
    return ablations.numbers.sweep(ablations.numbers.variants(blocks(runs, predictions), runs), "alpha", "mask_rate")


def marked(axis, like):
    """The heights of the marks that look as one in the legend does."""
    look = (like.get_color(), like.get_marker())
    lines = (line for line in axis.lines if (line.get_color(), line.get_marker()) == look)
    return [height for line in lines for height in line.get_ydata()]


def differences(figure):
    """Of each panel: title, and the drawn differences of each set."""
    by_title = {}
    for axis in figure.axes:
        legend = zip(*axis.get_legend_handles_labels(), strict=True)
        by_title[axis.get_title(loc="left")] = {name: marked(axis, line) for line, name in legend}
    return by_title


def test_a_panel_shows_the_rows_of_its_value_and_a_value_alone_its_own_panel(swept):
    together = differences(ablations.figures.slices(swept, "alpha", "mask_rate"))
    assert list(together) == [f"Inference, BERT: masking rate {rate}" for rate in (0.01, 0.05, 0.15)]
    for rate in (0.01, 0.05, 0.15):
        title = f"Inference, BERT: masking rate {rate}"
        rows = swept[(swept["mask_rate"] == rate) & (swept["set"] == "heuristics")].sort_values("alpha")
        assert together[title]["heuristics"] == rows["difference"].to_list()
        assert differences(ablations.figures.slices(swept, "alpha", "mask_rate", only=rate)) == {title: together[title]}


def test_the_axes_are_the_same_for_every_value(swept):
    figures = [ablations.figures.slices(swept, "alpha", "mask_rate", only=rate) for rate in (None, 0.01, 0.15)]
    axes = [axis for figure in figures for axis in figure.axes]
    assert len({(axis.get_xlim(), axis.get_ylim()) for axis in axes}) == 1
    assert [[label.get_text() for label in axis.get_xticklabels()] for axis in axes] == [["0.2", "0.6", "0.8"]] * 5
    low, high = axes[0].get_ylim()
    assert low < swept["low"].min() and swept["high"].max() < high


def test_the_slider_begins_at_the_base_and_draws_each_value(swept):
    chooser, picture = slider.slider(swept, "alpha", "mask_rate").children
    assert (chooser.value, [value for _, value in chooser.options]) == (0.05, [0.01, 0.05, 0.15])
    for _, value in chooser.options:
        chooser.value = value
        assert picture.value == live.image(ablations.figures.slices(swept, "alpha", "mask_rate", only=value))


def test_a_reader_gets_the_figure_and_below_it_the_slider(swept, shown):
    slider.show(swept, "alpha", "mask_rate")
    assert [type(item) for item in shown] == [Drawing, ipywidgets.VBox]
    assert len(shown[0].axes) == 3


@pytest.mark.parametrize("without", ["reader", "values"])
def test_without_a_reader_or_a_choice_the_figure_stands_alone(swept, shown, monkeypatch, without):
    if without == "reader":
        monkeypatch.setenv(UNATTENDED, "1")
    rows = swept[swept["mask_rate"] == 0.05] if without == "values" else swept
    slider.show(rows, "alpha", "mask_rate")
    assert [type(item) for item in shown] == [Drawing]


def test_a_study_without_the_grid_has_an_empty_figure(swept, shown):
    slider.show(swept.iloc[:0], "alpha", "mask_rate")
    assert [type(item) for item in shown] == [Drawing] and "masking rate" in shown[0].alt
