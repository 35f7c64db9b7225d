"""95 % intervals for what varies in one way: between seeds (`mean_over_seeds`) or between examples (`wilson`).

`statistics.crossed` has the interval for both at once. S is the number of seeds.
"""

from dataclasses import dataclass, replace

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval and the number of seeds behind it. NaN ends where one seed gives no interval."""

    mean: float
    low: float
    high: float
    seeds: int

    def within(self, lowest: float, highest: float) -> "Estimate":
        """The same for a quantity that cannot lie beyond these two values: its interval ends there."""
        return replace(
            self, low=float(np.clip(self.low, lowest, highest)), high=float(np.clip(self.high, lowest, highest))
        )


def mean_over_seeds(values: np.ndarray) -> Estimate:
    """Mean of one value a seed with a 95 % t interval: what another set of seeds would give. [S] -> Estimate.

    >>> estimate = mean_over_seeds([1.0, 2.0, 3.0])
    >>> round(estimate.low, 2), estimate.mean, round(estimate.high, 2)
    (-0.48, 2.0, 4.48)
    """
    values = np.asarray(values, dtype=float)
    seeds, mean = len(values), float(values.mean())
    if seeds < 2:
        return Estimate(mean, float("nan"), float("nan"), seeds)
    from scipy.stats import t

    half = t.ppf((1 + CONFIDENCE) / 2, seeds - 1) * values.std(ddof=1) / np.sqrt(seeds)
    return Estimate(mean, float(mean - half), float(mean + half), seeds)


def wilson(share: float, examples: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share observed on `examples` independent examples: one run, no seeds.

    >>> low, high = wilson(0.8, examples=20)
    >>> round(low, 3), round(high, 3)
    (0.584, 0.919)
    """
    from scipy.stats import binomtest

    interval = binomtest(round(share * examples), examples).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)
