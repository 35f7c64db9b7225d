"""The x axis of a setting: where its values lie, with their ticks and limits; and ticks of differences."""

from collections.abc import Callable, Sequence
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from masktune.analysis.formatting import MINUS


class ValueAxis:
    """Where the values of a setting lie on the x axis.

    Numbers lie at their size, on a logarithmic axis where each is a multiple of the one before; everything else
    is placed side by side in its order.
    "all" (no number of examples) lies one step after the last number, and no line leads to it.
    """

    WIDTH = 2.6  # inches of the axis, about

    def __init__(self, column: pd.Series, label_of: Callable[[Any], str], log: bool | None = None):
        known = sorted(column.dropna().unique(), key=lambda value: (isinstance(value, str), value))
        self.is_number = bool(known) and all(isinstance(value, Number) for value in known)
        self.log = self.is_number and (_geometric(known) if log is None else log)
        self._at = dict(zip(known, known if self.is_number else range(len(known)), strict=True))
        self._all = self._after(known)
        has_all = bool(column.isna().any())
        self.ticks = [*self._at.values(), *[self._all] * has_all]
        self.labels = [*(label_of(value) for value in known), *["all"] * has_all]
        ends = np.log(self.ticks) if self.log else np.array(self.ticks, dtype=float)
        room = 0.1 * np.ptp(ends) if self.is_number and len(ends) > 1 else 0.6
        self._low, self._high = float(ends.min() - room), float(ends.max() + room)

    def _after(self, known: list) -> float:
        """One step after the last value: where "all" lies."""
        if not self.is_number:
            return len(known)
        last, before = known[-1], known[-2] if len(known) > 1 else known[-1] / 2
        return last * last / before if self.log else last + (last - before)

    def position(self, value: object, offset: float = 0) -> float:
        """Where a value lies, moved to the right by so many points."""
        place = self._all if pd.isna(value) else self._at[value]
        moved = offset / 72 / self.WIDTH * (self._high - self._low)
        return place * float(np.exp(moved)) if self.log else place + moved

    def is_joined(self, value: object) -> bool:
        """Whether a line may lead to it."""
        return self.is_number and not pd.isna(value)

    def draw(self, axis: Axes) -> bool:
        """Set ticks, their labels and the limits of an axis. Returns whether the labels take a second line."""
        if self.log:
            axis.set_xscale("log")
            axis.minorticks_off()
        axis.set_xlim(*(np.exp([self._low, self._high]) if self.log else (self._low, self._high)))
        places = np.log(self.ticks) if self.log else np.array(self.ticks, dtype=float)
        shown = _tick_labels(self.labels, (places - self._low) / (self._high - self._low) * self.WIDTH)
        axis.set_xticks(self.ticks, shown)
        return any(label.startswith("\n") for label in shown)


def _geometric(known: list) -> bool:
    """Whether the values grow by about the same factor each, as 128, 256, 512 do."""
    if len(known) < 2 or known[0] <= 0:
        return False
    steps = np.diff(np.log(np.array(known, dtype=float)))
    return bool(steps.max() <= 1.3 * steps.min() and steps.min() > np.log(1.5))


def _tick_labels(labels: Sequence[str], inches: np.ndarray) -> list[str]:
    """The labels, in a second line where one would touch the one before it; a repeated label is left empty."""
    end = -np.inf
    shown: list[str] = []
    for label, middle in zip(labels, inches, strict=True):
        if label in (text.strip() for text in shown):
            shown.append("")
            continue
        half = 0.036 * len(label)
        touches = middle - half < end + 0.06
        shown.append(f"\n{label}" if touches else label)
        end = end if touches else middle + half
    return shown


def signed_tick(value: float, _: float = 0) -> str:
    """The label of a tick on an axis of differences."""
    return f"{value:+g}".replace("-", MINUS) if value else "0"
