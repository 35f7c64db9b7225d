import numpy as np
import pandas as pd
import pytest
from synthetic_study import METHODS, make

from masktune.analysis import results
from masktune.analysis.accuracy import figures, tables
from masktune.analysis.plotting import theme

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(gathered):
    return results.of(*gathered)


def marks(axis, label):
    style = theme.mark(label, [label])
    return [line for line in axis.lines if (line.get_color(), line.get_marker()) == (style.colour, style.marker)]


def test_every_seed_is_drawn(found):
    figure = figures.accuracies(found.seeds, found.main)
    drawn = sum(len(points.get_offsets()) for axis in figure.axes for points in axis.collections)
    assert drawn == len(found.seeds[found.seeds["kind"] != "companion"])


def test_means_are_drawn_where_they_are(found):
    axis = figures.accuracies(found.seeds, found.main).axes[0]
    drawn = sorted(line.get_xdata()[0] for line in marks(axis, "Mask-tuning"))
    expected = found.main.query("task == 'sentiment' and method == 'Mask-tuning'")["accuracy"]
    assert drawn == pytest.approx(sorted(expected))


def test_axes_have_units(found):
    drawn = [*found.figures().values(), figures.predicted(found.differences, {"sentiment": 2.0})]
    for figure in drawn:
        labels = [axis.get_xlabel() for axis in figure.axes if axis.get_xlabel()]
        assert labels and all("(%)" in label or "(points)" in label for label in labels)
        assert figure.alt


def test_methods_differ_in_marker_and_in_grey():
    methods = ["fine-tuning", "Mask-tuning", "third", "fourth"]
    styles = [theme.mark(method, methods) for method in methods]
    assert len({style.marker for style in styles}) == len(styles)
    rgb = np.array([[int(style.colour[i : i + 2], 16) for i in (1, 3, 5)] for style in styles])
    grey = np.sort(rgb @ [0.299, 0.587, 0.114])
    assert np.diff(grey).min() > 20


def test_a_method_keeps_its_mark_whoever_is_beside_it():
    assert theme.mark("Mask-tuning", ["Mask-tuning"]) == theme.mark("Mask-tuning", ["fine-tuning", "x", "Mask-tuning"])


def test_one_model_one_task_three_methods_one_seed():
    methods = [*METHODS, ("third", *METHODS[1][1:])]
    alone = results.of(*make(tasks=("sentiment",), seeds=1, examples=20, methods=methods))
    drawn = alone.figures()
    assert len(drawn["main"].axes) == 1
    points = [line for line in drawn["differences"].axes[0].lines if line.get_marker() in ("D", "s")]
    assert len(points) == len(alone.differences) == 6


def test_learning_curve_has_a_panel_for_each_loss():
    log = [
        {"step": 10, "loss": 1.0, "loss_mlm": 3.0},
        {"step": 20, "loss": 0.5, "loss_mlm": 2.0},
        {"step": 20, "eval_loss": 1},
    ]
    figure = figures.learning_curve({0: log, 1: log})
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["Joint loss", "Masked-LM loss"]
    assert figure.axes[1].lines[-1].get_ydata().tolist() == [3.0, 2.0]


def test_cell_accuracies_draws_each_seed():
    runs = pd.DataFrame({"seed": [0, 1, 2], "accuracy/a": [0.5, 0.6, 0.7], "accuracy/b": [np.nan] * 3})
    figure = figures.cell_accuracies(runs)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a"]
    assert len(figure.axes[0].collections[0].get_offsets()) == 3


def test_single_runs_have_wilson_intervals():
    row = {"set": "validation", "kind": "in_distribution", "method": "fine-tuning", "examples": 100, "accuracy": 0.9}
    axis = figures.single_runs(pd.DataFrame([row])).axes[0]
    interval = next(line.get_xdata() for line in axis.lines if len(line.get_xdata()) == 2)
    assert list(interval) == pytest.approx([82.56, 94.48], abs=0.01)


def test_figures_show_themselves_in_notebooks(found):
    picture, metadata = figures.differences(found.differences)._repr_png_()
    assert picture.startswith(b"\x89PNG") and metadata["alt"] and metadata["width"] > 300


def test_with_one_method_there_is_nothing_to_compare_and_no_error():
    alone = results.of(*make(tasks=("paraphrase",), seeds=2, examples=20, methods=METHODS[1:]))
    assert "Nothing to compare" in figures.differences(alone.differences).alt
    assert "Nothing to compare" in figures.predicted(alone.differences, {"paraphrase": 1.0}).alt
    assert alone.differences_table.shown.empty and "no paired seeds" in alone.differences_table.caption


def test_a_row_that_did_not_train_is_crossed_out_and_named(found):
    """By the study's gates; without gates nothing is marked."""
    plain = figures.accuracies(found.seeds, found.main)
    failed = (found.main["method"] == "Mask-tuning") & (found.main["task"] == found.main["task"].iloc[0])
    judged = found.main.assign(trained=~failed)
    drawn, shown = figures.accuracies(found.seeds, judged), tables.main(judged).shown["Mask-tuning"]
    crosses = [line for axis in drawn.axes for line in axis.lines if line.get_marker() == "x"]
    assert sum(len(line.get_xdata()) for line in crosses) == failed.sum() > 0
    legends = [[text.get_text() for text in figure.legends[0].texts] for figure in (plain, drawn)]
    assert ["did not train" in legend for legend in legends] == [False, True]
    assert "Mask-tuning did not train: " in drawn.alt and "did not train" not in plain.alt
    assert shown.str.endswith("(did not train)").sum() == failed.sum()
