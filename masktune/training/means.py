"""The mean of a number over the steps since the last log, in a memory that does not grow with the steps."""

import torch
from torch import Tensor

# Numbers that are kept as they come: more than any study takes steps between two logs.
KEPT = 4096


class Mean:
    """The mean of scalars on one device. None of them is waited for until KEPT are there, or the mean is asked for.

    Of at most KEPT numbers it is `torch.stack(numbers).mean()`, to the last bit; of more it is that within rounding.
    """

    def __init__(self) -> None:
        self._latest: list[Tensor] = []
        self._sum = 0.0
        self._count = 0

    def add(self, number: Tensor) -> None:
        """Count one more number, a scalar without graph."""
        if len(self._latest) == KEPT:
            self._sum += torch.stack(self._latest).sum().item()
            self._count += KEPT
            self._latest.clear()
        self._latest.append(number)

    def compute(self) -> float:
        """The mean of all numbers so far, of which there is at least one."""
        latest = torch.stack(self._latest)
        if self._count == 0:
            return latest.mean().item()
        return (self._sum + latest.sum().item()) / (self._count + len(latest))
