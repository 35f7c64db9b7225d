"""What is compared in a study: by a claim, one comparison for each model and set that it speaks of; by slopes, places.

A place is a task, a model and settings of training at which two rows of the grid have a cell each.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from masktune.data import EVALUATION
from masktune.errors import MaskTuneError
from masktune.models.spec import ModelSpec
from masktune.records import among
from masktune.study.design.claims import ADAPTATION, LEVEL, TRAINING, Claim, Slopes, seeds_needed, smallest_p
from masktune.study.design.study import Study


@dataclass(frozen=True)
class Comparison:
    """What a claim says of one model and set. `seeds` are those that both of its methods are declared with."""

    model: str
    task: str
    set: str
    kind: str
    seeds: tuple[int, ...]


def comparisons(study: Study, claim: Claim) -> tuple[Comparison, ...]:
    """Every comparison of a claim, in the order task, set, model: where the study has cells of both methods."""
    places = []
    for task in claim.tasks or study.tasks:
        chosen = [item for item in EVALUATION[study.data][task].items() if _is_meant(claim, *item)]
        for (name, kind), model in itertools.product(chosen, claim.models or [model.name for model in study.models]):
            seeds, others = (study.declared_seeds.get((label, model, task)) for label in (claim.method, claim.against))
            if seeds is not None and others is not None:
                places.append(Comparison(model, task, name, kind, tuple(seed for seed in seeds if seed in others)))
    return tuple(places)


def _is_meant(claim: Claim, name: str, kind: str) -> bool:
    return name in claim.sets if claim.sets else kind == claim.kind


def check(study: Study, claim: Claim) -> None:
    """Raise MaskTuneError for a set that no task has, and for a claim whose test can never reach its level."""
    known = [name for task in claim.tasks or study.tasks for name in EVALUATION[study.data][task]]
    for name in claim.sets:
        among(name, known, "set", "[[claims]]")
    places = comparisons(study, claim)
    who = f"[[claims]] {claim.method!r} against {claim.against!r}"
    if not places:
        raise MaskTuneError(f"{who}: no model and task has cells of both; change models, tasks or the grid")
    fewest = min(places, key=lambda comparison: len(comparison.seeds))
    floor = smallest_p(len(fewest.seeds), claim.sides)
    if floor > LEVEL:
        raise MaskTuneError(
            f"{who}: {len(fewest.seeds)} paired seeds ({fewest.model}, {fewest.task}), and a sign-flip test over them "
            f"cannot go below {floor:.4g}; declare {seeds_needed(LEVEL, claim.sides)} seeds or more, or "
            'test = "estimate"'
        )


# ---- slopes


@dataclass(frozen=True)
class Place:
    """Where two rows of the grid are compared: `method` and `against` are the labels of their cells there.

    `training` are the settings that the two share, as canonical JSON; `adaptation` the steps that the language model
    was adapted for, None where it was not; `seeds` those that both are declared with.
    """

    task: str
    model: str
    training: str
    method: str
    against: str
    adaptation: int | None
    seeds: tuple[int, ...]


def places(study: Study, declared: Slopes) -> tuple[Place, ...]:
    """Every place of declared slopes, in the order task, model, training."""
    return tuple(
        place for task in study.tasks for model in study.models for place in _places_of(study, declared, task, model)
    )


def _places_of(study: Study, declared: Slopes, task: str, model: ModelSpec) -> Iterator[Place]:
    ours, theirs = (_by_training(study, label, task, model.name) for label in (declared.method, declared.against))
    steps = None if model.adaptation is None else model.adaptation.steps
    for training in ours:
        if training in theirs:
            (first, one), (second, other) = ours[training], theirs[training]
            yield Place(task, model.name, training, first, second, steps, tuple(seed for seed in one if seed in other))


def _by_training(study: Study, label: str, task: str, model: str) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The label and seeds of each cell of a grid row by its settings of training.

    Raises MaskTuneError where several cells are trained alike, or a row adapts its models itself.
    """
    rows = [row for row in study.grid if row.label == label and task in row.tasks and model in row.models]
    if any(row.adaptation is not None for row in rows):
        raise MaskTuneError(f"[[slopes]] {label!r} adapts its models itself; give each adaptation a model of its own")
    variants = {variant.label for row in rows for variant in row.variants}
    own = [cell for cell in study.cells if (cell.task, cell.model.name) == (task, model) and cell.label in variants]
    found = {cell.training.canonical: (cell.label, cell.seeds) for cell in own}
    if len(found) < len(own):
        raise MaskTuneError(f"[[slopes]] {label!r} has several cells of one training; sweep settings of training alone")
    return found


def check_slopes(study: Study, declared: Slopes) -> None:
    """Raise MaskTuneError where the places of a task do not tell the slopes, or too few seeds could test them."""
    known = places(study, declared)
    who = f"[[slopes]] {declared.method!r} against {declared.against!r}"
    if not known:
        raise MaskTuneError(f"{who}: no model and task has cells of both at one training; sweep both over the same")
    for task in dict.fromkeys(place.task for place in known):
        _check_spread([place for place in known if place.task == task], declared, who)
    fewest = min(len(place.seeds) for place in known)
    if smallest_p(fewest) > LEVEL:
        raise MaskTuneError(
            f"{who}: {fewest} paired seeds, and a sign-flip test over them cannot go below {smallest_p(fewest):.4g}; "
            f"declare {seeds_needed(LEVEL)} seeds or more"
        )


def _check_spread(known: list[Place], declared: Slopes, who: str) -> None:
    """Each quantity has to vary, and what is not adapted has to count as something."""
    adapted = {place.adaptation for place in known}
    values: dict[str, set] = {TRAINING: {place.training for place in known}, ADAPTATION: adapted}
    for quantity in declared.over:
        if len(values[quantity]) < 2:
            raise MaskTuneError(f"{who}: {quantity} do not vary; sweep them, or leave them out of over")
    if ADAPTATION in declared.over and None in adapted and declared.unadapted_as is None:
        raise MaskTuneError(f"{who}: a model has no adaptation; say what it counts as, unadapted_as = 30 or the like")
