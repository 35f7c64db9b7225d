"""A small declared study, a run to store, and results in a temporary folder."""

import copy
import json
from pathlib import Path

import pyarrow
import pytest

from masktune.study.design.load import parse_study
from masktune.study.store import runs

TABLE = {
    "name": "small",
    "title": "A small study",
    "question": "Does it run?",
    "data": "embedded",
    "tasks": ["sentiment", "inference"],
    "seeds": 2,
    "training": {"epochs": 2, "sentiment": {"learning_rate": 1e-4}},
    "models": {"bert": {"checkpoint": "embedded:bert"}},
    "grid": [
        {"label": "fine-tuning", "method": "fine_tuning"},
        {"label": "Mask-tuning", "method": "mask_tuning", "alpha": 0.6},
    ],
    "claims": [
        {"method": "Mask-tuning", "against": "fine-tuning", "kind": "out_of_distribution", "test": "estimate"},
    ],
}


@pytest.fixture
def table():
    """A study as its TOML would be read; tests change what they are about."""
    return copy.deepcopy(TABLE)


@pytest.fixture
def study(table):
    return parse_study(table)


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch) -> Path:
    """Results go to a temporary folder."""
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


def edited(table: dict, path: str, value) -> dict:
    """The table with one value replaced; `path` like "training.epochs" or "grid.1.alpha"."""
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    at = table
    for part in parents:
        at = at[part]
    at[last] = value
    return table


def predictions(right: int = 3) -> pyarrow.Table:
    """Predictions for four examples of one set, of which `right` are right."""
    labels = [0, 1, 0, 1]
    return pyarrow.table(
        {
            "set": ["validation"] * 4,
            "kind": ["in_distribution"] * 4,
            "example_id": ["a", "b", "c", "d"],
            "cluster_id": ["a", "b", "c", "d"],
            "group": [""] * 4,
            "label": pyarrow.array(labels, pyarrow.int16()),
            "prediction": pyarrow.array(labels[:right] + [1 - label for label in labels[right:]], pyarrow.int16()),
            "logits": pyarrow.array([[0.5, -0.5], [0.25, 0.75]] * 2, pyarrow.list_(pyarrow.float32())),
        }
    )


def records(right: int = 3, digest: str = "d") -> dict:
    return {
        "run": {"seed": 0},
        "metrics": {"accuracy": {"validation": right / 4}, "n": {"validation": 4}},
        "environment": {"device": "cpu", "precision": "fp32", "data": {"train": digest}},
        "cost": {"train_seconds": 2.0, "evaluate_seconds": 1.0, "model_seconds": 0.5, "curve_seconds": 0.5},
        "history": [
            {"step": 1, "loss": 0.5, "grad_norm": float("nan")},
            {"step": 2, "eval_loss": 0.7, "eval_accuracy": 0.5},
        ],
    }


def store(cell, seed: int, right: int = 3, **changes) -> Path:
    """Store a run of the cell with made-up results."""
    return runs.write(cell.study, cell.run_id(seed), records(right, **changes), predictions(right))


def claimed(table, **changes):
    claim = {"method": "Mask-tuning", "against": "fine-tuning", "kind": "in_distribution", "test": "superiority"}
    return parse_study({**table, "tasks": ["sentiment"], "seeds": 6, "claims": [{**claim, **changes}]})


def stored_pairs(study, rights):
    """Runs of four examples of `validation`: so many right by fine-tuning and Mask-tuning at seed 0, 1, ..."""
    first, second = study.cells
    for seed, (one, other) in enumerate(rights):
        store(first, seed, right=one)
        store(second, seed, right=other)


def write_notebook(path: Path, sources: list[str], tagged: int | None = 0) -> Path:
    """A notebook of code cells, one of them tagged `parameters`."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {"tags": ["parameters"]} if number == tagged else {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(sources)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    return path
