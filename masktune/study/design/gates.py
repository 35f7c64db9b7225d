"""The gates of a study: what must hold before a comparison says anything about robustness, declared before it runs.

    [gates]
    declared = "2026-11-26"
    trained = { accuracy = { sentiment = 90, inference = 85 }, loss = 0.9 }
    control = { label = "fine-tuning, cue-free", against = "fine-tuning", gain = 15 }
    remedies = { labels = ["Product of Experts"], against = "fine-tuning" }

Did a row train, can a set tell a robust model from another, do known remedies work: `masktune.statistics.gates` judges
the first two, `masktune.analysis.claims.gates` all three on stored runs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from masktune.records import among, check_value, record, require
from masktune.study.design.grid import GridRow
from masktune.study.design.parsing import each_once


@dataclass(frozen=True)
class Trained:
    """When a row counts as trained.

    `accuracy` is the least mean accuracy in distribution over seeds, in per cent, by task; `loss` the largest
    classification loss at the end of training, as a share of ln(classes), which is what guessing gives.
    """

    accuracy: dict[str, float]
    loss: float

    def __post_init__(self) -> None:
        for task, percent in self.accuracy.items():
            require(0 < percent <= 100, f"accuracy of {task}", percent, "per cent above 0, at most 100")
        require(0 < self.loss <= 1, "loss", self.loss, "a share of ln(classes) above 0, at most 1")


@dataclass(frozen=True)
class Control:
    """The positive control: on a set that can tell, the row `label` is more than `gain` points above `against`."""

    label: str
    against: str
    gain: float = 15.0

    def __post_init__(self) -> None:
        require(self.label != self.against, "against", self.against, "another label than the control's")
        require(0 < self.gain < 100, "gain", self.gain, "points of accuracy above 0 and below 100")


@dataclass(frozen=True)
class Remedies:
    """Rows that are known to help where the bias is known, compared with `against`."""

    labels: tuple[str, ...]
    against: str

    def __post_init__(self) -> None:
        require(self.against not in self.labels, "against", self.against, "another label than the remedies'")


@dataclass(frozen=True)
class Gates:
    """The [gates] table. `declared` is the day it was written, as YYYY-MM-DD."""

    declared: str
    trained: Trained
    control: Control | None = None
    remedies: Remedies | None = None

    def __post_init__(self) -> None:
        require(_is_day(self.declared), "declared", self.declared, "a day, as YYYY-MM-DD")

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the grid that the gates name."""
        control = () if self.control is None else (self.control.label, self.control.against)
        return control if self.remedies is None else (*control, *self.remedies.labels, self.remedies.against)


def parse_gates(table: Any, tasks: tuple[str, ...], grid: Iterable[GridRow]) -> Gates | None:
    """The [gates] table, None where there is none. Raises MaskTuneError for a label or a task the study lacks."""
    if table is None:
        return None
    gates = record(Gates, _per_task(table, tasks), "[gates]")
    known = tuple(dict.fromkeys(variant.label for row in grid for variant in row.variants))
    for label in gates.labels:
        among(label, known, "label", "[gates]")
    if gates.remedies is not None:
        each_once(gates.remedies.labels, known, "label", "[gates] remedies labels")
    return gates


def _per_task(table: Any, tasks: tuple[str, ...]) -> Any:
    """The table with an accuracy for each task of the study; one number is meant for all of them."""
    if not isinstance(table, Mapping) or not isinstance(trained := table.get("trained"), Mapping):
        return table
    where = "[gates] trained accuracy"
    accuracy = trained.get("accuracy", {})
    if not isinstance(accuracy, Mapping):
        accuracy = dict.fromkeys(tasks, accuracy)
    for task in accuracy:
        among(task, tasks, "task of the study", where)
    missing = [task for task in tasks if task not in accuracy]
    require(not missing, where, dict(accuracy), f"a number for {', '.join(missing)} as well, or one number for all")
    numbers = {task: check_value(value, float, f"{where} {task}") for task, value in accuracy.items()}
    return {**table, "trained": {**trained, "accuracy": numbers}}


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
