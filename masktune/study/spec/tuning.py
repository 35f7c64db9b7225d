"""Equal treatment: every method has the same number of trials, judged by in-distribution validation alone.

[tuning] in the file of a study declares the trials, their seeds (none of the study's own) and the space that all
methods share; a row of the grid may add settings of its method to it (`tune`). The trials are points of that space
drawn at random, the same on every task, and run as a study of their own, <name>-tuning. For each label, model and task
the best of them is kept in studies/tuned/<name>.toml, which `design.load` reads.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from masktune.errors import MaskTuneError
from masktune.streams import derive
from masktune.study.paths import tuned_folder
from masktune.study.spec.cells import Training, built
from masktune.study.spec.grid import GridRow, Variant
from masktune.study.spec.parsing import among, record, require, seeds_of

if TYPE_CHECKING:
    import pandas

    from masktune.study.spec.design import Study

SUFFIX = "-tuning"
TRAINING = frozenset(item.name for item in fields(Training))
COLUMNS = ("label", "model", "task", "trial", "settings", "validation", "chosen")


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
    chosen = built(method, {**variant.options, **options}).options()
    return replace(variant, options=chosen, training={**variant.training, **training})


def trials(study: "Study") -> "Study":
    """The trials of a study as a study. Raises MaskTuneError where it declares no tuning, or a seed of its own."""
    tuning = study.tuning
    if tuning is None:
        raise MaskTuneError(f"the study {study.name!r} declares no tuning; add a [tuning] table to its file")
    own = {seed for cell in study.cells for seed in cell.seeds} & set(tuning.seeds)
    require(not own, "[tuning] seeds", list(tuning.seeds), "seeds that the study itself does not use")
    rows = tuple(
        replace(row, variants=tuple(variant for _, variant in _trials(tuning, row)), seeds=tuning.seeds)
        for row in _tuned(study)
    )
    own_name = f"{study.name}{SUFFIX}"
    return replace(study, name=own_name, grid=rows, model_seeds={}, claims=(), tuning=None, chosen={}, diversity=None)


def _trials(tuning: Tuning, row: GridRow) -> Iterator[tuple[dict[str, Any], Variant]]:
    for number, settings in enumerate(settings_of(tuning, row), 1):
        variant = with_settings(row.method, row.variants[0], settings)
        yield settings, replace(variant, label=f"{row.label}, trial {number}")


def table(study: "Study", runs: "pandas.DataFrame") -> "pandas.DataFrame":
    """A row for each label, model, task and trial: COLUMNS; `runs` are the gathered ones of `trials(study)`.

    `validation` is the mean accuracy (a share) over seeds and in-distribution sets, and nothing else of a run is looked
    at; of equal trials the first is chosen. A trial that failed has accuracy 0, as one that learned nothing.
    Raises MaskTuneError for a trial without a run.
    """
    import pandas

    places = ((row, model, task) for row in _tuned(study) for model in row.models for task in row.tasks)
    found = [entry for place in places for entry in _of(study, *place, runs)]
    frame = pandas.DataFrame(found, columns=COLUMNS[:-1])
    best = frame.groupby(["label", "model", "task"], sort=False)["validation"].idxmax()
    return frame.assign(chosen=frame.index.isin(best))


def _of(study: "Study", row: GridRow, model: str, task: str, runs: "pandas.DataFrame") -> Iterator[tuple]:
    from masktune.data import EVALUATION

    inside = [f"accuracy/{name}" for name, kind in EVALUATION[study.data][task].items() if kind == "in_distribution"]
    for number, (settings, variant) in enumerate(_trials(study.tuning, row), 1):
        own = runs[(runs["label"] == variant.label) & (runs["model"] == model) & (runs["task"] == task)]
        if own["status"].isin(("missing", "damaged")).any():
            raise MaskTuneError(f"{variant.label!r} has not run on {model}, {task}; run: python -m masktune tune again")
        if len(own):
            accuracy = own[inside].fillna(0.0).to_numpy().mean()
            yield row.label, model, task, number, json.dumps(settings), float(accuracy)


def keep(study: "Study", found: "pandas.DataFrame") -> tuple[Path, Path]:
    """Write a table of trials to studies/tuned/<name>.csv and the choice to the TOML file beside it."""
    paths = tuple(tuned_folder(study.name) / f"{study.name}{suffix}" for suffix in (".csv", ".toml"))
    for path, text in zip(paths, (found.to_csv(index=False), chosen_text(study, found)), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return paths


def chosen_text(study: "Study", found: "pandas.DataFrame") -> str:
    """The text of studies/tuned/<name>.toml from a table of trials."""
    lines = [
        f"# Chosen by `python -m masktune tune {study.name}`: for each label, model and task the best of",
        f"# {study.tuning.trials} trials by accuracy on the in-distribution validation sets alone.",
    ]
    for (model, task), part in found[found["chosen"]].groupby(["model", "task"], sort=False):
        lines += ["", f"[{model}.{task}]"]
        lines += [f"{json.dumps(row.label)} = {_inline(json.loads(row.settings))}" for row in part.itertuples()]
    return "\n".join(lines) + "\n"


def _inline(settings: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{name} = {json.dumps(value)}" for name, value in settings.items()) + " }"


def parse_chosen(study: "Study", tables: Mapping[str, Any]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The chosen settings by (label, model, task). Raises MaskTuneError for what is no trial of the study."""
    for model, of_model in tables.items():
        fine = isinstance(of_model, Mapping) and all(isinstance(of_task, Mapping) for of_task in of_model.values())
        require(fine, f"the choices for {model}", of_model, f"tables [{model}.<task>] of labels and settings")
    rows = {(row.label, model, task): row for row in _tuned(study) for model in row.models for task in row.tasks}
    chosen = {
        (label, model, task): settings
        for model, of_model in tables.items()
        for task, of_task in of_model.items()
        for label, settings in of_task.items()
    }
    for place, settings in chosen.items():
        fine = place in rows and settings in settings_of(study.tuning, rows[place])
        expected = f"a trial of the study; run: python -m masktune tune {study.name}"
        require(fine, f"the choice for {', '.join(place)}", settings, expected)
    return chosen


def _tuned(study: "Study") -> list[GridRow]:
    """The rows that have trials of their own."""
    return [row for row in study.grid if row.tuned_as is None]
