"""The slopes that a study declares: how the accuracy that a method loses changes with what its places differ in.

    [[slopes]]
    method = "Mask-tuning"
    against = "fine-tuning"
    kind = "in_distribution"
    over = ["training steps", "adaptation steps"]
    unadapted_as = 30

`masktune.statistics.slopes` fits them, `masktune.study.design.places` lists the places.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from masktune.errors import MaskTuneError, one_of
from masktune.records import among, record, require
from masktune.study.design.claims import KINDS
from masktune.study.design.grid import GridRow
from masktune.study.design.parsing import each_once

TRAINING, ADAPTATION = "training steps", "adaptation steps"
OVER = (TRAINING, ADAPTATION)


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
