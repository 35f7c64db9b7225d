"""Corrections for many comparisons against literal ones, and simulations of what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from masktune.statistics import multiplicity

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def slow_holm(values):
    """The smallest p value times n, the next times n - 1 ..., never below an earlier one."""
    order, so_far, found = sorted(range(len(values)), key=lambda i: values[i]), 0.0, {}
    for rank, i in enumerate(order):
        so_far = max(so_far, (len(values) - rank) * values[i])
        found[i] = min(so_far, 1.0)
    return [found[i] for i in range(len(values))]


def slow_benjamini_hochberg(values):
    """For each p value the least n p_(k) / k of those at least as large."""
    ordered = sorted(values)
    return [
        min(
            len(values) * p / rank for rank, p in enumerate(ordered, 1) if rank > sum(other < value for other in values)
        )
        for value in values
    ]


def slow_partial_conjunction(values, wanted):
    """Simes' combination of all but the wanted - 1 smallest p values, and of every smaller wish."""
    found = 0.0
    for u in range(1, wanted + 1):
        rest = sorted(values)[u - 1 :]
        found = max(found, min(len(rest) * p / rank for rank, p in enumerate(rest, 1)))
    return min(found, 1.0)


@pytest.mark.parametrize("values", [[0.3], [0.02, 0.01, 0.02, 0.5, 0.0], [0.04, 0.01, 1.0, 0.012, 0.03, 0.2]])
def test_holm(values):
    assert multiplicity.correct(values, "headline") == pytest.approx(slow_holm(values))


@given(P_VALUES)
def test_benjamini_hochberg(values):
    assert multiplicity.correct(values, "ablation") == pytest.approx(slow_benjamini_hochberg(values))


@given(P_VALUES)
def test_partial_conjunction(values):
    expected = [slow_partial_conjunction(values, u) for u in range(1, len(values) + 1)]
    assert multiplicity.partial_conjunction(values) == pytest.approx(expected)


@given(P_VALUES)
def test_all_of_them_is_the_largest_and_any_of_them_is_simes(values):
    found = multiplicity.partial_conjunction(values)
    assert found[-1] == pytest.approx(max(max(values), found[0]))
    assert found[0] == pytest.approx(min(multiplicity.correct(values, "ablation")))


def test_what_was_not_tested_stays_empty_and_counts():
    found = multiplicity.correct([0.01, np.nan, 0.04], "headline")
    assert found[[0, 2]] == pytest.approx([0.03, 0.08]) and np.isnan(found[1])
    assert multiplicity.holds_on([0.001, np.nan, 0.002], 0.05) == 2


def test_nothing_is_nothing():
    assert len(multiplicity.correct([], "headline")) == 0
    assert multiplicity.holds_on([], 0.05) == 0


@pytest.mark.parametrize("shared", [0.0, 0.6])
@pytest.mark.parametrize("true", [0, 2, 4])
def test_more_than_the_truth_is_claimed_in_at_most_five_per_cent(true, shared):
    """Two-sided tests of six comparisons, `true` of them with a large effect, independent or sharing seeds."""
    generator = np.random.default_rng(8)
    means = np.array([5.0] * true + [0.0] * (6 - true))
    common = generator.normal(size=(2000, 1)) * np.sqrt(shared)
    scores = means + common + np.sqrt(1 - shared) * generator.normal(size=(2000, 6))
    values = 2 * stats.norm.sf(np.abs(scores))
    too_many = np.mean([multiplicity.holds_on(row, 0.05) > true for row in values])
    assert too_many <= stats.binom.ppf(0.995, 2000, 0.05) / 2000


def test_holm_rarely_errs_at_all_and_benjamini_hochberg_in_a_small_share():
    """Five differences and five equal pairs: Holm by its literal twin, which the test above holds it against."""
    generator = np.random.default_rng(2)
    means = np.array([3.5] * 5 + [0.0] * 5)
    values = 2 * stats.norm.sf(np.abs(means + generator.normal(size=(400, 10))))
    holm = np.array([slow_holm(row) for row in values]) <= 0.05
    hochberg = np.array([multiplicity.correct(row, "ablation") for row in values]) <= 0.05
    assert holm[:, 5:].any(axis=1).mean() <= stats.binom.ppf(0.995, 400, 0.05) / 400
    assert (hochberg[:, 5:].sum(axis=1) / np.maximum(hochberg.sum(axis=1), 1)).mean() <= 0.05
    assert hochberg[:, :5].mean() > holm[:, :5].mean()
