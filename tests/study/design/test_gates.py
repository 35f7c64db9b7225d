"""The [gates] table of a study, and what is said of a mistake in it."""

import copy
import re

import pytest
from study.conftest import edited

from masktune.errors import MaskTuneError
from masktune.study.design.gates import Control, Gates, Remedies, Trained
from masktune.study.design.load import parse_study

GATES = {
    "declared": "2026-11-26",
    "trained": {"accuracy": {"sentiment": 90, "inference": 85}, "loss": 0.9},
    "control": {"label": "Mask-tuning", "against": "fine-tuning", "gain": 15},
    "remedies": {"labels": ["Mask-tuning"], "against": "fine-tuning"},
}


def test_a_study_may_declare_no_gates(table):
    assert parse_study(table).gates is None


def test_gates_as_declared(table):
    assert parse_study({**table, "gates": GATES}).gates == Gates(
        "2026-11-26",
        Trained({"sentiment": 90.0, "inference": 85.0}, 0.9),
        Control("Mask-tuning", "fine-tuning", 15.0),
        Remedies(("Mask-tuning",), "fine-tuning"),
    )


def test_one_accuracy_is_meant_for_every_task_and_control_and_remedies_may_be_absent(table):
    gates = parse_study({**table, "gates": {"declared": "2026-11-26", "trained": {"accuracy": 80, "loss": 1}}}).gates
    assert gates == Gates("2026-11-26", Trained({"sentiment": 80.0, "inference": 80.0}, 1.0))
    assert gates.labels == ()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("gates", 3, "[gates]: 3; expected a table"),
        ("gates.declard", "2026-11-26", "[gates]: unknown key 'declard' (did you mean 'declared'?)"),
        ("gates.declared", "26.11.2026", "[gates]: declared = '26.11.2026'; expected a day, as YYYY-MM-DD"),
        ("gates.declared", "2026-13-01", "[gates]: declared = '2026-13-01'; expected a day"),
        ("gates.trained", 90, "[gates] trained: 90; expected a table"),
        ("gates.trained", {"accuracy": 90}, "[gates] trained: 'loss' is missing"),
        ("gates.trained.loss", 1.2, "[gates] trained: loss = 1.2; expected a share of ln(classes)"),
        (
            "gates.trained.accuracy",
            {},
            "[gates] trained accuracy = {}; expected a number for sentiment, inference as well",
        ),
        ("gates.trained.accuracy", 101, "[gates] trained: accuracy of sentiment = 101.0; expected per cent"),
        ("gates.trained.accuracy.sentiment", "90", "[gates] trained accuracy sentiment = '90'; expected a number"),
        ("gates.trained.accuracy.paraphrase", 90, "[gates] trained accuracy: unknown task of the study 'paraphrase'"),
        ("gates.control.label", "fine-tunning", "[gates]: unknown label 'fine-tunning' (did you mean 'fine-tuning'?)"),
        ("gates.control.label", "fine-tuning", "[gates] control: against = 'fine-tuning'; expected another label"),
        ("gates.control.gain", 0, "[gates] control: gain = 0.0; expected points of accuracy above 0"),
        ("gates.remedies.labels", ["PoE"], "[gates]: unknown label 'PoE'"),
        ("gates.remedies.labels", [], "[gates] remedies labels = []; expected at least one name"),
        ("gates.remedies.against", "Mask-tuning", "[gates] remedies: against = 'Mask-tuning'; expected another label"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(table, path, value, message):
    with pytest.raises(MaskTuneError, match=f"^{re.escape(message)}") as error:
        parse_study(edited({**table, "gates": copy.deepcopy(GATES)}, path, value))
    assert "\n" not in str(error.value)


def test_a_label_without_runs_of_its_own_is_refused(table):
    twin = {"label": "the same", "method": "fine_tuning"}
    gates = {**GATES, "control": {"label": "Mask-tuning", "against": "the same"}}
    with pytest.raises(MaskTuneError, match=re.escape("[gates] 'the same' has the same cells as an earlier row")):
        parse_study({**table, "grid": [*table["grid"], twin], "gates": gates})
