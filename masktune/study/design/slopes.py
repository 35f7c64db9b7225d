"""The slopes that a study declares: how the accuracy that a method loses changes with what its places differ in.

    [[slopes]]
    method = "Mask-tuning"
    against = "fine-tuning"
    kind = "in_distribution"
    over = ["training steps", "adaptation steps"]
    unadapted_as = 30

`masktune.statistics.slopes` fits them, `masktune.study.design.places` lists the places.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from masktune.errors import one_of
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


def parse_slopes(table: Mapping[str, Any], grid: tuple[GridRow, ...]) -> Slopes:
    """One [[slopes]] table. Raises MaskTuneError for a label that no row of the grid has."""
    declared = record(Slopes, table, "[[slopes]]")
    for label in (declared.method, declared.against):
        among(label, dict.fromkeys(row.label for row in grid), "label of a grid row", "[[slopes]]")
    return declared
