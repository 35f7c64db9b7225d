"""From a file to a study: studies/<name>.toml -> Study, with errors that name file, key and value."""

import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from masktune.data import COLLECTIONS, EVALUATION, TASKS
from masktune.errors import MaskTuneError, one_of
from masktune.models.spec import ModelSpec
from masktune.records import among, check_value, record, require, require_name
from masktune.study.design.cells import Training
from masktune.study.design.claims import parse_claims, parse_slopes
from masktune.study.design.comparisons import check, check_slopes
from masktune.study.design.diversity import parse_diversity
from masktune.study.design.gates import parse_gates
from masktune.study.design.grid import GridRow, check_labels, parse_row
from masktune.study.design.parsing import each_once, seeds_of
from masktune.study.design.study import Published, Study
from masktune.study.design.tuning import parse_chosen, parse_tuning
from masktune.study.paths import study_file, tuned_file

# Beside [models], which the header holds.
TABLES = ("training", "tuning", "diversity", "gates", "grid", "claims", "slopes")
BESIDE = ("seeds", "published")  # keys of [models.<name>] that say nothing of the model itself
KEYS = ("name", "title", "question", "data", "tasks", "seeds", "rounded_logits", "models", *TABLES)


def load_study(name: str) -> Study:
    """The study of that name, studies/<name>.toml. Raises MaskTuneError, naming file, key and value, for a mistake."""
    path = study_file(name)
    try:
        study = parse_study(_read(path))
        require(study.name == name, "name", study.name, f"{name!r}, the name of the file")
        if study.tuning is not None and (path := tuned_file(name)).is_file():
            chosen = parse_chosen(name, study.tuning, study.grid, _read(path))
            study = replace(study, chosen=chosen)
    except tomllib.TOMLDecodeError as error:
        raise MaskTuneError(f"{path.name} is not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise MaskTuneError(f"{path.name} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise MaskTuneError(f"{path.name} cannot be read: {error.strerror}") from None
    except MaskTuneError as error:
        raise MaskTuneError(f"{path.name}: {error}") from None
    return study


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class _Header:
    """The keys at the top of a study file, above its tables."""

    name: str
    data: str
    tasks: tuple[str, ...]
    models: dict
    title: str = ""
    question: str = ""
    seeds: Any = 1
    rounded_logits: bool = False

    def __post_init__(self) -> None:
        require_name(self.name)
        one_of(self.data, COLLECTIONS, "data")
        each_once(self.tasks, TASKS, "task", "tasks")
        require(len(self.models) > 0, "models", {}, "at least one [models.<name>] table")


def parse_study(table: Mapping[str, Any]) -> Study:
    """The study that a parsed TOML file declares."""
    for key in table:
        among(key, KEYS, "key", "top of the file")
    rest = {key: value for key, value in table.items() if key not in TABLES}
    header = record(_Header, rest, "top of the file")
    seeds = seeds_of(header.seeds)
    models = tuple(_model(name, entry) for name, entry in header.models.items())
    model_seeds = {
        name: seeds_of(entry["seeds"], f"[models.{name}] seeds")
        for name, entry in header.models.items()
        if "seeds" in entry
    }
    published = {
        name: _published(name, entry["published"], header)
        for name, entry in header.models.items()
        if "published" in entry
    }
    general, by_task = _training(table.get("training", {}), header.tasks)
    names = {"models": tuple(model.name for model in models), "tasks": header.tasks}
    grid = tuple(parse_row(row, names, seeds, header.data) for row in _tables(table, "grid"))
    require(len(grid) > 0, "grid", [], "at least one [[grid]] table")
    parts = sorted({row.part for row in grid})
    require("main" in parts, "[[grid]] part", parts, "at least one row of part 'main', which tables and figures show")
    check_labels(grid)
    _check_epochs(grid, by_task)
    study = Study(
        header.name, header.title or header.name, header.question, header.data, header.tasks, seeds,
        general, by_task, models, model_seeds, grid,
        tuple(claim for entry in _tables(table, "claims") for claim in parse_claims(entry, names, grid)),
        parse_tuning(table.get("tuning"), grid), diversity=parse_diversity(table.get("diversity"), header.tasks),
        gates=parse_gates(table.get("gates"), header.tasks, grid), published=published,
        slopes=parse_slopes(_tables(table, "slopes"), grid), rounded_logits=header.rounded_logits,
    )  # fmt: skip
    _check_claims(study)
    return study


def _model(name: str, table: Any) -> ModelSpec:
    require(isinstance(table, Mapping), f"[models] {name}", table, f"a table [models.{name}] with checkpoint = ...")
    if "name" in table:
        raise MaskTuneError(f"[models.{name}] name = {table['name']!r}; leave it out, the table's own name is the name")
    rest = {key: value for key, value in table.items() if key not in BESIDE}
    return record(ModelSpec, {"name": name, **rest}, f"[models.{name}]")


def _published(name: str, table: Any, header: _Header) -> Published:
    """What was published of a model: `of`, and an accuracy in per cent for sets in distribution."""
    where = f"[models.{name}] published"
    require(isinstance(table, Mapping), where, table, "a table { of = ..., <set> = <per cent> }")
    rest = {key: value for key, value in table.items() if key != "of"}
    of = table.get("of")
    require(isinstance(of, str) and bool(of.strip()), f"{where} of", of, "a text: which data, by whom")
    kinds = [EVALUATION[header.data][task] for task in header.tasks]
    sets = [each for own in kinds for each, kind in own.items() if kind == "in_distribution"]
    require(len(rest) > 0, where, dict(table), f"an accuracy for at least one of {', '.join(sets)}")
    for key, value in rest.items():
        among(key, sets, "set in distribution", where)
        accuracy = check_value(value, float, f"{where} {key}")
        require(0 < accuracy <= 100, f"{where} {key}", value, "an accuracy in per cent")
    return Published(str(of), {key: float(value) for key, value in rest.items()})


def _training(table: Any, tasks: tuple[str, ...]) -> tuple[Training, dict[str, Training]]:
    """The general settings, and those of every task: general ones with the keys of [training.<task>] on top."""
    require(isinstance(table, Mapping), "training", table, "a table [training]")
    overrides = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    general = {key: value for key, value in table.items() if key not in overrides}
    for task in overrides:
        among(task, tasks, "task of the study", "[training.<task>]")
    by_task = {task: record(Training, {**general, **overrides.get(task, {})}, f"[training.{task}]") for task in tasks}
    return record(Training, general, "[training]"), by_task


def _tables(table: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = table.get(key, [])
    fine = isinstance(value, list) and all(isinstance(item, Mapping) for item in value)
    require(fine, key, value, f"tables that begin with [[{key}]]")
    return value


def _check_epochs(grid: tuple[GridRow, ...], by_task: Mapping[str, Training]) -> None:
    """Raise MaskTuneError where a second stage would follow a part of an epoch."""
    for row in grid:
        for variant, task in itertools.product(row.variants, row.tasks):
            epochs = variant.training.get("epochs", by_task[task].epochs)
            whole = not variant.whole_epochs or float(epochs).is_integer()
            where = f"[[grid]] {variant.label!r} on {task}: epochs"
            require(whole, where, epochs, f"a whole number, as {row.method!r} has a second stage")


def _check_claims(study: Study) -> None:
    """Claims and gates compare what the study stores, and a claim can be decided by it.

    A label whose cells are all another row's has no runs of its own.
    """
    named = {"[[claims]]": {label for claim in study.claims for label in (claim.method, claim.against)}}
    named["[gates]"] = set() if study.gates is None else set(study.gates.labels)
    stored = {cell.label for cell in study.cells} if any(named.values()) else set()
    for where, labels in named.items():
        for label in sorted(labels - stored):
            raise MaskTuneError(f"{where} {label!r} has the same cells as an earlier row; name that row's label")
    for claim in study.claims:
        check(study, claim)
    for declared in study.slopes:
        check_slopes(study, declared)
