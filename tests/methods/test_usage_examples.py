"""The usage example that ends the docstring of each method's file runs as it stands there."""

import inspect
import random
import sys
import textwrap

import pytest
import torch
from datasets import Dataset
from methods.conftest import NAMES
from tiny_models import WORDS
from tiny_runs import classifier
from transformers import AutoTokenizer, TrainingArguments

from masktune import methods

pytestmark = pytest.mark.slow


@pytest.fixture
def namespace(checkpoints, tmp_path, monkeypatch):
    """What an example takes as given: a classifier, its tokenizer, forty pairs of texts and how to train on them."""
    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path / "cache"))
    tokenizer, chooser = AutoTokenizer.from_pretrained(checkpoints["bert"]), random.Random(0)
    first, second = ([" ".join(chooser.choices(WORDS, k=6)) for _ in range(40)] for _ in range(2))
    return {
        "model": classifier(checkpoints["bert"]),
        "checkpoint": checkpoints["bert"],
        "label_names": NAMES,
        "tokenizer": tokenizer,
        "train": Dataset.from_dict({**tokenizer(first, second), "labels": [row % 2 for row in range(40)]}),
        "args": TrainingArguments(
            str(tmp_path / "run"), use_cpu=True, report_to="none", num_train_epochs=1, per_device_train_batch_size=20,
            save_strategy="no",
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", methods.METHODS)
def test_the_usage_example_of_a_method_runs(name, namespace):
    documentation = inspect.cleandoc(sys.modules[methods.METHODS[name].__module__].__doc__)
    _, marked, usage = documentation.partition("\nUsage:\n")
    assert marked, "the file's docstring ends with 'Usage:' and a few lines of code, as those of other methods do"
    before = {key: value.clone() for key, value in namespace["model"].state_dict().items()}
    exec(textwrap.dedent(usage), namespace)
    trainer = namespace["trainer"]
    assert name in trainer.method.name.split("+")
    assert trainer.state.global_step == trainer.state.max_steps >= 2
    after = trainer.model.classifier.state_dict()
    assert any(not torch.equal(value, before[key]) for key, value in after.items())
    assert all(torch.isfinite(value).all() for value in after.values() if value.is_floating_point())
