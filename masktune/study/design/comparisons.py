"""The comparisons that a claim makes in a study: one for each model and set that it speaks of."""

import itertools
from dataclasses import dataclass

from masktune.data import EVALUATION
from masktune.errors import MaskTuneError
from masktune.records import among
from masktune.study.design.claims import LEVEL, Claim, seeds_needed, smallest_p
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
