"""Cells and the identity of runs. The frozen ids hold stored results together: a failure here orphans them."""

import dataclasses
import json
import re

import pytest

from masktune.errors import MaskTuneError
from masktune.study.design import cells
from masktune.study.design.cells import Cell, Training
from masktune.study.design.load import parse_study
from masktune.study.execute import runner

BERT = {"name": "bert", "checkpoint": "embedded:bert"}
PARAMETERS = {
    "study": "small", "label": "Mask-tuning", "data": "embedded", "task": "sentiment", "model": BERT,
    "method": "mask_tuning", "options": {}, "training": {}, "seeds": [0],
}  # fmt: skip


def cell(**changes) -> Cell:
    return cells.from_parameters(**{**PARAMETERS, **changes})


@pytest.mark.parametrize(
    ("changes", "seed", "expected"),
    [
        ({}, 0, "e29e4148c5d1a983"),
        ({}, 7, "f11e910e29a57348"),
        ({"method": "fine_tuning"}, 0, "efa543bc228e63da"),
        ({"options": {"alpha": 0.2, "reduction": "maskable"}}, 0, "468359bb2e07c431"),
        ({"training": {"learning_rate": 5e-4, "max_length": 64}}, 3, "2f8f5a021fa3dece"),
        (
            {"data": "real", "task": "inference", "model": {"name": "x", "checkpoint": "a/b", "revision": "c0"}},
            0,
            "05dbc435dfed43bb",
        ),
        (
            {
                "data": "real", "method": "fine_tuning",
                "model": {"name": "x", "checkpoint": "all-minilm-l6-v2-fp16", "adaptation": {}},
                "training": {"epochs": 2, "learning_rate": 5e-5, "train_examples": 8000},
            },
            0,
            "08b50f75c019f8ff",
        ),
    ],
)  # fmt: skip
def test_frozen_ids(changes, seed, expected):
    assert cell(**changes).run_id(seed) == expected


def test_default_training_is_frozen():
    """Defaults are left out of ids, so another default would give stored runs another meaning."""
    assert dataclasses.asdict(Training()) == {
        "epochs": 3.0, "learning_rate": 2e-5, "batch_size": 32, "max_length": 128, "warmup_ratio": 0.06,
        "weight_decay": 0.0, "max_grad_norm": 1.0, "train_examples": None, "sampling": "group_by_length",
        "evaluation_lengths": (), "precision": "auto", "cpu_accelerators": "auto", "readings": "last",
    }  # fmt: skip


def test_default_options_of_mask_tuning_are_frozen():
    from masktune import methods

    assert dataclasses.asdict(methods.build("mask_tuning")) == {
        "alpha": 0.6, "mask_rate": 0.05, "positions": "bernoulli", "symbol": "mask", "fill": "argmax",
        "classify": "perturbed", "encoder": "shared", "alpha_weights": "mlm", "reduction": "masked", "keep": "all",
        "fill_mode": "training", "fill_gradient": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"label": "another name in tables"},
        {"study": "another"},
        {"model": {**BERT, "name": "another"}},
        {"training": {"precision": "bf16"}},
        {"training": {"cpu_accelerators": "off"}},
        {"training": {"readings": "epochs"}},
        {"training": {"epochs": 3, "batch_size": 32}},
        {"options": {"alpha": 0.6, "mask_rate": 0.05}},
        {"seeds": 10},
        {"data_options": {}},
    ],
)
def test_what_is_not_scientific_leaves_the_id_alone(changes):
    assert cell(**changes).run_id(0) == cell().run_id(0)


@pytest.mark.parametrize(
    "changes",
    [
        {"data": "real"},
        {"task": "inference"},
        {"method": "fine_tuning"},
        {"options": {"alpha": 0.5}},
        {"training": {"train_examples": 100}},
        {"model": {**BERT, "revision": "abc"}},
        {"data_options": {"cue_rate": 0.5}},
    ],
)
def test_what_is_scientific_changes_the_id(changes):
    assert cell(**changes).run_id(0) != cell().run_id(0)
    assert cell(**changes).id != cell().id


def test_seeds_have_ids_of_their_own_and_share_the_cell():
    assert len({cell().run_id(seed) for seed in range(50)}) == 50
    assert cell(seeds=[3]).id == cell(seeds=[4]).id


def test_parameters_give_the_same_cell_back():
    original = cell(options={"alpha": 0.2}, training={"epochs": 1, "precision": "fp32"}, seeds=[4, 2])
    assert cells.from_parameters(**original.parameters()) == original


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alpa": 0.3}, "unknown parameter of the cell notebook 'alpa'"),
        ({"data": "reel"}, "unknown data 'reel' (did you mean 'real'?); expected one of embedded, real"),
        ({"task": "sentimental"}, "unknown task 'sentimental' (did you mean 'sentiment'?)"),
        ({"method": "mask_tunning"}, "unknown method 'mask_tunning' (did you mean 'mask_tuning'?)"),
        ({"options": {"alpha": 1.5}}, "alpha 1.5 is outside [0, 1]"),
        ({"options": {"mask_rate": 1}}, "mask_rate 1 is outside [0, 1)"),
        ({"options": {"rate": 0.1}}, "unknown option of mask_tuning 'rate'"),
        ({"training": {"epoch": 3}}, "training: unknown key 'epoch' (did you mean 'epochs'?)"),
        ({"training": {"epochs": 0}}, "training: epochs = 0.0; expected a number above 0, at most 1000"),
        ({"training": {"batch_size": 1.5}}, "training batch_size = 1.5; expected a whole number"),
        ({"training": {"precision": "fp16"}}, "training: unknown precision 'fp16'"),
        ({"training": {"cpu_accelerators": "on"}}, "training: unknown cpu_accelerators 'on'"),
        ({"training": {"readings": "epoch"}}, "training: unknown readings 'epoch' (did you mean 'epochs'?)"),
        ({"model": {"name": "bert"}}, "model: 'checkpoint' is missing"),
        ({"data_options": {"cue_rat": 1}}, "unknown option of embedded data 'cue_rat' (did you mean 'cue_rate'?)"),
        ({"data_options": {"also_train": "x"}}, "unknown option of embedded data 'also_train'"),
        ({"model": "bert"}, "model: 'bert'; expected a table"),
        ({"seeds": []}, "seeds = []; expected at least one seed"),
        ({"seeds": [1, 1]}, "seeds = [1, 1]; expected at least one seed and no seed twice"),
        ({"seeds": [-1]}, "seeds = [-1]; expected seeds between 0"),
        ({"study": "../x"}, "study = '../x'; expected letters"),
    ],
)  # fmt: skip
def test_impossible_parameters_are_one_line_errors(changes, message):
    with pytest.raises(MaskTuneError, match="^" + re.escape(message)) as caught:
        cell(**changes)
    assert "\n" not in str(caught.value)


def test_each_adaptation_of_a_model_is_prepared_once_a_task(table):
    table["grid"] += [
        {"label": f"{label}, {steps} steps", "method": method, "adaptation": {"steps": steps}}
        for label, method in (("fine-tuning", "fine_tuning"), ("Mask-tuning", "mask_tuning"))
        for steps in (5, 50)
    ]
    cells = parse_study(table).cells
    assert len(cells) == 12
    prepared = {runner.model_key(cell): runner.preparation_code(cell, 0) for cell in cells}
    assert len(prepared) == len(set(prepared.values())) == 1 + 2 * 2


def test_parameters_are_plain_values_that_a_notebook_can_hold_and_lead_back():
    long = cell(training={"epochs": 2.0, "evaluation_lengths": [128, 512]})
    plain = long.parameters()
    assert json.loads(json.dumps(plain)) == plain
    assert cells.from_parameters(**plain) == long
