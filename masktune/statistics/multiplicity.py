"""Many comparisons at once: corrected p values, and on how many of n comparisons a claim holds.

p values are [n], one a comparison. NaN marks one that could not be tested: it stays NaN and still counts, as a 1 does,
so that a comparison is not made easier by another one's missing runs.
"""

import numpy as np

CORRECTIONS = {"headline": "holm", "ablation": "fdr_bh"}


def correct(p_values: np.ndarray, family: str) -> np.ndarray:
    """p values corrected for their number: Holm among "headline" claims, Benjamini-Hochberg among "ablation" ones.

    Holm keeps the chance of any false positive of the family below the level, Benjamini-Hochberg the expected share
    of false ones among the positives (statsmodels.stats.multitest).

    >>> correct([0.01, 0.04], "headline").tolist()
    [0.02, 0.04]
    """
    p_values = np.asarray(p_values, dtype=float)
    if not len(p_values):
        return p_values
    from statsmodels.stats.multitest import multipletests

    corrected = multipletests(np.nan_to_num(p_values, nan=1.0), method=CORRECTIONS[family])[1]
    return np.where(np.isnan(p_values), np.nan, corrected)


def partial_conjunction(p_values: np.ndarray) -> np.ndarray:
    """For u = 1 ... n the p value of "fewer than u of the n comparisons are true": [n], never falling with u.

    Benjamini and Heller 2008 (Biometrics 64), with Simes' combination of the n - u + 1 largest p values, which holds
    for independent and for positively dependent tests: sets and models that share seeds are of the second kind. As in
    Dror et al. 2017 (TACL 5), a claim about u comparisons has to pass for every smaller number as well.

    >>> partial_conjunction([0.01, 0.04]).tolist()
    [0.02, 0.04]
    """
    ordered = np.sort(np.nan_to_num(np.asarray(p_values, dtype=float), nan=1.0))
    count = len(ordered)
    simes = [
        min((count - start) / rank * value for rank, value in enumerate(ordered[start:], 1)) for start in range(count)
    ]
    return np.maximum.accumulate(np.minimum(simes, 1.0)) if count else ordered


def holds_on(p_values: np.ndarray, level: float) -> int:
    """On at least how many of the comparisons the claim holds, an error in at most `level` of all cases.

    >>> holds_on([0.001, 0.002, 0.8], level=0.05)
    2
    """
    return int((partial_conjunction(p_values) <= level).sum())
