"""The fast statistics against literal, slow ones, and against what simulation says they promise."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import permutation_test

from masktune.analysis import statistics


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


@pytest.fixture
def pair():
    generator = np.random.default_rng(5)
    first = generator.random((4, 24)) < 0.6
    second = generator.random((4, 24)) < 0.75
    return first, second, np.repeat(np.arange(12), [1, 3] * 6)


def test_bootstrap_agrees_with_the_literal_one(pair):
    first, second, clusters = pair
    slow = slow_bootstrap(first, second, clusters, 3000, 1)
    fast = statistics.bootstrap_means(second.astype(float) - first, clusters, 20_000, 2)
    assert fast.mean() == pytest.approx(slow.mean(), abs=0.008)
    assert fast.std() == pytest.approx(slow.std(), rel=0.07)
    assert np.quantile(fast, [0.025, 0.975]) == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.02)


def test_bootstrap_spreads_with_seeds_alone_when_examples_agree():
    values = np.repeat(np.array([[0.0], [1.0], [1.0], [0.0]]), 30, axis=1)
    means = statistics.bootstrap_means(values, np.arange(30), 20_000)
    assert sorted(np.unique(means)) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert np.mean(means == 0.5) == pytest.approx(stats.binom.pmf(2, 4, 0.5), abs=0.015)


def test_clusters_widen_the_interval():
    generator = np.random.default_rng(0)
    difference = np.repeat(generator.choice([-1.0, 1.0], 40), 10)[None, :]
    single = statistics.bootstrap_means(difference, np.arange(400)).std()
    clustered = statistics.bootstrap_means(difference, np.arange(400) // 10).std()
    assert clustered == pytest.approx(single * np.sqrt(10), rel=0.05)


def test_difference_is_the_plain_mean_and_repeats(pair):
    one, again = (statistics.paired_difference(*pair) for _ in range(2))
    assert one == again
    assert one.mean == pytest.approx(pair[1].mean() - pair[0].mean())
    assert one.low < one.mean < one.high and one.seeds == 4


def test_swapping_the_methods_turns_the_interval_round(pair):
    first, second, clusters = pair
    one = statistics.paired_difference(first, second, clusters)
    other = statistics.paired_difference(second, first, clusters)
    assert (other.low, other.mean, other.high) == pytest.approx((-one.high, -one.mean, -one.low))


def test_large_sets_stay_within_memory_chunks():
    sizes = [chunk.stop - chunk.start for chunk in statistics._chunks(10_000, 30_000)]
    assert sum(sizes) == 10_000 and max(sizes) * 30_000 <= statistics._CHUNK


def test_bootstrap_interval_covers_the_truth():
    """95 % intervals over 12 seeds x 150 examples hold the true difference in about 95 % of 120 small worlds."""
    generator = np.random.default_rng(3)
    held = 0
    for _ in range(120):
        difficulty = generator.normal(size=150)
        shift = generator.normal(0.3, 0.3, (12, 1))
        first = difficulty + generator.normal(size=(12, 150)) < 0.5
        second = difficulty + generator.normal(size=(12, 150)) < 0.5 + shift
        truth = stats.norm.cdf((0.5 + 0.3) / np.sqrt(2 + 0.09)) - stats.norm.cdf(0.5 / np.sqrt(2))
        found = statistics.paired_difference(first, second, np.arange(150), draws=800)
        held += found.low <= truth <= found.high
    assert 0.87 <= held / 120 <= 1.0


def test_sign_flip_is_every_flip_of_every_sign():
    differences = np.array([0.4, 1.3, -0.2, 0.9, 0.1, 0.7])
    flipped = [np.mean(differences * signs) for signs in itertools.product([1, -1], repeat=6)]
    literal = np.mean(np.abs(flipped) >= abs(differences.mean()) - 1e-12)
    assert statistics.sign_flip(differences) == pytest.approx(literal)


def test_sign_flip_equals_scipys_own_paired_test():
    generator = np.random.default_rng(1)
    first, second = generator.normal(size=(2, 8))
    paired = permutation_test(
        (second, first), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf
    )
    assert statistics.sign_flip(second - first) == pytest.approx(paired.pvalue)


@given(st.integers(2, 10))
def test_sign_flip_reaches_its_floor_and_no_lower(seeds):
    assert statistics.sign_flip(np.ones(seeds)) == pytest.approx(statistics.smallest_p(seeds))


@pytest.mark.parametrize("differences", [[0.7], [0.0, 0.0, 0.0]])
def test_sign_flip_without_evidence_is_one(differences):
    assert statistics.sign_flip(np.array(differences)) == 1.0


def test_sign_flip_errs_at_its_level():
    """Under no difference p falls below 0.05 in at most 5 % of cases, and not in far fewer."""
    generator = np.random.default_rng(0)
    values = [statistics.sign_flip(generator.standard_t(3, 7)) for _ in range(400)]
    assert 0.02 <= np.mean(np.array(values) <= 0.05) <= 0.075


def test_mean_over_seeds_is_the_t_interval():
    values = [0.8, 0.9, 0.7, 0.85]
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    found = statistics.mean_over_seeds(values)
    assert (found.mean, found.low, found.high, found.seeds) == pytest.approx((0.8125, low, high, 4))


def test_one_seed_has_no_interval():
    found = statistics.mean_over_seeds([0.8])
    assert found.mean == 0.8 and np.isnan(found.low) and np.isnan(found.high)


def test_wilson_is_the_published_formula():
    share, n, z = 0.9, 50, stats.norm.ppf(0.975)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert statistics.wilson(share, n) == pytest.approx((centre - half, centre + half))


def test_wilson_stays_inside_zero_and_one():
    assert statistics.wilson(1.0, 20)[1] <= 1.0 and statistics.wilson(0.0, 20)[0] >= 0.0


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcd")), min_size=1))
def test_pair_consistency_is_the_share_of_whole_clusters(rows):
    clusters = {name: [right for right, other in rows if other == name] for _, name in rows}
    literal = sum(all(answers) for answers in clusters.values()) / len(clusters)
    assert statistics.pair_consistency(*map(np.array, zip(*rows, strict=True))) == pytest.approx(literal)


def test_auroc_is_the_share_of_pairs_in_order():
    scores, labels = np.array([0.1, 0.4, 0.4, 0.8, 0.2]), np.array([0, 1, 0, 1, 0])
    literal = np.mean([(p > n) + 0.5 * (p == n) for p in scores[labels == 1] for n in scores[labels == 0]])
    assert statistics.auroc(scores, labels) == pytest.approx(literal)
    assert np.isnan(statistics.auroc(scores, np.ones(5)))


def test_class_accuracy_is_recall():
    assert statistics.class_accuracy([0, 1, 1, 0], [0, 0, 1, 1]) == {0: 0.5, 1: 0.5}
    assert statistics.class_accuracy([1, 1, 1], [0, 1, 1]) == {0: 0.0, 1: 1.0}


def test_probability_greater_counts_ties_half():
    assert statistics.probability_greater([2, 3], [1, 2]) == pytest.approx((1 + 0.5 + 1 + 1) / 4)
