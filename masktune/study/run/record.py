"""What is stored of a run, besides its training log: what it is, its predictions and metrics, its cost."""

import resource
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import datasets
import numpy
import pyarrow
import torch

from masktune.data.tasks import EvaluationSet
from masktune.methods import Method
from masktune.study.design.cells import Cell
from masktune.study.run import environment
from masktune.training.sampling import StagePlan, lengths_of
from masktune.training.trainer import MaskTuningTrainer

COLUMNS = ("example_id", "cluster_id", "group")


def define(cell: Cell, method: Method, seed: int) -> dict[str, Any]:
    """What defines the run: ids, names, every setting in full."""
    model = {"revision": None, "adaptation": None} | cell.model.settings()
    written_out = {
        "options": method.settings(),
        "data_options": cell.data_options,
        "training": asdict(cell.training),
        "model": model,
    }
    names = {name: getattr(cell, name) for name in ("study", "label", "data", "task", "method")}
    ids = {"run_id": cell.run_id(seed), "cell_id": cell.id}
    start = {"seed": seed, "pretraining": cell.model.pretraining_of(seed)}
    return ids | names | written_out | start | {"identity": {"cell": cell.identity, "seed": seed}}


def describe_examples(evaluation_sets: Iterable[EvaluationSet]) -> pyarrow.Table:
    """What is stored of each example, set after set: set, kind, COLUMNS, label."""
    return pyarrow.concat_tables([_describe(evaluation_set) for evaluation_set in evaluation_sets])


def _describe(evaluation_set: EvaluationSet) -> pyarrow.Table:
    examples = evaluation_set.examples
    named = {"set": [evaluation_set.name] * len(examples), "kind": [evaluation_set.kind] * len(examples)}
    texts = {name: pyarrow.array(examples[name][:], pyarrow.string()) for name in COLUMNS}
    columns = {name: pyarrow.array(values) for name, values in named.items()}
    return pyarrow.table({**columns, **texts, "label": pyarrow.array(examples["label"][:], pyarrow.int16())})


def tabulate_predictions(
    examples: pyarrow.Table, evaluation_sets: Iterable[EvaluationSet], logits: numpy.ndarray
) -> pyarrow.Table:
    """The stored table: `examples`, the predicted label in the terms of its set, float32 logits [C] of each."""
    classes = logits.argmax(-1)
    start = 0
    for evaluation_set in evaluation_sets:
        stop = start + len(evaluation_set.examples)
        if evaluation_set.fold is not None:
            classes[start:stop] = numpy.asarray(evaluation_set.fold)[classes[start:stop]]
        start = stop
    offsets = numpy.arange(0, logits.size + 1, logits.shape[1], dtype=numpy.int32)
    lists = pyarrow.ListArray.from_arrays(offsets, logits.ravel())
    table = examples.append_column("prediction", pyarrow.array(classes, pyarrow.int16()))
    return table.append_column("logits", lists)


def measure(predictions: pyarrow.Table) -> dict[str, dict[str, float]]:
    """Accuracy (a share) and number of examples of each set."""
    frame = predictions.select(["set", "label", "prediction"]).to_pandas()
    right = (frame["label"] == frame["prediction"]).groupby(frame["set"], sort=False)
    return {"accuracy": right.mean().to_dict(), "n": {name: int(count) for name, count in right.size().items()}}


def count_cost(
    train: datasets.Dataset,
    evaluated: int,
    epochs: float,
    second_stage: StagePlan | None,
    trainer: MaskTuningTrainer,
    seconds: dict[str, float],
) -> dict[str, Any]:
    """Loading and tokenising are the cell's, the other phases the seed's. Tokens are counted without padding.

    `parameters` are those of the classifier, the model that is kept; what a method trains besides is not counted.
    """
    lengths = lengths_of(train)
    again = [] if second_stage is None else [lengths[row] for row in second_stage.rows] * second_stage.passes
    examples, tokens = round(epochs * len(lengths)) + len(again), round(epochs * sum(lengths)) + sum(again)
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        **{f"{phase}_seconds": round(value, 4) for phase, value in seconds.items()},
        "steps": trainer.state.global_step,
        "train_examples": examples,
        "train_tokens": tokens,
        "train_examples_per_second": round(examples / seconds["train"], 2),
        "train_tokens_per_second": round(tokens / seconds["train"], 2),
        "evaluated_examples": evaluated,
        "parameters": trainer.model.classifier.num_parameters(),
        "hardware": environment.hardware(),
        "device_peak_bytes": torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None,
        "process_peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
    }
