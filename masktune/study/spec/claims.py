"""The claims of a study, declared before it runs, and the comparisons that each of them makes."""

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from masktune.data import EVALUATION
from masktune.errors import MaskTuneError, one_of
from masktune.study.spec.grid import GridRow
from masktune.study.spec.parsing import among, record, require, restriction

if TYPE_CHECKING:
    from masktune.study.spec.design import Study

TESTS = ("superiority", "non_inferiority", "estimate")
KINDS = ("in_distribution", "out_of_distribution")
FAMILIES = ("headline", "ablation")
LEVEL = 0.05  # below it a p value counts


@dataclass(frozen=True)
class Claim:
    """One [[claims]] table, declared before running: `first` against `second`, both labels of grid rows.

    The sets are named (`sets`) or given by `kind`; `models` and `tasks` restrict it (empty: all). `margin` is in points
    of accuracy and belongs to non-inferiority. `family` says which correction for multiple tests it falls under. The
    test "estimate" is none: the difference is reported with its interval, where seeds are too few to test anything.
    """

    first: str
    second: str
    test: str
    kind: str | None = None
    sets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    margin: float = 0.5
    family: str = "headline"

    def __post_init__(self):
        one_of(self.test, TESTS, "test")
        one_of(self.family, FAMILIES, "family")
        if self.kind is not None:
            one_of(self.kind, KINDS, "kind")
        require((self.kind is None) != (not self.sets), "sets", list(self.sets), "either kind = ... or sets = [...]")
        require(self.first != self.second, "second", self.second, "another label than first")
        require(self.margin > 0, "margin", self.margin, "points of accuracy above 0")

    @property
    def sides(self) -> int:
        """How many sides its sign-flip test has; none where nothing is tested."""
        return {"superiority": 2, "non_inferiority": 1, "estimate": 0}[self.test]


@dataclass(frozen=True)
class Comparison:
    """What a claim says of one model and set. `seeds` are those that both of its methods are declared with."""

    model: str
    task: str
    set: str
    kind: str
    seeds: tuple[int, ...]


def smallest_p(seeds: int, sides: int = 2) -> float:
    """The smallest p value that a sign-flip test over so many paired seeds can give: one pattern of signs a side."""
    return min(1.0, sides / 2**seeds)


def seeds_needed(level: float, sides: int = 2) -> int:
    """The fewest paired seeds with which a sign-flip test can reach a level."""
    return math.ceil(math.log2(sides / level))


def comparisons(study: "Study", claim: Claim) -> tuple[Comparison, ...]:
    """Every comparison of a claim, in the order task, set, model: where the study has cells of both methods."""
    found = []
    for task in claim.tasks or study.tasks:
        chosen = [item for item in EVALUATION[study.data][task].items() if _is_meant(claim, *item)]
        for (name, kind), model in itertools.product(chosen, claim.models or [model.name for model in study.models]):
            first, second = (study.declared_seeds.get((label, model, task)) for label in (claim.first, claim.second))
            if first is not None and second is not None:
                found.append(Comparison(model, task, name, kind, tuple(s for s in first if s in second)))
    return tuple(found)


def _is_meant(claim: Claim, name: str, kind: str) -> bool:
    return name in claim.sets if claim.sets else kind == claim.kind


def check(study: "Study", claim: Claim) -> None:
    """Raise MaskTuneError for a set that no task has, and for a claim whose test can never reach its level."""
    known = [name for task in claim.tasks or study.tasks for name in EVALUATION[study.data][task]]
    for name in claim.sets:
        among(name, known, "set", "[[claims]]")
    found = comparisons(study, claim)
    who = f"[[claims]] {claim.first!r} against {claim.second!r}"
    if not found:
        raise MaskTuneError(f"{who}: no model and task has cells of both; change models, tasks or the grid")
    fewest = min(found, key=lambda comparison: len(comparison.seeds))
    floor = smallest_p(len(fewest.seeds), claim.sides)
    if floor > LEVEL:
        raise MaskTuneError(
            f"{who}: {len(fewest.seeds)} paired seeds ({fewest.model}, {fewest.task}), and a sign-flip test over them "
            f"cannot go below {floor:.4g}; declare {seeds_needed(LEVEL, claim.sides)} seeds or more, or "
            'test = "estimate"'
        )


def parse_claims(
    table: Mapping[str, Any], names: dict[str, tuple[str, ...]], grid: tuple[GridRow, ...]
) -> Iterable[Claim]:
    """The claims of one [[claims]] table: a list of labels as `first` or `second` stands for a claim of each."""
    sides = [table.get(key) if isinstance(table.get(key), list) else [table.get(key)] for key in ("first", "second")]
    for first, second in itertools.product(*sides):
        yield parse_claim({**table, "first": first, "second": second}, names, grid)


def parse_claim(table: Mapping[str, Any], names: dict[str, tuple[str, ...]], grid: tuple[GridRow, ...]) -> Claim:
    """A claim with one label a side. Raises MaskTuneError for a label, model or task that the study does not have."""
    claim = record(Claim, table, "[[claims]]")
    labels = [variant.label for row in grid for variant in row.variants]
    for label in (claim.first, claim.second):
        among(label, labels, "label", "[[claims]]")
    for key in ("models", "tasks"):
        restriction(list(getattr(claim, key)) or None, names[key], key, "[[claims]]")
    if claim.test != "non_inferiority" and "margin" in table:
        raise MaskTuneError(f"[[claims]] margin = {claim.margin}; only non_inferiority has a margin, leave it out")
    return claim
