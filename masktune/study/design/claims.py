"""The claims of a study, declared before it runs."""

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from masktune.errors import MaskTuneError, one_of
from masktune.records import among, record, require
from masktune.study.design.grid import GridRow
from masktune.study.design.parsing import restriction

TESTS = ("superiority", "non_inferiority", "estimate")
KINDS = ("in_distribution", "out_of_distribution")
FAMILIES = ("headline", "ablation")
LEVEL = 0.05  # below it a p value counts


@dataclass(frozen=True)
class Claim:
    """One [[claims]] table, declared before running: `method` is compared with `against`, both labels of grid rows.

    The sets are named (`sets`) or given by `kind`; `models` and `tasks` restrict it (empty: all). `margin` is in points
    of accuracy and belongs to non-inferiority. `family` says which correction for multiple tests it falls under. The
    test "estimate" is none: the difference is reported with its interval, where seeds are too few to test anything.
    """

    method: str
    against: str
    test: str
    kind: str | None = None
    sets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    margin: float = 0.5
    family: str = "headline"

    def __post_init__(self) -> None:
        one_of(self.test, TESTS, "test")
        one_of(self.family, FAMILIES, "family")
        if self.kind is not None:
            one_of(self.kind, KINDS, "kind")
        require((self.kind is None) != (not self.sets), "sets", list(self.sets), "either kind = ... or sets = [...]")
        require(self.method != self.against, "against", self.against, "another label than method")
        require(self.margin > 0, "margin", self.margin, "points of accuracy above 0")

    @property
    def sides(self) -> int:
        """How many sides its sign-flip test has; none where nothing is tested."""
        return {"superiority": 2, "non_inferiority": 1, "estimate": 0}[self.test]


def smallest_p(seeds: int, sides: int = 2) -> float:
    """The smallest p value that a sign-flip test over so many paired seeds can give: one pattern of signs a side."""
    return min(1.0, sides / 2**seeds)


def seeds_needed(level: float, sides: int = 2) -> int:
    """The fewest paired seeds with which a sign-flip test can reach a level."""
    return math.ceil(math.log2(sides / level))


def parse_claims(
    table: Mapping[str, Any], names: dict[str, tuple[str, ...]], grid: tuple[GridRow, ...]
) -> Iterable[Claim]:
    """The claims of one [[claims]] table: a list of labels as `method` or `against` stands for a claim of each."""
    sides = (value if isinstance(value, list) else [value] for value in map(table.get, ("method", "against")))
    for method, against in itertools.product(*sides):
        yield parse_claim({**table, "method": method, "against": against}, names, grid)


def parse_claim(table: Mapping[str, Any], names: dict[str, tuple[str, ...]], grid: tuple[GridRow, ...]) -> Claim:
    """A claim with one label a side. Raises MaskTuneError for a label, model or task that the study does not have."""
    claim = record(Claim, table, "[[claims]]")
    labels = [variant.label for row in grid for variant in row.variants]
    for label in (claim.method, claim.against):
        among(label, labels, "label", "[[claims]]")
    for key in ("models", "tasks"):
        restriction(list(getattr(claim, key)) or None, names[key], key, "[[claims]]")
    if claim.test != "non_inferiority" and "margin" in table:
        raise MaskTuneError(f"[[claims]] margin = {claim.margin}; only non_inferiority has a margin, leave it out")
    return claim
