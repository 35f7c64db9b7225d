"""Means over seeds x clusters of examples: how far another set of seeds and another set of examples might lead.

S is the number of seeds, n the number of examples of a set, C its number of clusters (an original review and its
edit, the sentences of one template), R the number of bootstrap draws. Pure functions of numpy arrays. Where seeds of
fine-tuning start from P pre-trainings, these are a level of their own above the seeds: `pretrainings` [S] says which.

Two intervals cover both kinds of variation. `crossed_mean` is what tables and claims use. MultiBERTs' bootstrap
(Sellam et al. 2022, section 4) is in the files too. How often each interval holds the true value in simulations,
at 95 %, with 3, 6 and 10 seeds (`python tests/statistics/test_coverage.py`):

                                              crossed_mean    bootstrap
    where most variation is between answers   95  95  96 %    99  99  99 %   it counts that variation three times
    where most is between seeds               91  93  94 %    74  87  90 %   percentiles of few seeds are too narrow

(Owen 2007, The pigeonhole bootstrap, has the first.)

With three pre-trainings `crossed_mean` holds it in 93 to 97 % of worlds, at 6, 10 and 20 seeds, and with pre-trainings
that do not differ as with some that differ twice as much as seeds do. Intervals that take their seeds for independent
then hold it in 82, 71 and 53 %.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from masktune.statistics import intervals
from masktune.statistics.intervals import CONFIDENCE, Estimate

DRAWS = 10_000
_CHUNK = 4_000_000  # counts held in memory at once: 16 MB, enough for a product that is worth its start


@dataclass(frozen=True)
class CrossedMean:
    """A mean over seeds x clusters of examples, its standard error, and the degrees of freedom of that error."""

    mean: float
    error: float
    freedom: float
    seeds: int

    def estimate(self) -> Estimate:
        """The mean with its two-sided 95 % t interval."""
        half = _t_quantile((1 + CONFIDENCE) / 2, self.freedom) * self.error
        return Estimate(self.mean, float(self.mean - half), float(self.mean + half), self.seeds)

    def lower_bound(self) -> float:
        """Below the true mean with a confidence of 95 %: the end of a one-sided interval."""
        return float(self.mean - _t_quantile(CONFIDENCE, self.freedom) * self.error)


def _t_quantile(share: float, freedom: float) -> float:
    from scipy.stats import t

    return t.ppf(share, freedom)


def paired_difference(
    first: np.ndarray, second: np.ndarray, clusters: np.ndarray, pretrainings: np.ndarray | None = None
) -> CrossedMean:
    """Mean of second - first over seeds x clusters. Right or wrong [S, n] each, row s with the same seed; [n]; [S]."""
    return crossed_mean(np.asarray(second, dtype=float) - np.asarray(first, dtype=float), clusters, pretrainings)


def crossed_mean(values: np.ndarray, clusters: np.ndarray, pretrainings: np.ndarray | None = None) -> CrossedMean:
    """Mean of `values` [S, n] when the pre-trainings [S], the seeds and the clusters [n] might have been others.

    The variance is that of a two-way random-effects layout, (MS_seeds + MS_clusters - MS_both) / (S C), where the
    last two together count as 0 at least; its degrees of freedom are Satterthwaite's (Hillis 2007, Statistics in
    Medicine 26, for readers x cases). Clusters of unequal size enter by their share of the mean (a linearised ratio).
    One seed: the error covers the examples alone.

    With several pre-trainings, seeds are nested in them: MS_pretrainings and its interaction with the clusters take the
    places of MS_seeds and MS_both, so that three pre-trainings leave two degrees of freedom however many seeds there
    are. Where the pre-trainings differ by less than their seeds would make them, the level is left out.
    """
    sums, sizes = _cluster_sums(np.asarray(values, dtype=float), np.asarray(clusters))
    seeds, count = sums.shape
    mean = sums.sum() / (seeds * sizes.sum())
    squares, freedoms, weights = _layout((sums - mean * sizes) / sizes.mean(), pretrainings)
    clustered = slice(len(squares) // 2, None)  # the clusters, and what they have with seeds and pre-trainings
    if squares[clustered] @ weights[clustered] < 0:
        squares[clustered] = 0
    variance = squares @ weights
    spread = np.divide((weights * squares) ** 2, freedoms, out=np.zeros(len(squares)), where=freedoms > 0).sum()
    freedom = variance**2 / spread if spread else freedoms.max()
    error = np.sqrt(variance / (seeds * count)) if freedoms.any() else np.nan
    return CrossedMean(float(mean), float(error), float(freedom), seeds)


def mean_over_seeds(values: np.ndarray, pretrainings: np.ndarray) -> Estimate:
    """`intervals.mean_over_seeds` of one value a seed [S], where seeds start from several pre-trainings [S]."""
    if len(np.unique(pretrainings)) < 2:
        return intervals.mean_over_seeds(values)
    return crossed_mean(np.asarray(values, dtype=float)[:, None], np.zeros(1), pretrainings).estimate()


def _layout(parts: np.ndarray, pretrainings: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean squares of a table [S, C] centred on 0, their degrees of freedom, their weights in the variance."""
    if pretrainings is not None and 1 < len(np.unique(pretrainings)) < len(parts):
        squares, freedoms, weights = _nested(parts, np.asarray(pretrainings))
        if squares[0] >= squares[1]:
            return squares, freedoms, weights
    return *_mean_squares(parts), np.array([1, 1, -1])


def _mean_squares(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean squares and degrees of freedom of seeds, clusters and their interaction, of a table [S, C] centred on 0."""
    seeds, count = parts.shape
    by_seed, by_cluster = parts.mean(axis=1, keepdims=True), parts.mean(axis=0, keepdims=True)
    squares = (count * (by_seed**2).sum(), seeds * (by_cluster**2).sum(), ((parts - by_seed - by_cluster) ** 2).sum())
    return _per_freedom(squares, (seeds - 1, count - 1, (seeds - 1) * (count - 1)))


def _nested(parts: np.ndarray, pretrainings: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of pre-trainings, seeds within them, clusters, and the interactions of the first two with these.

    `share` is what the mean square of the pre-trainings counts in the variance of the mean, with that of the seeds for
    the rest: 1 where all have as many seeds, a little more where not (the expected mean squares of unequal groups).
    """
    seeds, count = parts.shape
    _, group, sizes = np.unique(pretrainings, return_inverse=True, return_counts=True)
    means = np.stack([parts[group == each].mean(axis=0) for each in range(len(sizes))])
    by_group, by_cluster = means.mean(axis=1, keepdims=True), parts.mean(axis=0, keepdims=True)
    within = parts - means[group]
    by_seed = within.mean(axis=1, keepdims=True)
    squares = (
        count * (sizes * by_group[:, 0] ** 2).sum(),
        count * (by_seed**2).sum(),
        seeds * (by_cluster**2).sum(),
        (sizes[:, None] * (means - by_group - by_cluster) ** 2).sum(),
        ((within - by_seed) ** 2).sum(),
    )
    between, inside = len(sizes) - 1, seeds - len(sizes)
    freedoms = (between, inside, count - 1, between * (count - 1), inside * (count - 1))
    in_mean = (sizes**2).sum() / seeds
    share = in_mean * between / (seeds - in_mean)
    return *_per_freedom(squares, freedoms), np.array([share, 1 - share, 1, -share, share - 1])


def _per_freedom(squares: Sequence[float], freedoms: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    degrees = np.array(freedoms)
    return np.divide(squares, degrees, out=np.zeros(len(degrees)), where=degrees > 0), degrees


def bootstrap_interval(means: np.ndarray) -> tuple[float, float]:
    """The 2.5 and 97.5 % quantiles of bootstrap means [R] (MultiBERTs, Sellam et al. 2022, section 4)."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def bootstrap_means(
    tables: Sequence[np.ndarray],
    clusters: np.ndarray,
    draws: int = DRAWS,
    seed: int = 0,
    pretrainings: Sequence[np.ndarray] | None = None,
) -> np.ndarray:
    """Means of each of K tables of values [S, n] over resampled seeds and resampled clusters [n]. Returns [K, R].

    All tables meet the same draws of clusters, and those with as many seeds the same draws of seeds. A draw is a count
    for each cluster and for each seed, so that the mean it gives is a product of matrices. Sums of whole numbers, as
    differences of right and wrong are, stay exact in the 32 bits that make the product fast. `pretrainings` [S] of each
    table are drawn first where there are several, and as many seeds of each as it has.
    """
    values = np.concatenate([np.asarray(table, dtype=float) for table in tables])
    patterns = np.vstack(_cluster_sums(values, np.asarray(clusters))).astype(np.float32)
    generator = np.random.default_rng([seed, 0])
    totals = np.empty((draws, len(patterns)))
    for chunk in _chunks(draws, patterns.shape[1]):
        totals[chunk] = _counts(generator, chunk.stop - chunk.start, patterns.shape[1]) @ patterns.T
    shares = totals[:, :-1] / totals[:, -1:]
    by_table = np.split(shares, np.cumsum([len(table) for table in tables])[:-1], axis=1)
    groups = [np.zeros(len(table)) for table in tables] if pretrainings is None else pretrainings
    weights = [_seed_weights(np.asarray(group), draws, seed) for group in groups]
    return np.stack([(means * own).sum(axis=1) for means, own in zip(by_table, weights, strict=True)])


def _cluster_sums(values: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum of the values of each cluster by seed, and its size. [S, n], [n] -> [S, C], [C]."""
    _, membership = np.unique(clusters, return_inverse=True)
    sums = np.stack([np.bincount(membership, weights=row) for row in values])
    return sums, np.bincount(membership).astype(float)


def _seed_weights(pretrainings: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """The share of each seed in each draw: of the drawn seeds of each drawn pre-training. [S] -> [R, S]."""
    generator, seeds = np.random.default_rng([seed, 1]), len(pretrainings)
    _, group, sizes = np.unique(pretrainings, return_inverse=True, return_counts=True)
    if len(sizes) == 1:
        return _counts(generator, draws, seeds) / np.float64(seeds)
    drawn = _counts(generator, draws, len(sizes))
    weights = np.zeros((draws, seeds))
    for each, size in enumerate(sizes):
        # Of each seed of a pre-training that is drawn m times: m x size draws among its seeds.
        times = drawn[:, each].astype(int) * size
        weights[:, group == each] = generator.multinomial(times, np.full(size, 1 / size))
    return weights / weights.sum(axis=1, keepdims=True)


def _counts(generator: np.random.Generator, size: int, things: int) -> np.ndarray:
    """How often each of so many things is drawn in as many draws with replacement. float32 [size, things]."""
    counts = np.empty((size, things), dtype=np.float32)
    for row, drawn in zip(counts, generator.integers(0, things, (size, things)), strict=True):
        row[:] = np.bincount(drawn, minlength=things)
    return counts


def _chunks(draws: int, clusters: int) -> Iterator[slice]:
    """Split the draws so that a chunk's counts stay in a fixed memory."""
    size = max(1, _CHUNK // clusters)
    for start in range(0, draws, size):
        yield slice(start, min(draws, start + size))
