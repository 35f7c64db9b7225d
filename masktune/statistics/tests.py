"""The numbers behind the tables: accuracy, intervals, paired comparisons. Pure functions of numpy arrays.

S is the number of seeds, n the number of examples of a set. Accuracies are fractions, not per cent.

Two things vary between experiments: the seed (head initialisation, batch order, masking) and the examples that
happen to be in the set. An interval says which of them it covers: `mean_over_seeds` the seeds alone, `wilson` the
examples alone, those of `crossed` both. A test over seeds, `sign_flip`, takes the examples as they are. Many
comparisons at once are the business of `multiplicity`.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
BINS = 15  # of confidence, as Guo et al. 2017
ALL_PATTERNS = 16  # seeds up to which every pattern of signs is counted
ROUNDING = 1e-9  # of the sum of absolute differences: far above rounding errors, far below one answer


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval and the number of seeds behind it. NaN ends where one seed gives no interval."""

    mean: float
    low: float
    high: float
    seeds: int

    def within(self, lowest: float, highest: float) -> "Estimate":
        """The same of a quantity that has no values beyond these two: the interval ends there."""
        return replace(
            self, low=float(np.clip(self.low, lowest, highest)), high=float(np.clip(self.high, lowest, highest))
        )


def accuracy(predictions: np.ndarray, labels: np.ndarray) -> float:
    """The share of examples predicted right. [n], [n] -> scalar."""
    return float(np.mean(np.asarray(predictions) == np.asarray(labels)))


def class_accuracy(predictions: np.ndarray, labels: np.ndarray) -> dict[int, float]:
    """Accuracy among the examples of each class (its recall). [n], [n] -> class -> share."""
    predictions, labels = np.asarray(predictions), np.asarray(labels)
    return {int(label): accuracy(predictions[labels == label], label) for label in np.unique(labels)}


def balanced_accuracy(predictions: np.ndarray, labels: np.ndarray) -> float:
    """The mean over classes of the accuracy in each: every constant answer scores chance. [n], [n] -> scalar."""
    return float(np.mean(list(class_accuracy(predictions, labels).values())))


def auroc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve: how often a positive example outscores a negative one. [n], [n] in {0, 1} -> scalar.

    It moves with the ranking alone, not with the threshold. NaN when only one class is there.
    """
    if len(np.unique(labels)) < 2:
        return float("nan")
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, scores))


def pair_consistency(correct: np.ndarray, clusters: np.ndarray) -> float:
    """The share of clusters in which every example is right (Gardner et al. 2020). bool [n], [n] -> scalar."""
    _, membership = np.unique(np.asarray(clusters), return_inverse=True)
    wrong = np.bincount(membership, weights=~np.asarray(correct, dtype=bool))
    return float(np.mean(wrong == 0))


def calibration_error(confidences: np.ndarray, correct: np.ndarray) -> float:
    """Expected calibration error: how far confidence is from accuracy. [n] in [0, 1], bool [n] -> scalar.

    Examples fall into 15 bins of equal width by the probability of the answer given; the gaps |accuracy - mean
    confidence| of the bins are averaged, weighted by their examples (Naeini et al. 2015; Guo et al. 2017, section 2).
    """
    confidences = np.asarray(confidences, dtype=float)
    bins = np.clip(np.ceil(confidences * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = np.bincount(bins, weights=np.asarray(correct, dtype=float) - confidences)
    return float(np.abs(gaps).sum() / len(confidences))


def wilson(share: float, examples: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share observed on `examples` independent examples: one run, no seeds."""
    interval = stats.binomtest(round(share * examples), examples).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def mean_over_seeds(values: np.ndarray) -> Estimate:
    """Mean of one value a seed with a 95 % t interval: what another set of seeds would give. [S] -> Estimate."""
    values = np.asarray(values, dtype=float)
    seeds, mean = len(values), float(values.mean())
    if seeds < 2:
        return Estimate(mean, float("nan"), float("nan"), seeds)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, seeds - 1) * values.std(ddof=1) / np.sqrt(seeds)
    return Estimate(mean, float(mean - half), float(mean + half), seeds)


def gained(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How many more examples the second answers right than the first, by seed. Right or wrong [S, n] each -> int [S].

    Whole numbers, so that seeds with as many right answers tie whatever the unit in which they are shown.
    """
    return np.sum(second, axis=1, dtype=np.int64) - np.sum(first, axis=1, dtype=np.int64)


def sign_flip(differences: np.ndarray, alternative: str = "two-sided") -> float:
    """p value of the exact sign-flip test: are paired differences [S] centred on 0?

    Against "greater" than 0, "less" than it, or either. All 2**S sign patterns up to 16 seeds, 65,536 random ones
    beyond. One seed: 1. Sums that differ by rounding alone tie, so that the unit of the differences does not matter;
    scipy.stats.permutation_test, else the same, lets a sum that should be 0 miss the tie.
    """
    differences = np.asarray(differences, dtype=float)
    if len(differences) < 2:
        return 1.0
    sums, near = _signs(len(differences)) @ differences, ROUNDING * np.abs(differences).sum()
    above = float(np.mean(sums >= differences.sum() - near))
    below = float(np.mean(sums <= differences.sum() + near))
    return {"greater": above, "less": below, "two-sided": min(1.0, 2 * min(above, below))}[alternative]


@lru_cache(maxsize=4)
def _signs(seeds: int) -> np.ndarray:
    """Patterns of signs [patterns, S], the observed one (no flip) among them."""
    if seeds <= ALL_PATTERNS:
        flips = np.arange(2**seeds)[:, None] >> np.arange(seeds) & 1
    else:
        flips = np.random.default_rng(0).integers(0, 2, (2**ALL_PATTERNS, seeds))
        flips[0] = 0
    return 1.0 - 2 * flips


def non_inferiority(differences: np.ndarray, margin: float) -> float:
    """One-sided p value of the sign-flip test that paired differences [S] are centred on -margin or below."""
    return sign_flip(np.asarray(differences, dtype=float) + margin, "greater")


def inferiority(differences: np.ndarray, margin: float) -> float:
    """One-sided p value of the sign-flip test that paired differences [S] are centred on -margin or above."""
    return sign_flip(np.asarray(differences, dtype=float) + margin, "less")


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """Two-sided p value of the exact McNemar test between two runs: bool [n], [n] -> scalar. An illustration only.

    It asks whether these two trained models differ on the examples, and says nothing of another pair of seeds.
    """
    from statsmodels.stats.contingency_tables import mcnemar as test

    first, second = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    table = [[(first & second).sum(), (first & ~second).sum()], [(~first & second).sum(), (~first & ~second).sum()]]
    return float(test(table, exact=True).pvalue)


def probability_greater(second: np.ndarray, first: np.ndarray) -> float:
    """P(A > B): how often a run of `second` beats a run of `first`, ties counted half. [S], [S'] -> scalar."""
    gaps = np.subtract.outer(np.asarray(second, dtype=float), np.asarray(first, dtype=float))
    return float(np.mean((gaps > 0) + 0.5 * (gaps == 0)))
