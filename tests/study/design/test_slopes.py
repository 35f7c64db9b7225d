"""The [[slopes]] table of a study, its places, and what is said of a mistake in it."""

import pytest
from study.conftest import edited

from masktune.errors import MaskTuneError
from masktune.study.design.claims import Slopes
from masktune.study.design.comparisons import Place, places
from masktune.study.design.load import load_study, parse_study

SLOPES = {"method": "Mask-tuning", "against": "fine-tuning", "kind": "in_distribution", "unadapted_as": 30}
TURNED = {**SLOPES, "method": "fine-tuning", "against": "Mask-tuning"}
OURS = {"label": "Mask-tuning", "method": "mask_tuning", "training": {"epochs": [1, 3]}}


@pytest.fixture
def table(table):
    """Two lengths of training x two language models, six seeds."""
    adapted = {"checkpoint": "embedded:bert", "adaptation": {"steps": 300}}
    grid = [{"label": "fine-tuning", "method": "fine_tuning", "training": {"epochs": [1, 3]}}, dict(OURS)]
    models = {**table["models"], "adapted": adapted}
    return {**table, "seeds": 6, "models": models, "grid": grid, "claims": [], "slopes": [dict(SLOPES)]}


def test_a_study_may_declare_no_slopes(table):
    assert parse_study(edited(table, "slopes", [])).slopes == ()


def test_slopes_as_declared(table):
    [declared] = parse_study(table).slopes
    assert declared == Slopes("Mask-tuning", "fine-tuning", "in_distribution", unadapted_as=30.0)
    assert declared.over == ("training steps", "adaptation steps")


def test_places_are_tasks_x_models_x_settings_of_training(table):
    study = parse_study(edited(table, "grid.1.seeds", [0, 1, 2, 3, 4, 5, 9]))
    found = places(study, study.slopes[0])
    assert [(place.task, place.model, place.adaptation, place.method) for place in found] == [
        (task, model, steps, f"Mask-tuning (epochs {epochs})")
        for task in ("sentiment", "inference")
        for model, steps in (("bert", None), ("adapted", 300))
        for epochs in (1, 3)
    ]
    assert isinstance(found[0], Place) and found[0].against == "fine-tuning (epochs 1)"
    assert found[0].seeds == (0, 1, 2, 3, 4, 5), "those of both"


def test_a_setting_that_only_one_row_has_is_no_place(table):
    study = parse_study(edited(table, "grid.1.training", {"epochs": [1, 3, 4]}))
    assert len(places(study, study.slopes[0])) == 8


def test_the_committed_study_has_twelve_places():
    study = load_study("collapse")
    [declared] = study.slopes
    found = places(study, declared)
    assert len(found) == 12 and {len(place.seeds) for place in found} == {6}
    assert {place.adaptation for place in found} == {None, 300, 3000, 30000} and declared.unadapted_as == 30


WHO = "[[slopes]] 'Mask-tuning' against 'fine-tuning': "


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("slopes", 3, "slopes = 3; expected tables that begin with [[slopes]]"),
        ("slopes.0.methd", "Mask-tuning", "[[slopes]]: unknown key 'methd' (did you mean 'method'?)"),
        ("slopes.0.method", "Mask-tunig", "[[slopes]]: unknown label of a grid row 'Mask-tunig' (did you mean"),
        ("slopes.0.method", "Mask-tuning (epochs 3)", "[[slopes]]: unknown label of a grid row 'Mask-tuning (epochs 3"),
        ("slopes.0.against", "Mask-tuning", "[[slopes]]: against = 'Mask-tuning'; expected another label than method"),
        ("slopes.0.kind", "companion", "[[slopes]]: unknown kind 'companion'"),
        ("slopes.0.over", ["steps"], "[[slopes]]: over: unknown quantity 'steps'"),
        ("slopes.0.over", [], "[[slopes]]: over = []; expected at least one name and no name twice"),
        ("slopes.0.unadapted_as", 0, "[[slopes]]: unadapted_as = 0.0; expected a number of steps above 0"),
        ("slopes.0.over", ["training steps"], "[[slopes]]: unadapted_as = 30.0; expected nothing"),
        ("slopes.0.unadapted_as", None, "[[slopes]] 'Mask-tuning' against 'fine-tuning': a model has no adaptation"),
        ("slopes", [SLOPES, TURNED], "[[slopes]] compare 2 pairs of rows; a study has one, in one or more tables"),
        ("seeds", 5, WHO + "5 paired seeds, and a sign-flip test over them cannot go below 0.0625; declare 6 seeds"),
        ("models", {"bert": {"checkpoint": "embedded:bert"}}, WHO + "adaptation steps do not vary; sweep them"),
        ("grid.1.training", {"epochs": [4, 5]}, WHO + "no model and task has cells of both at one training"),
        ("grid.1.training", {"epochs": [1]}, WHO + "training steps do not vary"),
        ("grid.1.alpha", [0.2, 0.6], "[[slopes]] 'Mask-tuning' has several cells of one training; sweep settings of"),
        ("grid.1.adaptation", {"steps": 9}, "[[slopes]] 'Mask-tuning' adapts its models itself; give each adaptation"),
    ],
)
def test_a_mistake_is_named_in_one_line(table, path, value, message):
    with pytest.raises(MaskTuneError) as error:
        parse_study(edited(table, path, value))
    assert str(error.value).startswith(message) and "\n" not in str(error.value)
