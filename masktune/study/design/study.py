"""A declared study: what its file says, and the cells that follow from it."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from masktune.data import SINGLE_TEXT
from masktune.models.spec import ModelSpec
from masktune.study.design.cells import Cell, Training
from masktune.study.design.claims import Claim, Slopes
from masktune.study.design.diversity import Diversity
from masktune.study.design.gates import Gates
from masktune.study.design.grid import GridRow, Variant
from masktune.study.design.tuning import Tuning, with_settings


@dataclass(frozen=True)
class Published:
    """What was published of a model: `accuracy` in per cent by the set that ours is read on, and what it is `of`."""

    of: str
    accuracy: dict[str, float]


@dataclass(frozen=True)
class Study:
    """A study. `training` is general; `task_training` holds every task's own settings.

    `model_seeds` holds the seeds of the models that name some: no row has others on them. `chosen` holds the settings
    that tuning chose, by (label, model, task); `published` what the authors of a model report, by model. With
    `rounded_logits` the logits are gathered rounded (masktune.study.store.layout): millions of answers in few bytes.
    """

    name: str
    title: str
    question: str
    data: str
    tasks: tuple[str, ...]
    seeds: tuple[int, ...]
    training: Training
    task_training: dict[str, Training]
    models: tuple[ModelSpec, ...]
    model_seeds: dict[str, tuple[int, ...]]
    grid: tuple[GridRow, ...]
    claims: tuple[Claim, ...] = ()
    tuning: Tuning | None = None
    chosen: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    diversity: Diversity | None = None
    gates: Gates | None = None
    published: dict[str, Published] = field(default_factory=dict)
    slopes: tuple[Slopes, ...] = ()
    rounded_logits: bool = False

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

    def _cells_of(self, model: ModelSpec, task: str) -> Iterable[Cell]:
        training = self.task_training[task]
        for row in self.grid:
            if model.name in row.models and task in row.tasks:
                own_model = model if row.adaptation is None else replace(model, adaptation=row.adaptation)
                for variant in row.variants:
                    if _is_gap(variant, task):
                        continue
                    best = self.chosen.get((row.tuned_as or variant.label, model.name, task))
                    if best is not None:
                        variant = with_settings(row.method, variant, best)
                    # Cells that share their training share the text that it adds to their ids.
                    own = replace(training, **variant.training) if variant.training else training
                    seeds = tuple(seed for seed in row.seeds if seed in self.model_seeds.get(model.name, row.seeds))
                    rest = (row.method, variant.options, own, seeds, row.data_options)
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
    return variant.needs_pairs and task in SINGLE_TEXT
