"""Each public function has an example in its docstring, and what the example shows is what comes out."""

import doctest
import importlib
import inspect
import random
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
import torch
from datasets import Dataset
from tiny_models import WORDS
from tiny_runs import classifier
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainingArguments

import masktune
from masktune import methods
from masktune.perturb import Vocabulary
from masktune.streams import Streams

MODULES = (
    "masktune.losses", "masktune.perturb", "masktune.methods", "masktune.statistics.diversity",
    "masktune.statistics.gates", "masktune.statistics.intervals", "masktune.statistics.matched",
    "masktune.statistics.metrics", "masktune.statistics.multiplicity", "masktune.statistics.tests",
)  # fmt: skip


def documentation(documented: Any) -> str:
    """The docstring, for a method of a class without one that of the class it implements."""
    if documented.__doc__ is None and "." in documented.__qualname__:
        kind = getattr(importlib.import_module(documented.__module__), documented.__qualname__.partition(".")[0])
        return inspect.getdoc(getattr(kind, documented.__name__)) or ""
    return inspect.getdoc(documented) or ""


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


def own_methods(kind: type) -> list[str]:
    """The public methods of a class that are the package's own, and none that torch or transformers tells users of."""
    foreign = [base for base in kind.__mro__ if not base.__module__.startswith("masktune")]
    names = {name for base in kind.__mro__ if base not in foreign for name in vars(base) if not name.startswith("_")}
    return sorted(
        name
        for name in names
        if inspect.isroutine(getattr(kind, name)) and not any(hasattr(base, name) for base in foreign)
    )


CLASSES = [name for name in EXPORTED if isinstance(getattr(masktune, name), type)]
METHODS = [(kind, name) for kind in CLASSES for name in own_methods(getattr(masktune, kind))]
METHODS += [("MaskTuningModel", "forward")]


def test_the_methods_are_those_of_the_documentation():
    assert len(METHODS) > 20
    assert {("MaskTuningModel", "from_classifier"), ("MaskTuning", "paper"), ("FineTuning", "terms")} <= set(METHODS)
    assert ("MaskTuningTrainer", "decide_cpu_accelerators") in METHODS
    assert ("MaskTuningTrainer", "train") not in METHODS  # Trainer's, and shown by the class itself


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_and_that_of_each_method_of_a_class(kind, name, given):
    model = masktune.MaskTuningModel.from_classifier(given["classifier"])
    model.vocabulary = Vocabulary.of(given["tokenizer"])
    more = {
        "model": model,
        "inputs": dict(given["tokenizer"](given["texts"][:2], return_tensors="pt")),
        "Path": Path,
        "Streams": Streams,
        "torch": torch,
    }
    exported = {exported: getattr(masktune, exported) for exported in EXPORTED}
    check(getattr(getattr(masktune, kind), name), name, given | more | exported)


def check(documented: Any, name: str, namespace: dict[str, Any]) -> None:
    """Run the example of a docstring, its own or that of the method that it implements; there must be one."""
    test = doctest.DocTestParser().get_doctest(documentation(documented), dict(namespace), name, None, None)
    assert test.examples, f"{name} has no example; end its docstring with a line of >>> and what it gives"
    said: list[str] = []
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.DocTestRunner(optionflags=options, verbose=False).run(test, out=said.append)
    assert not result.failed, "".join(said)
