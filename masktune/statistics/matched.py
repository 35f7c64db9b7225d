"""Reading one course where another quantity has a given level: comparisons at equal accuracy in distribution.

E is the number of readings of a run, in the order of training.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Reading:
    """A value read between two readings of a run.

    `position` counts readings from 0, with a fraction between two; `beyond`: the level lies outside all of them, and
    the nearest was taken.
    """

    value: float
    position: float
    beyond: bool


def read_where(levels: np.ndarray, values: np.ndarray, level: float) -> Reading:
    """The value where `levels` pass through `level`, interpolated between two readings. [E], [E], scalar -> Reading.

    Where they pass through it several times the last counts, the longest training: at the level of the last reading
    the value is the last one. Where they never do, the nearest reading counts, of two as near the later.

    >>> read_where(levels=[60, 80, 90], values=[50, 56, 60], level=70)
    Reading(value=53.0, position=0.5, beyond=False)
    """
    levels, values = np.asarray(levels, dtype=float), np.asarray(values, dtype=float)
    for after in range(len(levels) - 1, 0, -1):
        start, end = levels[after - 1], levels[after]
        if min(start, end) <= level <= max(start, end):
            share = 1.0 if start == end else float((level - start) / (end - start))
            value = values[after - 1] + share * (values[after] - values[after - 1])
            return Reading(float(value), after - 1 + share, False)
    nearest = len(levels) - 1 - int(np.argmin(np.abs(levels - level)[::-1]))
    return Reading(float(values[nearest]), float(nearest), bool(levels[nearest] != level))
