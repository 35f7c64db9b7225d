"""What holds of every figure of the package: the same bytes twice, words that name what it shows, intervals seen."""

import re

import numpy as np
import pandas as pd
import pytest
from partial_study import MEASURED, partial
from synthetic_study import METHODS, make

from masktune.analysis import ablations, collapse, comparisons, cost, display, lengths, names, results, tuning
from masktune.analysis.accuracy import figures
from masktune.analysis.answers import blocks
from masktune.analysis.formatting import number
from masktune.analysis.plotting import alt_text, panels, theme
from masktune.analysis.plotting.lines import along_training
from masktune.analysis.plotting.marks import ENOUGH
from masktune.analysis.plotting.value_axis import ValueAxis

pytestmark = pytest.mark.slow

STEPS = (1, 20)


@pytest.fixture(scope="module")
def found():
    return results.of(*make(tasks=("sentiment", "paraphrase"), examples=40))


@pytest.fixture(scope="module")
def swept():
    grid = [(f"a {a} {r}", "mask_tuning", {"alpha": a, "mask_rate": r}, a, r) for a in (0.2, 0.8) for r in (0.05, 0.15)]
    runs, predictions = make(tasks=("inference",), seeds=3, examples=24, methods=[*METHODS, *grid])
    runs.loc[~runs["label"].str.contains("tuning"), "part"] = "ablation"
    return ablations.numbers.sweep(ablations.numbers.variants(blocks(runs, predictions), runs), "alpha", "mask_rate")


@pytest.fixture(scope="module")
def by_length():
    return lengths.numbers.by_length(partial("laptop", "nothing").found.blocks, "embedded", "fine-tuning")


@pytest.fixture(scope="module")
def collapsed():
    return partial("collapse", "nothing").found.collapse


HISTORY = pd.DataFrame([{"label": "ours", "seed": seed, "step": step, **MEASURED} for seed in (0, 1) for step in STEPS])
CELL = pd.DataFrame({"seed": [0, 1, 2], "accuracy/contrast": [0.5, 0.6, 0.7]})
TRIED = pd.DataFrame(
    [("fine-tuning", "bert", "inference", number, share) for number, share in ((1, 0.7), (2, 0.9))],
    columns=["label", "model", "task", "trial", "validation"],
)
SINGLE = {"set": "contrast", "kind": "in_distribution", "method": "fine-tuning", "examples": 100, "accuracy": 0.9}
# Each figure of the package, drawn anew, and a number of its frame that its words must hold.
DRAWN = {
    "accuracies": lambda of: (figures.accuracies(of("found").seeds, of("found").main), number(_best(of("found")))),
    "differences": lambda of: (figures.differences(of("found").differences), _most(of("found").differences)),
    "predicted": lambda of: (figures.predicted(of("found").differences, {"sentiment": 7.0}), "+7.0"),
    "learning_curve": lambda of: (figures.learning_curve({0: [{"step": 1, "loss": 0.75}]}), "0.75"),
    "cell_accuracies": lambda of: (figures.cell_accuracies(CELL), "60.0 %"),
    "single_runs": lambda of: (figures.single_runs(pd.DataFrame([SINGLE])), "90.0 %"),
    "sweep": lambda of: (ablations.figures.sweep(_first(of("swept")), "alpha"), _most(_first(of("swept")))),
    "slices": lambda of: (ablations.figures.slices(of("swept"), "alpha", "mask_rate"), _most(_first(of("swept")))),
    "heat_map": lambda of: (ablations.figures.heat_map(of("swept"), "alpha", "mask_rate"), _mean(of("swept"))),
    "along_training": lambda of: (along_training(HISTORY, ["cosine_mlm_classification"], ["cosine"]), "0.1"),
    "matrix": lambda of: (comparisons.figures.matrix(_contrasts(of("found"))), _most(_contrasts(of("found")))),
    "by_length": lambda of: (lengths.figures.lengths(of("by_length")), number(of("by_length")["accuracy"].iloc[0])),
    "collapse": lambda of: (
        collapse.figures.collapse(of("collapsed")),
        number(of("collapsed").losses["loss"].max(), True),
    ),
    "trials": lambda of: (tuning.figures.trials(TRIED, "bert", ["fine-tuning"]), "90.0 %"),
    "by_size": lambda of: (cost.figures.by_size(of("found").runs.assign(parameters=2e6)), "10.0"),
    "by_data": lambda of: (cost.figures.by_data(of("found").runs), "10.0"),
    "loss_terms": lambda of: (display.loss_terms(2.0, 0.5, 0.5), "1.25"),
}


def _largest_loss(found):
    inside = found.losses[found.losses["kind"] == "in_distribution"]
    return number(inside["loss"].max(), sign=True)


def _best(found):
    return found.main.query("kind == 'out_of_distribution' and method == 'fine-tuning'")["accuracy"].max()


def _most(frame):
    return number(frame.query("kind == 'out_of_distribution'")["difference"].max(), sign=True)


def _first(swept):
    return swept[swept["mask_rate"] == 0.05]


def _mean(swept):
    outside = swept.query("kind == 'out_of_distribution'")
    return number(outside.groupby(["alpha", "mask_rate"])["difference"].mean().max(), sign=True)


def _contrasts(found):
    return comparisons.numbers.against(found.blocks, "fine-tuning", ["Mask-tuning"])


@pytest.fixture
def of(request):
    return request.getfixturevalue


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_the_same_twice_and_its_words_hold_its_numbers(name, of, tmp_path):
    drawn = []
    for place in ("one", "two"):
        figure, value = DRAWN[name](of)
        assert value in figure.alt and len(figure.alt) <= alt_text.LONGEST
        (tmp_path / place).mkdir()
        drawn.append([path.read_bytes() for path in theme.save(figure, tmp_path / place, "figure")])
    assert drawn[0] == drawn[1]
    assert b"dc:date" not in drawn[0][0] and len(drawn[0][1]) > 1000


@pytest.mark.parametrize("name", DRAWN)
def test_text_stands_out_from_its_background(name, of):
    figure, _ = DRAWN[name](of)
    texts = [
        text for axis in figure.axes for text in [*axis.get_xticklabels(), *axis.get_yticklabels(), axis.xaxis.label]
    ]
    for text in texts:
        assert theme.contrast(theme.luminance(text.get_color()), theme.luminance("white")) >= 4.5
    for axis in figure.axes:
        for image in axis.images:
            for text in axis.texts:
                column, row = (int(place) for place in text.get_position())
                value = image.get_array()[row, column]
                tile = "white" if value is np.ma.masked else image.cmap(image.norm(value))[:3]
                assert theme.contrast(theme.luminance(text.get_color()), theme.luminance(tile)) >= 4.5


# ---- intervals and seeds


def bars(figure):
    """The lines that are intervals."""
    return [
        line for axis in figure.axes for line in axis.lines if line.get_marker() in ("|", "_") and line.get_linewidth()
    ]


@pytest.mark.parametrize("name", ["accuracies", "differences", "sweep", "by_length", "cell_accuracies", "single_runs"])
def test_an_interval_is_seen_however_narrow_it_is(name, of):
    figure, _ = DRAWN[name](of)
    marks = [
        line for axis in figure.axes for line in axis.lines if line.get_marker() in "oDs^v" and len(line.get_xdata())
    ]
    widest = {"D": np.sqrt(2), "s": 1}
    reach = max(line.get_markersize() * widest.get(line.get_marker(), 1) + line.get_markeredgewidth() for line in marks)
    ends = [line for line in bars(figure) if len(line.get_xdata()) == 2]
    assert ends and min(line.get_markersize() for line in ends) > reach


@pytest.mark.parametrize(("seeds", "said", "face"), [(3, "hollow: 3 seeds", "white"), (6, "filled: 6 seeds", None)])
def test_few_seeds_and_many_do_not_look_alike(seeds, said, face):
    found = results.of(*make(tasks=("paraphrase",), seeds=seeds, examples=12))
    for figure in (figures.accuracies(found.seeds, found.main), figures.differences(found.differences)):
        marks = [line for line in figure.axes[0].lines if line.get_marker() == "D"]
        assert {line.get_markerfacecolor() for line in marks} == {face or theme.mark("Mask-tuning", []).colour}
        assert said in [text.get_text() for text in figure.legends[0].texts]
    assert ENOUGH == 6


# ---- where values stand


def lines_of(factor, values, labels=None):
    rows = [
        {"task": "inference", "model": "bert", "set": "heuristics", "kind": "out_of_distribution", "label": str(value),
         factor: value, "difference": 1.0, "low": 0.5, "high": 2.0, "seeds": 3} for value in values
    ]  # fmt: skip
    (axis,) = ablations.figures.sweep(pd.DataFrame(rows), factor).axes
    joined = [
        line.get_xdata() for line in axis.lines if line.get_linestyle() in ("-", "--") and len(line.get_xdata()) > 2
    ]
    return axis, joined


@pytest.mark.parametrize(
    ("factor", "values", "scale"),
    [
        ("mask_rate", (0.01, 0.03, 0.05, 0.07, 0.10, 0.15), "linear"),
        ("alpha", (0, 0.05, 0.2, 0.4, 0.6, 0.8), "linear"),
        ("batch_size", (8, 16, 32), "log"),
        ("max_length", (128, 256, 512), "log"),
        ("epochs", (1, 3, 6), "linear"),
        ("train_examples", (250.0, 500.0, 1000.0, np.nan), "log"),
    ],
)
def test_numbers_stand_at_their_size_and_are_joined(factor, values, scale):
    axis, joined = lines_of(factor, values)
    known = [value for value in values if not pd.isna(value)]
    assert axis.get_xscale() == scale and len(joined) == 1
    assert axis.get_xticks()[: len(known)] == pytest.approx(known) and joined[0] == pytest.approx(known)
    labels = [label.get_text().strip() for label in axis.get_xticklabels()]
    assert labels == [ablations.settings.value_text(value) for value in values]


@pytest.mark.parametrize("factor", ["encoder", "fill", "reduction", "sampling"])
def test_no_line_joins_what_has_no_order(factor):
    axis, joined = lines_of(factor, ("one", "three", "two"))
    assert joined == [] and axis.get_xticks().tolist() == [0, 1, 2]


@pytest.mark.parametrize("values", [(0, 0.05, 0.2, 0.4, 0.6, 0.8), (0.01, 0.03, 0.05, 0.07, 0.10, 0.15)])
def test_labels_do_not_touch(values):
    axis, _ = lines_of("alpha", values)
    axis.figure.draw_without_rendering()
    for line in (False, True):
        boxes = [t.get_window_extent() for t in axis.get_xticklabels() if t.get_text().startswith("\n") == line]
        assert all(one.x1 < other.x0 for one, other in zip(boxes, boxes[1:], strict=False))


def test_sizes_that_read_the_same_have_one_label():
    places = ValueAxis(pd.Series([138_700, 138_800, 202_000]), lambda value: f"{value / 1e6:.3f}", log=True)
    _, (axis,) = panels.side_by_side(1)
    places.draw(axis)
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0.139", "", "0.202"]


@pytest.mark.parametrize("many", [1, 3, 4, 7])
def test_no_line_has_more_than_three_panels(many):
    figure, axes = panels.side_by_side(many)
    assert len(axes) == many and figure.get_size_inches()[0] < 11.5
    assert len({round(axis.get_position().x0, 6) for axis in axes}) <= panels.PER_LINE


# ---- tokens on light and dark pages


@pytest.mark.parametrize("page", ["#ffffff", "#16191d"], ids=["light", "dark"])
@pytest.mark.parametrize("style", [name for name in display.STYLES if name != "plain"])
def test_a_marked_token_stands_out_on_light_and_dark_pages(style, page):
    ink = {"#ffffff": theme.INK, "#16191d": "#e3e6ea"}[page]
    look = dict(part.split(":") for part in display.STYLES[style].split(";"))
    letters, behind = look.get("color", ink), look.get("background", page)
    frame = re.sub("currentColor", letters, look["border"]).split()[-1]
    assert theme.contrast(theme.luminance(letters), theme.luminance(behind)) >= 4.5
    shown = [theme.contrast(theme.luminance(colour), theme.luminance(page)) for colour in (frame, behind)]
    assert max(shown) >= 4.5


def test_the_gaps_of_a_study_are_named():
    said = alt_text.unfinished_runs(partial("embedded", "a model on a task").runs)
    assert f"Mask-tuning ({names.task('paraphrase')}, {names.model('roberta')})" in said
    assert alt_text.unfinished_runs(partial("embedded", "nothing").runs) == ""
    assert alt_text.unfinished_runs(partial("embedded", "every run").runs).startswith("None of the 16 runs")


def test_the_only_variant_of_a_method_looks_as_the_method_does():
    alone = ["fine-tuning (epochs 40)", "Mask-tuning (epochs 40)", "FreeLB"]
    assert theme.mark(alone[1], alone) == theme.mark("Mask-tuning", []) != theme.mark(alone[0], alone)
    several = ["Mask-tuning", "Mask-tuning (epochs 40)", "FreeLB (a)", "FreeLB (b)"]
    assert len({theme.mark(name, several) for name in several}) == 4
