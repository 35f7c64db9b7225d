"""Each public function has an example in its docstring, and what the example shows is what comes out."""

import doctest
import importlib
import inspect
import random
from types import FunctionType
from typing import Any

import pytest
from datasets import Dataset
from tiny_models import WORDS
from tiny_runs import classifier
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainingArguments

import masktune
from masktune import methods

MODULES = (
    "masktune.losses", "masktune.perturb", "masktune.methods", "masktune.statistics.diversity",
    "masktune.statistics.gates", "masktune.statistics.intervals", "masktune.statistics.matched",
    "masktune.statistics.metrics", "masktune.statistics.multiplicity", "masktune.statistics.tests",
)  # fmt: skip


def functions(module_name: str) -> dict[str, FunctionType]:
    """The public functions that a module defines."""
    module = importlib.import_module(module_name)
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module_name and not name.startswith("_")
    }


PUBLIC = [(module, name) for module in MODULES for name in functions(module)]


EXPORTED = [name for name in masktune.__all__ if name != "__version__"]


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_an_example_shows_what_comes_out(module, name):
    check(functions(module)[name], name, vars(importlib.import_module(module)))


@pytest.fixture
def given(checkpoints, tmp_path, monkeypatch):
    """What examples take as given: a checkpoint, a classifier of it, forty tokenised examples, how to train on them."""
    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    tokenizer, chooser = AutoTokenizer.from_pretrained(checkpoints["bert"]), random.Random(0)
    texts = [" ".join(chooser.choices(WORDS, k=6)) for _ in range(40)]
    return {
        "AutoModelForSequenceClassification": AutoModelForSequenceClassification,
        "methods": methods,
        "checkpoint": str(checkpoints["bert"]),
        "classifier": classifier(checkpoints["bert"]),
        "tokenizer": tokenizer,
        "texts": texts,
        "train": Dataset.from_dict({**tokenizer(texts), "labels": [row % 2 for row in range(40)]}),
        "args": TrainingArguments(
            "run", use_cpu=True, report_to="none", num_train_epochs=1, per_device_train_batch_size=20, disable_tqdm=True
        ),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTED)
def test_so_does_that_of_each_name_of_the_package(name, given):
    check(getattr(masktune, name), name, given | {name: getattr(masktune, name) for name in EXPORTED})


@pytest.mark.parametrize("name", ["paper", "recommended"])
def test_and_of_the_two_readings(name):
    check(getattr(masktune.MaskTuning, name), name, {"MaskTuning": masktune.MaskTuning})


def check(documented: Any, name: str, namespace: dict[str, Any]) -> None:
    """Run the example of a docstring; there must be one."""
    [test] = doctest.DocTestFinder(recurse=False).find(documented, name, globs=dict(namespace))
    assert test.examples, f"{name} has no example; end its docstring with a line of >>> and what it gives"
    said: list[str] = []
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.DocTestRunner(optionflags=options, verbose=False).run(test, out=said.append)
    assert not result.failed, "".join(said)
