"""Equal treatment: every method has the same number of trials, judged by in-distribution validation alone.

[tuning] in the file of a study declares the trials, their seeds (none of the study's own) and the space that all
methods share; a row of the grid may add settings of its method to it (`tune`). The trials are points of that space
drawn at random, the same on every task. How they run and are judged is in masktune.study.plan.trials; the best of them
is in studies/tuned/<name>.toml for each label, model and task.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any

from masktune.records import among, record, require
from masktune.streams import derive
from masktune.study.design.cells import Training, build_method
from masktune.study.design.grid import GridRow, Variant
from masktune.study.design.parsing import seeds_of

TRAINING = frozenset(item.name for item in fields(Training))


@dataclass(frozen=True)
class Tuning:
    """How a study is tuned: `trials` for each label, model and task, `seeds` of each, `space` setting -> values."""

    trials: int
    seeds: tuple[int, ...]
    space: dict


def parse_tuning(table: Any, grid: tuple[GridRow, ...]) -> Tuning | None:
    """The [tuning] table, checked with the rows that add to it. Raises MaskTuneError for a space that cannot be."""
    if table is None:
        for row in grid:
            require(not row.tune and row.tuned_as is None, f"[[grid]] {row.label!r} tune", row.tune, "[tuning] as well")
        return None
    require(isinstance(table, Mapping), "tuning", table, "a table [tuning]")
    seeds = {"seeds": list(seeds_of(table["seeds"], "[tuning] seeds"))} if "seeds" in table else {}
    tuning = record(Tuning, {**table, **seeds}, "[tuning]")
    labels = {row.label for row in grid if row.tuned_as is None}
    for row in grid:
        where = f"[[grid]] {row.label!r}"
        if row.tuned_as is None:
            _check_space(tuning, row, where)
        else:
            among(row.tuned_as, sorted(labels), "label that is tuned", f"{where} tuned_as")
            require(not row.tune, f"{where} tune", row.tune, "nothing beside tuned_as")
    return tuning


def _check_space(tuning: Tuning, row: GridRow, where: str) -> None:
    require(len(row.variants) == 1, where, [v.label for v in row.variants], "no sweep in a row that is tuned")
    points = _points(tuning, row)
    require(1 <= tuning.trials <= len(points), "[tuning] trials", tuning.trials, f"1 to {len(points)} for {where}")
    for point in points:
        with_settings(row.method, row.variants[0], point)


def _points(tuning: Tuning, row: GridRow) -> list[dict[str, Any]]:
    """All points of the space of a row."""
    space = {**tuning.space, **row.tune}
    for name, values in space.items():
        fine = isinstance(values, list) and len(values) > 0
        require(fine, f"[[grid]] {row.label!r} tune {name}", values, "a list of values")
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]


def settings_of(tuning: Tuning, row: GridRow) -> list[dict[str, Any]]:
    """The settings of each trial of a row: points of its space, drawn without replacement."""
    return Random(derive(0, "tuning", row.label)).sample(_points(tuning, row), tuning.trials)


def with_settings(method: str, variant: Variant, settings: Mapping[str, Any]) -> Variant:
    """A variant with other settings: of training, and the rest of them options of the method."""
    training = {name: value for name, value in settings.items() if name in TRAINING}
    options = {name: value for name, value in settings.items() if name not in TRAINING}
    record(Training, training, "training")
    chosen = build_method(method, {**variant.options, **options}).options()
    return replace(variant, options=chosen, training={**variant.training, **training})


def parse_chosen(
    study_name: str, tuning: Tuning, grid: Iterable[GridRow], tables: Mapping[str, Any]
) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The chosen settings by (label, model, task). Raises MaskTuneError for what is no trial of the study."""
    for model, of_model in tables.items():
        fine = isinstance(of_model, Mapping) and all(isinstance(of_task, Mapping) for of_task in of_model.values())
        require(fine, f"the choices for {model}", of_model, f"tables [{model}.<task>] of labels and settings")
    rows = {(row.label, model, task): row for row in tuned_rows(grid) for model in row.models for task in row.tasks}
    chosen = {
        (label, model, task): settings
        for model, of_model in tables.items()
        for task, of_task in of_model.items()
        for label, settings in of_task.items()
    }
    for place, settings in chosen.items():
        fine = place in rows and settings in settings_of(tuning, rows[place])
        expected = f"a trial of the study; run: python -m masktune tune {study_name}"
        require(fine, f"the choice for {', '.join(place)}", settings, expected)
    return chosen


def tuned_rows(grid: Iterable[GridRow]) -> list[GridRow]:
    """The rows that have trials of their own."""
    return [row for row in grid if row.tuned_as is None]
