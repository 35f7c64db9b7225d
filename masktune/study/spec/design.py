"""A study as declared before it runs: studies/<name>.toml -> Study with its cells and claims."""

import itertools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from masktune.errors import MaskTuneError, one_of
from masktune.study.paths import study_file, tuned_file
from masktune.study.spec import tuning
from masktune.study.spec.cells import NAME, NAME_IN_WORDS, Cell, Model, Training
from masktune.study.spec.claims import Claim, check, parse_claims
from masktune.study.spec.diversity import Diversity
from masktune.study.spec.grid import GridRow, Variant, check_labels, parse_row
from masktune.study.spec.parsing import among, each_once, record, require, seeds_of
from masktune.study.spec.tuning import Tuning

TABLES = ("training", "tuning", "diversity", "grid", "claims")  # beside [models], which the header holds
KEYS = ("name", "title", "question", "data", "tasks", "seeds", "models", *TABLES)


@dataclass(frozen=True)
class Study:
    """A declared study. `training` is general; `task_training` holds every task's own settings.

    `model_seeds` holds the seeds of the models that name some: no row has others on them. `chosen` holds the settings
    that tuning chose, by (label, model, task).
    """

    name: str
    title: str
    question: str
    data: str
    tasks: tuple[str, ...]
    seeds: tuple[int, ...]
    training: Training
    task_training: dict[str, Training]
    models: tuple[Model, ...]
    model_seeds: dict[str, tuple[int, ...]]
    grid: tuple[GridRow, ...]
    claims: tuple[Claim, ...] = ()
    tuning: Tuning | None = None
    chosen: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    diversity: Diversity | None = None

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell once, in the order model, task, grid row.

        Two rows that ask for the same cell share it under the first row's label, with the seeds of both.
        """
        cells: dict[str, Cell] = {}
        for model, task in itertools.product(self.models, self.tasks):
            for cell in self._cells_of(model, task):
                known = cells.setdefault(cell.id, cell)
                if known is not cell and not set(cell.seeds) <= set(known.seeds):
                    seeds = tuple(sorted({*known.seeds, *cell.seeds}))
                    cells[cell.id] = replace(known, seeds=seeds)
        return tuple(cells.values())

    def _cells_of(self, model: Model, task: str) -> Iterable[Cell]:
        training = self.task_training[task]
        for row in self.grid:
            if model.name in row.models and task in row.tasks:
                own_model = model if row.adaptation is None else replace(model, adaptation=row.adaptation)
                for variant in row.variants:
                    if _is_gap(variant, task):
                        continue
                    best = self.chosen.get((row.tuned_as or variant.label, model.name, task))
                    if best is not None:
                        variant = tuning.with_settings(row.method, variant, best)
                    # Cells that share their training share the text that it adds to their ids.
                    own = replace(training, **variant.training) if variant.training else training
                    seeds = tuple(seed for seed in row.seeds if seed in self.model_seeds.get(model.name, row.seeds))
                    rest = (row.method, variant.options, own, seeds)
                    yield Cell(self.name, variant.label, self.data, task, own_model, *rest)

    @cached_property
    def parts(self) -> dict[str, str]:
        """The part of the study (grid.PARTS) that each label belongs to."""
        return {variant.label: row.part for row in self.grid for variant in row.variants}

    @cached_property
    def declared_seeds(self) -> dict[tuple[str, str, str], tuple[int, ...]]:
        """The seeds of each cell by (label, model, task)."""
        return {(cell.label, cell.model.name, cell.task): cell.seeds for cell in self.cells}

    @property
    def gaps(self) -> tuple[tuple[str, str], ...]:
        """(label, task) of what the grid asks for and cannot be: a method of two texts on a task of one."""
        rows = ((row, variant) for row in self.grid for variant in row.variants)
        return tuple((variant.label, task) for row, variant in rows for task in row.tasks if _is_gap(variant, task))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the grid, in its order: one for each method with its options."""
        return tuple(dict.fromkeys(variant.label for row in self.grid for variant in row.variants))


def _is_gap(variant: Variant, task: str) -> bool:
    from masktune.data import SINGLE_TEXT

    return variant.needs_pairs and task in SINGLE_TEXT


def load(name: str) -> Study:
    """The study of that name, studies/<name>.toml. Raises MaskTuneError, naming file, key and value, for a mistake."""
    path = study_file(name)
    try:
        study = parse(tomllib.loads(path.read_text(encoding="utf-8")))
        require(study.name == name, "name", study.name, f"{name!r}, the name of the file")
        if study.tuning is not None and (path := tuned_file(name)).is_file():
            study = replace(study, chosen=tuning.parse_chosen(study, tomllib.loads(path.read_text(encoding="utf-8"))))
    except tomllib.TOMLDecodeError as error:
        raise MaskTuneError(f"{path.name} is not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise MaskTuneError(f"{path.name} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise MaskTuneError(f"{path.name} cannot be read: {error.strerror}") from None
    except MaskTuneError as error:
        raise MaskTuneError(f"{path.name}: {error}") from None
    return study


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

    def __post_init__(self):
        from masktune.data import COLLECTIONS, TASKS

        require(bool(NAME.fullmatch(self.name)), "name", self.name, NAME_IN_WORDS)
        one_of(self.data, COLLECTIONS, "data")
        each_once(self.tasks, TASKS, "task", "tasks")
        require(len(self.models) > 0, "models", {}, "at least one [models.<name>] table")


def parse(table: Mapping[str, Any]) -> Study:
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
    general, by_task = _training(table.get("training", {}), header.tasks)
    names = {"models": tuple(model.name for model in models), "tasks": header.tasks}
    grid = tuple(parse_row(row, names, seeds) for row in _tables(table, "grid"))
    require(len(grid) > 0, "grid", [], "at least one [[grid]] table")
    parts = sorted({row.part for row in grid})
    require("main" in parts, "[[grid]] part", parts, "at least one row of part 'main', which tables and figures show")
    check_labels(grid)
    _check_epochs(grid, by_task)
    study = Study(
        header.name, header.title or header.name, header.question, header.data, header.tasks, seeds,
        general, by_task, models, model_seeds, grid,
        tuple(claim for entry in _tables(table, "claims") for claim in parse_claims(entry, names, grid)),
        tuning.parse_tuning(table.get("tuning"), grid),
    )  # fmt: skip
    _check_claims(study)
    return study if "diversity" not in table else replace(study, diversity=_diversity(table["diversity"], study.tasks))


def _diversity(table: Any, tasks: tuple[str, ...]) -> Diversity:
    found = record(Diversity, table, "[diversity]")
    among(found.task, tasks, "task of the study", "[diversity]")
    return found


def _model(name: str, table: Any) -> Model:
    require(isinstance(table, Mapping), f"[models] {name}", table, f"a table [models.{name}] with checkpoint = ...")
    if "name" in table:
        raise MaskTuneError(f"[models.{name}] name = {table['name']!r}; leave it out, the table's own name is the name")
    rest = {key: value for key, value in table.items() if key != "seeds"}
    return record(Model, {"name": name, **rest}, f"[models.{name}]")


def _training(table: Any, tasks: tuple[str, ...]) -> tuple[Training, dict[str, Training]]:
    """The general settings, and those of every task: general ones with the keys of [training.<task>] on top."""
    require(isinstance(table, Mapping), "training", table, "a table [training]")
    overrides = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    general = {key: value for key, value in table.items() if key not in overrides}
    for task in overrides:
        among(task, tasks, "task of the study", "[training.<task>]")
    by_task = {task: record(Training, general | overrides.get(task, {}), f"[training.{task}]") for task in tasks}
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
    """A claim compares what the study stores, and can be decided by it.

    A label whose cells are all another row's has no runs of its own.
    """
    if study.claims:
        stored = {cell.label for cell in study.cells}
        for label in {label for claim in study.claims for label in (claim.first, claim.second)} - stored:
            raise MaskTuneError(f"[[claims]] {label!r} has the same cells as an earlier row; name that row's label")
    for claim in study.claims:
        check(study, claim)
