"""Means over seeds x clusters: the fast ways against literal, slow ones and statsmodels."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from masktune.statistics import crossed, intervals


def slow_bootstrap(first, second, clusters, draws, seed):
    """MultiBERTs' bootstrap written out: draw seeds, draw clusters, average every pair of them."""
    generator = np.random.default_rng(seed)
    names = list(dict.fromkeys(clusters))
    means = []
    for _ in range(draws):
        seeds = generator.integers(0, len(first), len(first))
        drawn = generator.integers(0, len(names), len(names))
        total = count = 0
        for s in seeds:
            for c in drawn:
                for i in np.flatnonzero(np.asarray(clusters) == names[c]):
                    total += float(second[s][i]) - float(first[s][i])
                    count += 1
        means.append(total / count)
    return np.array(means)


def slow_crossed_mean(values, clusters):
    """Error and degrees of freedom of the mean, sum by sum."""
    names = sorted(set(clusters))
    seeds, count = len(values), len(names)
    mean = sum(map(sum, values)) / (seeds * len(clusters))
    part = {}
    for s in range(seeds):
        for name in names:
            own = [values[s][i] - mean for i in range(len(clusters)) if clusters[i] == name]
            part[s, name] = sum(own) * count / len(clusters)
    of_seed = [sum(part[s, name] for name in names) / count for s in range(seeds)]
    of_cluster = {name: sum(part[s, name] for s in range(seeds)) / seeds for name in names}
    ms_seed = count * sum(value**2 for value in of_seed) / (seeds - 1)
    ms_cluster = seeds * sum(value**2 for value in of_cluster.values()) / (count - 1)
    left = sum((part[s, name] - of_seed[s] - of_cluster[name]) ** 2 for s in range(seeds) for name in names)
    ms_left = left / ((seeds - 1) * (count - 1))
    if ms_cluster < ms_left:
        ms_cluster = ms_left = 0.0
    total = ms_seed + ms_cluster - ms_left
    freedom = total**2 / (
        ms_seed**2 / (seeds - 1) + ms_cluster**2 / (count - 1) + ms_left**2 / ((seeds - 1) * (count - 1))
    )
    return mean, (total / (seeds * count)) ** 0.5, freedom


@pytest.fixture
def pair():
    generator = np.random.default_rng(5)
    first = generator.random((4, 24)) < 0.6
    second = generator.random((4, 24)) < 0.75
    return first, second, np.repeat(np.arange(12), [1, 3] * 6)


@pytest.mark.parametrize("seed", range(6))
def test_crossed_mean_is_the_sum_written_out(seed):
    """With clusters of one to three examples, whether or not clusters vary more than single answers."""
    generator = np.random.default_rng(seed)
    clusters = generator.permutation(np.repeat(np.arange(9), [1, 2, 3] * 3))
    values = generator.normal(size=(5, 18)) + seed * generator.normal(size=9)[clusters]
    found = crossed.crossed_mean(values, clusters)
    assert (found.mean, found.error, found.freedom) == pytest.approx(slow_crossed_mean(values, clusters))


def test_mean_squares_are_those_of_statsmodels():
    values = np.random.default_rng(0).normal(size=(4, 11))
    seed, cluster = np.indices(values.shape)
    table = pd.DataFrame({"value": values.ravel(), "seed": seed.ravel(), "cluster": cluster.ravel()})
    expected = anova_lm(ols("value ~ C(seed) + C(cluster)", table).fit())["mean_sq"]
    squares, freedoms = crossed._mean_squares(values - values.mean())
    assert squares == pytest.approx(expected.to_numpy())
    assert freedoms.tolist() == [3, 10, 30]


def test_one_seed_is_a_t_interval_over_examples():
    values = np.random.default_rng(1).normal(size=40)
    found = crossed.crossed_mean(values[None, :], np.arange(40)).estimate()
    expected = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)


def test_seeds_alone_are_a_t_interval_over_seeds():
    """Every example says the same, so that only seeds vary."""
    by_seed = np.array([0.1, 0.4, -0.2, 0.3])
    found = crossed.crossed_mean(np.repeat(by_seed[:, None], 25, axis=1), np.arange(25)).estimate()
    expected = stats.t.interval(0.95, 3, by_seed.mean(), stats.sem(by_seed))
    assert (found.low, found.high) == pytest.approx(expected)


def test_the_lower_bound_leaves_five_per_cent_on_one_side(pair):
    found = crossed.paired_difference(*pair)
    assert stats.t.cdf((found.mean - found.lower_bound()) / found.error, found.freedom) == pytest.approx(0.95)
    assert found.estimate().low < found.lower_bound() < found.mean


def test_without_any_difference_there_is_no_width():
    found = crossed.crossed_mean(np.zeros((3, 8)), np.arange(8)).estimate()
    assert (found.low, found.mean, found.high) == (0.0, 0.0, 0.0)


def test_one_seed_and_one_cluster_have_no_interval():
    found = crossed.crossed_mean(np.array([[1.0, 0.0]]), np.zeros(2)).estimate()
    assert found.mean == 0.5 and np.isnan(found.low) and np.isnan(found.high)


def test_swapping_the_methods_turns_the_interval_round(pair):
    first, second, clusters = pair
    one = crossed.paired_difference(first, second, clusters).estimate()
    other = crossed.paired_difference(second, first, clusters).estimate()
    assert (other.low, other.mean, other.high) == pytest.approx((-one.high, -one.mean, -one.low))
    assert one.mean == pytest.approx(second.mean() - first.mean())


@pytest.mark.parametrize("way", ["crossed_mean", "bootstrap"])
def test_clusters_widen_the_interval(way):
    generator = np.random.default_rng(0)
    values = np.repeat(generator.choice([-1.0, 1.0], 40), 10)[None, :]
    error = {
        "crossed_mean": lambda clusters: crossed.crossed_mean(values, clusters).error,
        "bootstrap": lambda clusters: crossed.bootstrap_means([values], clusters).std(),
    }[way]
    assert error(np.arange(400) // 10) == pytest.approx(error(np.arange(400)) * np.sqrt(10), rel=0.05)


def test_bootstrap_agrees_with_the_literal_one(pair):
    first, second, clusters = pair
    slow = slow_bootstrap(first, second, clusters, 3000, 1)
    (fast,) = crossed.bootstrap_means([second.astype(float) - first], clusters, 20_000, 2)
    assert fast.mean() == pytest.approx(slow.mean(), abs=0.008)
    assert fast.std() == pytest.approx(slow.std(), rel=0.07)
    assert crossed.bootstrap_interval(fast) == pytest.approx(crossed.bootstrap_interval(slow), abs=0.02)


def test_bootstrap_spreads_with_seeds_alone_when_examples_agree():
    values = np.repeat(np.array([[0.0], [1.0], [1.0], [0.0]]), 30, axis=1)
    (means,) = crossed.bootstrap_means([values], np.arange(30), 20_000)
    assert sorted(np.unique(means)) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert np.mean(means == 0.5) == pytest.approx(stats.binom.pmf(2, 4, 0.5), abs=0.015)


def test_tables_drawn_together_are_those_drawn_alone(pair):
    first, second, clusters = pair
    gap = second.astype(float) - first
    together = crossed.bootstrap_means([gap, gap[:3], -gap], clusters, 200)
    alone = [crossed.bootstrap_means([table], clusters, 200)[0] for table in (gap, gap[:3], -gap)]
    assert np.array_equal(together, alone)


def test_large_sets_stay_within_memory_chunks():
    sizes = [chunk.stop - chunk.start for chunk in crossed._chunks(10_000, 30_000)]
    assert sum(sizes) == 10_000 and max(sizes) * 30_000 <= crossed._CHUNK


def slow_nested_mean(values, clusters, started):
    """Error and degrees of freedom with pre-trainings above the seeds, sum by sum, from the variance components."""
    names, groups = sorted(set(clusters)), sorted(set(started))
    seeds, count, of = len(values), len(names), range(len(values))
    mean = sum(map(sum, values)) / (seeds * len(clusters))
    part = {}
    for s in of:
        for c in names:
            own = [values[s][i] - mean for i in range(len(clusters)) if clusters[i] == c]
            part[s, c] = sum(own) * count / len(clusters)
    members = {g: [s for s in of if started[s] == g] for g in groups}
    cell = {(g, c): sum(part[s, c] for s in members[g]) / len(members[g]) for g in groups for c in names}
    of_group = {g: sum(cell[g, c] for c in names) / count for g in groups}
    of_cluster = {c: sum(part[s, c] for s in of) / seeds for c in names}
    of_seed = {s: sum(part[s, c] for c in names) / count for s in of}
    sizes = {g: len(members[g]) for g in groups}
    between, inside = len(groups) - 1, seeds - len(groups)
    ms_group = count * sum(sizes[g] * of_group[g] ** 2 for g in groups) / between
    ms_seed = count * sum((of_seed[s] - of_group[g]) ** 2 for g in groups for s in members[g]) / inside
    ms_cluster = seeds * sum(value**2 for value in of_cluster.values()) / (count - 1)
    left = sum(sizes[g] * (cell[g, c] - of_group[g] - of_cluster[c]) ** 2 for g in groups for c in names)
    ms_group_cluster = left / (between * (count - 1))
    left = sum(
        (part[s, c] - of_seed[s] - cell[g, c] + of_group[g]) ** 2 for g in groups for s in members[g] for c in names
    )
    ms_left = left / (inside * (count - 1))
    # The components: sigma^2 of a pre-training, of a seed, and of both with a cluster.
    each = (seeds - sum(size**2 for size in sizes.values()) / seeds) / between
    group = (ms_group - ms_group_cluster - ms_seed + ms_left) / (each * count)
    group_cluster = (ms_group_cluster - ms_left) / each
    seed = (ms_seed - ms_left) / count
    squared = sum((size / seeds) ** 2 for size in sizes.values())
    cluster = (ms_cluster - ms_left - seeds * squared * group_cluster) / seeds
    variance = (
        squared * group + seed / seeds + cluster / count + squared * group_cluster / count + ms_left / seeds / count
    )
    k = seeds * squared / each
    terms = [(k, ms_group, between), (1 - k, ms_seed, inside), (1, ms_cluster, count - 1)]
    terms += [(k, ms_group_cluster, between * (count - 1)), (1 - k, ms_left, inside * (count - 1))]
    spread = sum((weight * square) ** 2 / freedom for weight, square, freedom in terms)
    return mean, variance**0.5, (variance * seeds * count) ** 2 / spread


def started_from(seeds, pretrainings):
    return np.arange(seeds) % pretrainings


@pytest.mark.parametrize("seeds", [6, 7, 10])
def test_pretrainings_are_a_level_above_the_seeds(seeds):
    generator, started = np.random.default_rng(seeds), started_from(seeds, 3)
    clusters = np.repeat(np.arange(12), [1, 2, 3] * 4)
    values = np.array([-3.0, 1.0, 2.0])[started][:, None] + generator.normal(0, 1, (seeds, 1))
    values = values + generator.normal(0, 3, 12)[clusters] + generator.normal(0, 1, (seeds, len(clusters)))
    found = crossed.crossed_mean(values, clusters, started)
    assert (found.mean, found.error, found.freedom) == pytest.approx(slow_nested_mean(values, clusters, list(started)))
    assert found.error > crossed.crossed_mean(values, clusters).error and found.seeds == seeds


def test_mean_squares_of_pretrainings_are_those_of_an_analysis_of_variance():
    generator, started = np.random.default_rng(1), started_from(6, 3)
    values = generator.normal(size=(6, 8)) + generator.normal(0, 2, 3)[started][:, None]
    squares, freedoms, weights = crossed._nested(values - values.mean(), started)
    rows = [
        {"value": values[s, c], "p": f"p{s % 3}", "s": f"s{s // 3}", "c": f"c{c}"} for s in range(6) for c in range(8)
    ]
    table = anova_lm(ols("value ~ C(p) + C(p):C(s) + C(c) + C(p):C(c)", pd.DataFrame(rows)).fit())
    expected = table.loc[["C(p)", "C(p):C(s)", "C(c)", "C(p):C(c)", "Residual"], "mean_sq"]
    assert squares == pytest.approx(expected.to_numpy())
    assert list(freedoms) == [2, 3, 7, 14, 21] and list(weights) == pytest.approx([1, 0, 1, -1, 0])


@pytest.mark.parametrize("started", [None, np.zeros(6), np.arange(6)])
def test_with_one_pretraining_or_one_for_each_seed_the_interval_is_that_of_seeds(started):
    generator = np.random.default_rng(2)
    values, clusters = generator.normal(size=(6, 30)), np.repeat(np.arange(10), 3)
    assert crossed.crossed_mean(values, clusters, started) == crossed.crossed_mean(values, clusters)
    tables = [values, values[:4]]
    own = None if started is None else [np.zeros(6), np.zeros(4)]
    means = crossed.bootstrap_means(tables, clusters, 50, pretrainings=own)
    assert np.array_equal(means, crossed.bootstrap_means(tables, clusters, 50))


def test_pretrainings_that_differ_by_less_than_their_seeds_are_left_out():
    values = np.array([[1.0], [1.0], [1.0], [-1.0], [-1.0], [-1.0]]) + np.linspace(0, 0.1, 4)
    started = started_from(6, 3)
    clusters = np.arange(4)
    assert crossed.crossed_mean(values, clusters, started) == crossed.crossed_mean(values, clusters)


def test_without_clusters_the_mean_over_seeds_is_that_of_the_pretrainings():
    values, started = np.array([1.0, 5.0, 9.0, 2.0, 6.0, 10.0]), started_from(6, 3)
    found, expected = crossed.mean_over_seeds(values, started), intervals.mean_over_seeds(np.array([1.5, 5.5, 9.5]))
    assert (found.mean, found.low, found.high) == pytest.approx((expected.mean, expected.low, expected.high))
    assert found.seeds == 6
    assert crossed.mean_over_seeds(values, np.zeros(6)) == intervals.mean_over_seeds(values)


def test_the_bootstrap_draws_pretrainings_and_then_their_seeds():
    started = np.array([0, 1, 2, 0, 1, 2, 0])
    weights = crossed._seed_weights(started, 20_000, 0)
    assert weights.sum(axis=1) == pytest.approx(np.ones(20_000))
    none = np.mean([weights[:, started == each].sum(axis=1) == 0 for each in range(3)], axis=1)
    assert none == pytest.approx((2 / 3) ** 3, abs=0.01)  # of three draws, none is of it
    alone = weights[(weights[:, started != 1] == 0).all(axis=1)][:, started == 1]
    assert alone.var(axis=0) == pytest.approx(1 / 24, abs=0.01)  # 6 draws of 2 seeds: p (1 - p) / 6
