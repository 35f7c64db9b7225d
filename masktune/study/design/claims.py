"""The claims of a study and its slopes, declared before it runs.

A claim compares two rows on some sets. Slopes say how the accuracy that a row loses changes over places that differ:

    [[slopes]]
    method = "Mask-tuning"
    against = "fine-tuning"
    kind = "in_distribution"
    over = ["training steps", "adaptation steps"]
    unadapted_as = 30

`masktune.study.design.comparisons` lists what is compared, `masktune.statistics.slopes` fits slopes.
"""

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from masktune.errors import MaskTuneError, one_of
from masktune.records import among, record, require
from masktune.study.design.grid import GridRow
from masktune.study.design.parsing import each_once, restriction

TESTS = ("superiority", "non_inferiority", "estimate")
KINDS = ("in_distribution", "out_of_distribution")
FAMILIES = ("headline", "ablation")
LEVEL = 0.05  # below it a p value counts
TRAINING, ADAPTATION = "training steps", "adaptation steps"
OVER = (TRAINING, ADAPTATION)


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


# ---- slopes


@dataclass(frozen=True)
class Slopes:
    """One [[slopes]] table: the hypothesis that what `method` loses against `against` falls with each of `over`.

    Both are labels of grid rows that are swept over the same settings of training. The loss is the accuracy of
    `against` minus that of `method`, in points, the mean over the sets of a `kind`; a slope is its change a factor of
    ten. `unadapted_as` is the number of steps that a language model without adaptation counts as: zero has no
    logarithm.
    """

    method: str
    against: str
    kind: str
    over: tuple[str, ...] = OVER
    unadapted_as: float | None = None

    def __post_init__(self) -> None:
        one_of(self.kind, KINDS, "kind")
        each_once(self.over, OVER, "quantity", "over")
        require(self.method != self.against, "against", self.against, "another label than method")
        steps = self.unadapted_as
        require(steps is None or steps > 0, "unadapted_as", steps, "a number of steps above 0")
        need = steps is None or ADAPTATION in self.over
        require(need, "unadapted_as", steps, f"nothing, as over does not hold {ADAPTATION!r}: leave it out")


def parse_slopes(tables: Iterable[Mapping[str, Any]], grid: tuple[GridRow, ...]) -> tuple[Slopes, ...]:
    """All [[slopes]] tables of a study, which one figure shows together.

    Raises MaskTuneError for a label that no row of the grid has, and where two tables compare other rows.
    """
    declared = tuple(record(Slopes, table, "[[slopes]]") for table in tables)
    pairs = {(one.method, one.against): one for one in declared}
    for label in itertools.chain.from_iterable(pairs):
        among(label, dict.fromkeys(row.label for row in grid), "label of a grid row", "[[slopes]]")
    if len(pairs) > 1:
        raise MaskTuneError(f"[[slopes]] compare {len(pairs)} pairs of rows; a study has one, in one or more tables")
    return declared
