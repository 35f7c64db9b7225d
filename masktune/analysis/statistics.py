"""The numbers behind the tables: accuracy, intervals, paired comparisons. Pure functions of numpy arrays.

S is the number of seeds, n the number of examples of a set, C its number of clusters (an original review and its
edit, the sentences of one template), R the number of bootstrap draws. Accuracies are fractions, not per cent.

Two things vary between experiments: the seed (head initialisation, batch order, masking) and the examples that
happen to be in the set. An interval says which of them it covers: `mean_over_seeds` the seeds alone,
`paired_difference` seeds and clusters of examples together (MultiBERTs, Sellam et al. 2022, section 4).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
DRAWS = 10_000
_CHUNK = 1_000_000  # counts held in memory at once: 8 MB, so that they stay near the processor


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval and the number of seeds behind it. NaN ends where one seed gives no interval."""

    mean: float
    low: float
    high: float
    seeds: int


def accuracy(predictions: np.ndarray, labels: np.ndarray) -> float:
    """The share of examples predicted right. [n], [n] -> scalar."""
    return float(np.mean(np.asarray(predictions) == np.asarray(labels)))


def class_accuracy(predictions: np.ndarray, labels: np.ndarray) -> dict[int, float]:
    """Accuracy among the examples of each class (its recall). [n], [n] -> class -> share."""
    predictions, labels = np.asarray(predictions), np.asarray(labels)
    return {int(label): accuracy(predictions[labels == label], label) for label in np.unique(labels)}


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


def paired_difference(
    first: np.ndarray, second: np.ndarray, clusters: np.ndarray, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """Mean of second - first with a 95 % interval over seeds x clusters of examples.

    `first`, `second` [S, n]: right or wrong, row s of both with the same seed. `clusters` [n]. Seeds and clusters are
    drawn with replacement, the same draw for both methods, and the 2.5 and 97.5 % quantiles of the differences taken
    (MultiBERTs' multi-bootstrap, paired in both directions). With one seed the interval covers the examples alone.
    """
    difference = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(bootstrap_means(difference, clusters, draws, seed), [tail, 1 - tail])
    return Estimate(float(difference.mean()), float(low), float(high), len(difference))


def bootstrap_means(values: np.ndarray, clusters: np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Means of `values` [S, n] over resampled seeds and resampled clusters [n]. Returns [R].

    A draw is a count for each seed and each cluster, so the mean it gives is a product of matrices.
    """
    generator = np.random.default_rng(seed)
    sums, sizes = _cluster_sums(np.asarray(values, dtype=float), np.asarray(clusters))
    patterns = np.vstack([sums, sizes])
    means = np.empty(draws)
    for chunk in _chunks(draws, len(sizes)):
        size = chunk.stop - chunk.start
        totals = _counts(generator, size, len(sizes)) @ patterns.T
        seed_counts = _counts(generator, size, len(sums))
        means[chunk] = (totals[:, :-1] * seed_counts).sum(1) / (totals[:, -1] * len(sums))
    return means


def _cluster_sums(values: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum of the values of each cluster by seed, and its size. [S, n], [n] -> [S, C], [C]."""
    _, membership = np.unique(clusters, return_inverse=True)
    sums = np.stack([np.bincount(membership, weights=row) for row in values])
    return sums, np.bincount(membership).astype(float)


def _counts(generator: np.random.Generator, size: int, things: int) -> np.ndarray:
    """How often each of so many things is drawn in `size` draws with replacement. [size, things]."""
    drawn = generator.integers(0, things, (size, things), dtype=np.uint32)
    return np.stack([np.bincount(row, minlength=things) for row in drawn]).astype(float)


def _chunks(draws: int, clusters: int) -> Iterator[slice]:
    """Split the draws so that a chunk's counts stay in a fixed memory."""
    size = max(1, _CHUNK // clusters)
    for start in range(0, draws, size):
        yield slice(start, min(draws, start + size))


def sign_flip(differences: np.ndarray) -> float:
    """Two-sided p value of the exact sign-flip test: are paired differences [S] centred on 0?

    All 2**S sign patterns up to 16 seeds, 65,536 random ones beyond (scipy.stats.permutation_test). One seed: 1.
    """
    differences = np.asarray(differences, dtype=float)
    if len(differences) < 2:
        return 1.0
    test = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=2**16, axis=-1, vectorized=True, rng=0
    )
    return float(test.pvalue)


def smallest_p(seeds: int) -> float:
    """The smallest p value that a two-sided sign-flip test over so many seeds can give."""
    return min(1.0, 2 / 2**seeds)


def probability_greater(second: np.ndarray, first: np.ndarray) -> float:
    """P(A > B): how often a run of `second` beats a run of `first`, ties counted half. [S], [S'] -> scalar."""
    gaps = np.subtract.outer(np.asarray(second, dtype=float), np.asarray(first, dtype=float))
    return float(np.mean((gaps > 0) + 0.5 * (gaps == 0)))
