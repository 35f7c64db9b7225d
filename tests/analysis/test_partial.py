"""A study that is not finished: its figures, tables and sentences show what is there and say what is not."""

import itertools
import re

import pandas as pd
import pytest
from partial_study import MISSING, PARTS, partial

from masktune.analysis.accuracy import figures
from masktune.analysis.plotting import alt_text, panels
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.table import Table
from masktune.statistics import crossed

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """The bootstrap is not what is tested here."""
    monkeypatch.setattr(crossed.bootstrap_means, "__defaults__", (20, *crossed.bootstrap_means.__defaults__[1:]))


def unfilled(text):
    """Numbers that are none, where words should be."""
    return re.findall(r"\bnan\b", text)


# The headline study lacks each thing in turn; the other kinds do in `make proofs`, and here what lacks most.
ALWAYS = ("every run", "every seed but one", "a model on a task")
PAIRS = [
    pytest.param(kind, missing, marks=[] if kind == "embedded" or missing in ALWAYS else pytest.mark.proof)
    for kind in PARTS
    for missing in MISSING
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("kind", "missing"), PAIRS)
def test_everything_is_made_of_what_is_there(kind, missing):
    study = partial(kind, missing)
    for made in itertools.chain.from_iterable(part(study) for part in PARTS[kind]):
        if isinstance(made, Drawing):
            assert made.alt and len(made.alt) <= alt_text.LONGEST
            assert all(axis.has_data() or axis.texts or not axis.axison for axis in made.axes), made.alt
        elif isinstance(made, Table):
            assert isinstance(made.shown, pd.DataFrame) and made.caption and not unfilled(made._repr_html_())
        else:
            assert not unfilled(str(getattr(made, "data", made)))


def words(figure):
    return [text.get_text() for axis in figure.axes for text in axis.texts]


@pytest.mark.parametrize("missing", [name for name in MISSING if name not in ("nothing", "every run")])
def test_the_main_figures_say_what_is_missing(missing):
    study = partial("embedded", missing)
    main = study.runs[study.runs["part"] == "main"]
    if (main["status"] == "done").all():
        pytest.skip("the main part is whole")
    said = f"{(main['status'] != 'done').sum()} of {len(main)} runs are not finished"
    for figure in (
        figures.accuracies(study.found.seeds, study.found.main, study.runs),
        figures.differences(study.found.differences, study.runs),
    ):
        assert said in figure.alt
        assert not figure.axes or figure.get_supxlabel().replace("\n", " ").startswith(said)


@pytest.mark.parametrize(
    ("missing", "empty"),
    [("a model on a task", 1), ("a task", 2), ("a model", 2), ("Mask-tuning, but on one model", 0)],
)
def test_a_panel_without_finished_runs_says_so(missing, empty):
    found = partial("embedded", missing).found
    figure = figures.accuracies(found.seeds, found.main, found.runs)
    assert len(figure.axes) == 4 and words(figure).count(panels.NO_RUNS) == empty


def test_what_a_study_does_not_declare_has_no_panel():
    found = partial("embedded", "nothing").found
    model, task = found.main["model"].iloc[-1], found.main["task"].iloc[-1]
    gone = [
        frame[(frame["model"] != model) | (frame["task"] != task)] for frame in (found.seeds, found.main, found.runs)
    ]
    figure = figures.accuracies(*gone)
    assert len(figure.axes) == 3 and panels.NO_RUNS not in words(figure)
    by_column = {axis.get_position().x0: axis for axis in figure.axes}  # the last of a column is its lowest
    assert [axis.get_xlabel() for axis in by_column.values()] == ["accuracy (%)"] * len(by_column)
    assert sorted(axis.get_title(loc="left") != "" for axis in figure.axes) == [False, True, True]
    assert all(axis.xaxis.get_tick_params()["labelbottom"] for axis in by_column.values())


def test_a_value_without_finished_runs_says_so_at_its_place():
    study = partial("ablations", "nothing")
    gone = study.without(study.runs["label"] == "rate 0.15")
    (axis, *_) = gone.found.figures()["sweep_mask_rate"].axes
    [text] = axis.texts
    assert (text.get_position()[0], text.get_text()) == (0.15, panels.NO_RUNS)
    assert "rate 0.15" in gone.found.figures()["sweep_mask_rate"].alt
