"""What is stored of a run: its cost, and what it started from."""

from types import SimpleNamespace

import pytest
from tiny_models import masked_language_model
from transformers import AutoModelForSequenceClassification

from masktune.models.spec import ModelSpec
from masktune.study.design.cells import Cell, build_method
from masktune.study.run import environment, record


@pytest.fixture
def cost(checkpoints):
    classifier = AutoModelForSequenceClassification.from_pretrained(checkpoints["bert"])
    trainer = SimpleNamespace(
        state=SimpleNamespace(global_step=3),
        model=SimpleNamespace(classifier=classifier, mlm_head=masked_language_model("bert").cls),
    )
    train = [{"input_ids": [0] * length} for length in (4, 6, 10)]
    seconds = {"load": 1.0, "tokenise": 0.5, "train": 4.0, "evaluate": 1.0}
    return record.count_cost(train, 7, 2.0, None, trainer, seconds)


def test_it_counts_examples_tokens_and_their_speed(cost):
    assert [cost[name] for name in ("steps", "train_examples", "train_tokens", "evaluated_examples")] == [3, 6, 40, 7]
    assert (cost["train_examples_per_second"], cost["train_tokens_per_second"]) == (1.5, 10.0)
    assert (cost["load_seconds"], cost["train_seconds"]) == (1.0, 4.0)


def test_parameters_are_those_of_the_model_that_is_kept(cost, checkpoints):
    classifier = AutoModelForSequenceClassification.from_pretrained(checkpoints["bert"])
    assert cost["parameters"] == sum(parameter.numel() for parameter in classifier.parameters())


def test_memory_and_hardware_are_stored(cost):
    assert cost["process_peak_bytes"] > 1e7 and cost["device_peak_bytes"] is None
    assert cost["hardware"] == environment.hardware()
    assert {"processor", "cores", "memory_bytes", "gpu", "system"} == set(cost["hardware"])


def test_a_run_says_which_pretraining_it_started_from():
    model = ModelSpec("bert", "embedded:bert", pretrainings=3)
    cell = Cell("small", "x", "embedded", "sentiment", model, "fine_tuning", seeds=(0, 1, 2, 3))
    method = build_method(cell.method, cell.options)
    told = [record.define(cell, method, seed) for seed in cell.seeds]
    assert [each["pretraining"] for each in told] == [0, 1, 2, 0]
    assert told[0]["model"]["pretrainings"] == 3 == told[0]["identity"]["cell"]["model"]["pretrainings"]
