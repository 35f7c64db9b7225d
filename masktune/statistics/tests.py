"""Tests between two methods or two runs. Pure functions of numpy arrays.

S is the number of seeds, n the number of examples of a set. `sign_flip` and its one-sided relatives ask about other
seeds and take the examples as they are. `multiplicity` corrects for many comparisons at once.
"""

from functools import lru_cache

import numpy as np

ALL_PATTERNS = 16  # seeds up to which every pattern of signs is counted
ROUNDING = 1e-9  # of the sum of absolute differences: far above rounding errors, far below one answer


def gains(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How many more examples the second answers right than the first, by seed. Right or wrong [S, n] each -> int [S].

    Whole numbers, so that seeds with as many right answers tie whatever the unit in which they are shown.

    >>> gains([[True, False]], [[True, True]])
    array([1])
    """
    return np.asarray(np.sum(second, axis=1, dtype=np.int64) - np.sum(first, axis=1, dtype=np.int64))


def sign_flip(differences: np.ndarray, alternative: str = "two-sided") -> float:
    """p value of the exact sign-flip test: are paired differences [S] centred on 0?

    Against "greater" than 0, "less" than it, or either. All 2**S sign patterns up to 16 seeds, 65,536 random ones
    beyond. One seed: 1. Sums that differ by rounding alone tie, so that the unit of the differences does not matter;
    scipy.stats.permutation_test, else the same, lets a sum that should be 0 miss the tie.

    >>> sign_flip([1.0, 2.0, 1.5, 3.0, 0.5, 2.0])  # six seeds, all above 0: 2 patterns of 64
    0.03125
    >>> sign_flip([1.0, 2.0, 1.5, 3.0, 0.5])  # five cannot reach 0.05
    0.0625
    """
    differences = np.asarray(differences, dtype=float)
    if len(differences) < 2:
        return 1.0
    sums, near = sign_patterns(len(differences)) @ differences, ROUNDING * np.abs(differences).sum()
    above = float(np.mean(sums >= differences.sum() - near))
    below = float(np.mean(sums <= differences.sum() + near))
    return {"greater": above, "less": below, "two-sided": min(1.0, 2 * min(above, below))}[alternative]


@lru_cache(maxsize=4)
def sign_patterns(seeds: int) -> np.ndarray:
    """Patterns of signs [patterns, S], 1 or -1, with the observed one (no flip) first.

    >>> sign_patterns(2).tolist()
    [[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]
    """
    if seeds <= ALL_PATTERNS:
        flips = np.arange(2**seeds)[:, None] >> np.arange(seeds) & 1
    else:
        flips = np.random.default_rng(0).integers(0, 2, (2**ALL_PATTERNS, seeds))
        flips[0] = 0
    return 1.0 - 2 * flips


def non_inferiority(differences: np.ndarray, margin: float) -> float:
    """One-sided p value of the sign-flip test that paired differences [S] are centred on -margin or below.

    >>> non_inferiority([-0.1, 0.2, -0.3, 0.1, 0.0], margin=0.5)
    0.03125
    """
    return sign_flip(np.asarray(differences, dtype=float) + margin, "greater")


def inferiority(differences: np.ndarray, margin: float) -> float:
    """One-sided p value of the sign-flip test that paired differences [S] are centred on -margin or above.

    >>> inferiority([-2.0, -1.5, -1.0, -3.0, -2.5], margin=0.5)
    0.03125
    """
    return sign_flip(np.asarray(differences, dtype=float) + margin, "less")


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """Two-sided p value of the exact McNemar test between two runs: bool [n], [n] -> scalar. An illustration only.

    It asks whether these two trained models differ on the examples, and says nothing of another pair of seeds.

    >>> mcnemar([True] * 8 + [False] * 2, [True] * 2 + [False] * 8)
    0.03125
    """
    from statsmodels.stats.contingency_tables import mcnemar as test

    first, second = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    table = [[(first & second).sum(), (first & ~second).sum()], [(~first & second).sum(), (~first & ~second).sum()]]
    return float(test(table, exact=True).pvalue)


def probability_greater(second: np.ndarray, first: np.ndarray) -> float:
    """P(A > B): how often a run of `second` beats a run of `first`, ties counted half. [S], [S'] -> scalar.

    >>> probability_greater([2.0, 3.0], [1.0, 2.5])
    0.75
    """
    gaps = np.subtract.outer(np.asarray(second, dtype=float), np.asarray(first, dtype=float))
    return float(np.mean((gaps > 0) + 0.5 * (gaps == 0)))
