"""Finished runs to numbers: accuracy with intervals, paired differences, the chosen model's mistakes.

Everything here comes from stored logits and labels. Intervals are 95 %, over seeds x examples
(`masktune.statistics.crossed`); examples that belong together, by their texts or by a cluster of the
user's, count as one cluster. With one seed they cover the examples alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from masktune.own.data.examples import Examples
from masktune.own.stored import Run
from masktune.statistics import metrics
from masktune.statistics.crossed import crossed_mean, paired_difference
from masktune.statistics.intervals import Estimate

IN, OUT = "in distribution", "out of distribution"


@dataclass(frozen=True)
class Score:
    """One method on one part: accuracy (a share) with its interval, that of each seed, and the balanced accuracy."""

    accuracy: Estimate
    by_seed: list[float]
    balanced: float


@dataclass(frozen=True)
class PartScores:
    """One part: its size, its most frequent class, every method's score, and how the first differs from each other.

    `constant` is the class that is answered most often right, and the share on which it is. `differences` are the
    user's method minus the compared one, in shares.
    """

    name: str
    file: str
    kind: str
    examples: int
    constant: tuple[str, float]
    methods: dict[str, Score]
    differences: dict[str, Estimate]


@dataclass(frozen=True)
class ClassScore:
    """A class of the test part as one model answers it: examples, and precision, recall and F1 as shares."""

    name: str
    examples: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Chosen:
    """The run whose model is handed over: of the user's method, the seed that validated best.

    `confusion` [C, C] counts test examples by their class and the class that was answered. `beside` are the test
    accuracies of this seed by method.
    """

    method: str
    seed: int
    epoch: int
    validation: float
    accuracy: float
    balanced: float
    classes: list[ClassScore]
    confusion: list[list[int]]
    beside: dict[str, float]


def score_part(
    name: str, part: Examples, names: Sequence[str], runs: Mapping[str, Sequence[Run]], kind: str
) -> PartScores:
    """The scores of one part. `runs` are by method, the user's first; seeds that two have not both are left out."""
    index = {label: number for number, label in enumerate(names)}
    labels = np.array([index[label] for label in part.labels])
    _, clusters = np.unique(part.together(), return_inverse=True)
    right = {method: _right(own, name, labels) for method, own in runs.items()}
    first = next(iter(runs))
    counts = np.bincount(labels, minlength=len(names))
    return PartScores(
        name=name,
        file=part.name,
        kind=kind,
        examples=len(part),
        constant=(names[int(counts.argmax())], float(counts.max() / counts.sum())),
        methods={method: _score(own, name, labels, right[method], clusters) for method, own in runs.items()},
        differences={
            method: difference
            for method in list(runs)[1:]
            if (difference := _difference(runs[method], runs[first], right[method], right[first], clusters)) is not None
        },
    )


def _right(runs: Sequence[Run], name: str, labels: np.ndarray) -> np.ndarray:
    """Right or wrong of each seed [S, n]."""
    return np.stack([run.logits[name].argmax(-1) == labels for run in runs])


def _score(runs: Sequence[Run], name: str, labels: np.ndarray, right: np.ndarray, clusters: np.ndarray) -> Score:
    balanced = [metrics.balanced_accuracy(run.logits[name].argmax(-1), labels) for run in runs]
    estimate = crossed_mean(right, clusters).estimate().within(0, 1)
    return Score(estimate, right.mean(1).tolist(), float(np.mean(balanced)))


def _difference(
    others: Sequence[Run], own: Sequence[Run], right: np.ndarray, right_own: np.ndarray, clusters: np.ndarray
) -> Estimate | None:
    """How much more often `own` are right than `others`, over the seeds that both have."""
    seeds = [run.seed for run in own]
    pairs = [(number, seeds.index(run.seed)) for number, run in enumerate(others) if run.seed in seeds]
    if not pairs:
        return None
    first, second = (np.array(numbers) for numbers in zip(*pairs, strict=True))
    return paired_difference(right[first], right_own[second], clusters).estimate()


def choose(runs: Mapping[str, Sequence[Run]], part: Examples, names: Sequence[str]) -> Chosen:
    """The run of the user's method with the best validation score (of equals the lowest seed), on the test part."""
    first = next(iter(runs))
    best = max(runs[first], key=lambda run: (run.score, -run.seed))
    index = {label: number for number, label in enumerate(names)}
    labels = np.array([index[label] for label in part.labels])
    answers = best.logits["test"].argmax(-1)
    beside = {
        method: metrics.accuracy(run.logits["test"].argmax(-1), labels)
        for method, own in runs.items()
        for run in own
        if run.seed == best.seed
    }
    return Chosen(
        method=first,
        seed=best.seed,
        epoch=best.epoch,
        validation=best.score,
        accuracy=metrics.accuracy(answers, labels),
        balanced=metrics.balanced_accuracy(answers, labels),
        classes=by_class(answers, labels, names),
        confusion=confusion(answers, labels, len(names)).tolist(),
        beside=beside,
    )


def confusion(answers: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Counts [C, C] of examples by class (row) and answer (column). [n], [n] -> [C, C]."""
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (labels, answers), 1)
    return counts


def by_class(answers: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> list[ClassScore]:
    """Precision, recall and F1 of each class. A share of nothing counts as 0. [n], [n] -> C."""
    counts = confusion(answers, labels, len(names))
    right, answered, there = np.diag(counts), counts.sum(0), counts.sum(1)
    precision, recall = right / np.maximum(answered, 1), right / np.maximum(there, 1)
    f1 = 2 * right / np.maximum(answered + there, 1)
    return [
        ClassScore(name, int(there[number]), *(float(values[number]) for values in (precision, recall, f1)))
        for number, name in enumerate(names)
    ]


def plain(value: Any) -> Any:
    """Numbers for JSON: NaN, the end of an interval that there is none of, is null."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value
