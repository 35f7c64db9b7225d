"""What the seeds of a cell share, and how one is trained."""

import random
from dataclasses import replace

import pytest
import torch
from datasets import Dataset
from tiny_models import WORDS
from transformers import AutoTokenizer

from masktune.data import encode
from masktune.data.tasks import EvaluationSet, TaskData
from masktune.errors import MaskTuneError
from masktune.models.spec import ModelSpec
from masktune.study.design.cells import Cell, Training, build_method
from masktune.study.run import cell as cells
from masktune.study.run import record, training
from masktune.study.store import runs


def test_the_learning_curve_has_examples_of_every_class_when_labels_take_turns():
    import datasets

    rows = datasets.Dataset.from_dict({"labels": [index % 2 for index in range(420)]})
    shares = list(training._sample(rows)["labels"])
    assert len(shares) == training.CURVE_EXAMPLES and 0.3 < sum(shares) / len(shares) < 0.7


def inputs_of(checkpoint, learning_rate):
    """40 examples of words to learn and to be asked about."""
    chooser = random.Random(0)
    texts = [" ".join(chooser.choices(WORDS, k=chooser.randint(3, 20))) for _ in range(40)]
    names = [str(number) for number in range(40)]
    rows = {"text": texts, "label": [number % 2 for number in range(40)]}
    rows = Dataset.from_dict({**rows, "example_id": names, "cluster_id": names, "group": [""] * 40})
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    encoded = encode.encode(rows, tokenizer, 32)
    part = EvaluationSet("validation", "in_distribution", rows, ("negative", "positive"), 32, None)
    task = TaskData("sentiment", ("negative", "positive"), False, rows, (part,), {"train": "digest"})
    chosen = Training(epochs=3, batch_size=8, learning_rate=learning_rate, precision="fp32")
    cell = Cell(
        "small", "any", "embedded", "sentiment", ModelSpec("bert", str(checkpoint)), "fine_tuning", training=chosen
    )
    examples = record.describe_examples([part])
    method = build_method(cell.method, cell.options)
    seconds = {"load": 1.0, "tokenise": 1.0, "prepare": 1.0}
    return training.CellInputs(
        cell, method, task, str(checkpoint), tokenizer, encoded, encoded, encoded, examples, seconds
    )


def test_a_real_run_with_an_absurd_learning_rate_fails_and_a_usual_one_says_which_code_made_it(
    checkpoints, monkeypatch
):
    for rate in (0.999, 1e-3):
        made = inputs_of(checkpoints["bert"], rate)
        monkeypatch.setattr(training, "load_inputs", lambda cell, made=made: made)
        if rate == 0.999:
            with pytest.raises(MaskTuneError, match="the model no longer reads its input"):
                cells.run(made.cell)
            [failure] = runs.read_failures("small").values()
            assert "lower the learning rate" in failure["error"]
        else:
            cells.run(made.cell)
            said = runs.read("small", made.cell.run_id(0)).record("environment")
            assert said["source"] == training.read_source(made.cell) and said["precision"] == "fp32"
            off = {"fast_dropout": False, "fast_word_gradient": False, "checkpoint_fast_dropout": None}
            assert said["cpu_accelerators"] == off  # of a small model, which another has made


@pytest.mark.parametrize(("setting", "asked"), [("auto", None), ("off", False)])
def test_the_trainer_is_asked_for_the_accelerators_as_the_study_says(checkpoints, tmp_path, setting, asked):
    made = inputs_of(checkpoints["bert"], 1e-3)
    chosen = replace(made.cell.training, cpu_accelerators=setting)
    trainer = training.build_trainer(
        replace(made, cell=replace(made.cell, training=chosen)), 0, None, accumulation=1, scratch=str(tmp_path)
    )
    assert (trainer.fast_dropout, trainer.fast_word_gradient) == (asked, asked)


def test_readings_hold_every_epoch_and_change_nothing_in_training(checkpoints, monkeypatch):
    from transformers import AutoConfig

    made = inputs_of(checkpoints["bert"], 1e-3)
    made = replace(made, method=build_method("mask_tuning", {"fill": "sample"}))
    config = AutoConfig.from_pretrained(checkpoints["bert"])
    assert config.hidden_dropout_prob == 0  # made random below: what evaluation draws must not reach it
    draw = training.build_trainer

    def with_dropout(*given, **options):
        trainer = draw(*given, **options)
        for module in trainer.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.3
        return trainer

    monkeypatch.setattr(training, "build_trainer", with_dropout)
    found = {}
    for readings in ("last", "epochs"):
        chosen = replace(made.cell, training=replace(made.cell.training, readings=readings))
        found[readings] = training.train_seed(replace(made, cell=chosen), 0)
    (without, plain), (records, predictions) = found["last"], found["epochs"]
    assert predictions.equals(plain) and records["metrics"] == without["metrics"]
    read = [entry for entry in records["history"] if "reading/validation" in entry]
    assert [(entry["epoch"], entry["step"]) for entry in read] == [(1, 5), (2, 10), (3, 15)]
    assert read[-1]["reading/validation"] == records["metrics"]["accuracy"]["validation"]
    timed = ("_runtime", "_per_second")
    logs = [
        [{name: value for name, value in entry.items() if not name.endswith(timed)} for entry in history]
        for history in (without["history"], [entry for entry in records["history"] if entry not in read])
    ]
    assert logs[0] == logs[1]
    assert records["cost"]["curve_seconds"] > 0 and records["cost"]["train_seconds"] > 0
