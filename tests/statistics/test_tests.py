"""The statistics against literal, slow ones, and against what simulation says they promise."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import permutation_test

from masktune.statistics import tests
from masktune.study.design.claims import smallest_p


def test_sign_flip_is_every_flip_of_every_sign():
    differences = np.array([0.4, 1.3, -0.2, 0.9, 0.1, 0.7])
    flipped = [np.mean(differences * signs) for signs in itertools.product([1, -1], repeat=6)]
    literal = np.mean(np.abs(flipped) >= abs(differences.mean()) - 1e-12)
    assert tests.sign_flip(differences) == pytest.approx(literal)


def test_sign_flip_equals_scipys_own_paired_test():
    generator = np.random.default_rng(1)
    first, second = generator.normal(size=(2, 8))
    paired = permutation_test(
        (second, first), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf
    )
    assert tests.sign_flip(second - first) == pytest.approx(paired.pvalue)


@given(st.integers(2, 10))
def test_sign_flip_reaches_its_floor_and_no_lower(seeds):
    assert tests.sign_flip(np.ones(seeds)) == pytest.approx(smallest_p(seeds))


@given(st.integers(2, 10))
def test_one_sided_floor_is_half_of_it(seeds):
    assert tests.non_inferiority(np.zeros(seeds), 0.5) == pytest.approx(smallest_p(seeds, sides=1))


@pytest.mark.parametrize("differences", [[0.7], [0.0, 0.0, 0.0]])
def test_sign_flip_without_evidence_is_one(differences):
    assert tests.sign_flip(np.array(differences)) == 1.0


COUNTS = st.lists(st.tuples(st.integers(640, 720), st.integers(640, 720)), min_size=2, max_size=8)


@given(COUNTS, st.sampled_from([1, 976, 9.76, 3, 7597]))
def test_the_unit_of_differences_does_not_change_a_p_value(pairs, unit):
    """Right answers, shares, points, and differences of two rounded means: p is that of whole numbers."""
    first, second = np.array(pairs).T
    signs = np.array(list(itertools.product([1, -1], repeat=len(pairs))))
    sums, observed = signs @ (second - first), (second - first).sum()
    literal = min(1.0, 2 * min(np.mean(sums >= observed), np.mean(sums <= observed)))
    assert tests.sign_flip(second - first) == pytest.approx(literal)
    assert tests.sign_flip(second / unit - first / unit) == pytest.approx(literal)


def test_six_seeds_with_as_many_right_answers_in_all():
    first, second = np.array([[703, 688, 654, 711, 703, 695], [700, 690, 655, 710, 702, 696]])
    for unit in (1, 976, 9.76):
        assert tests.sign_flip(second / unit - first / unit) == 1.0


def test_many_seeds_are_sampled_and_never_give_zero():
    assert tests.sign_flip(np.ones(20)) == pytest.approx(2 * 2**-16)
    noise = np.random.default_rng(3).normal(0.3, 1, 20)
    exact = permutation_test((noise,), np.mean, permutation_type="samples", n_resamples=99_999, rng=1).pvalue
    assert tests.sign_flip(noise) == pytest.approx(exact, abs=0.01)


def test_inferiority_is_non_inferiority_seen_from_the_other_side():
    differences = np.array([0.1, -0.7, 0.3, -0.2, 0.4, 0.0, -0.1])
    assert tests.inferiority(differences, 0.5) == tests.non_inferiority(-differences, -0.5)
    assert tests.inferiority(np.full(5, -1.0), 0.5) == pytest.approx(1 / 32)


def test_sign_flip_errs_at_its_level():
    """Under no difference p falls below 0.05 in at most 5 % of cases, and not in far fewer."""
    generator = np.random.default_rng(0)
    values = [tests.sign_flip(generator.standard_t(3, 7)) for _ in range(400)]
    assert 0.02 <= np.mean(np.array(values) <= 0.05) <= 0.075


def test_non_inferiority_is_every_flip_of_the_shifted_differences():
    differences, margin = np.array([0.1, -0.7, 0.3, -0.2, 0.4, 0.0, -0.1]), 0.5
    flipped = [np.mean((differences + margin) * signs) for signs in itertools.product([1, -1], repeat=7)]
    literal = np.mean(np.array(flipped) >= (differences + margin).mean() - 1e-12)
    assert tests.non_inferiority(differences, margin) == pytest.approx(literal)


def test_non_inferiority_errs_at_its_level():
    """Where the second method is worse by exactly the margin, it passes in at most 5 % of cases."""
    generator = np.random.default_rng(0)
    values = [tests.non_inferiority(generator.normal(-0.5, 1, 7), 0.5) for _ in range(400)]
    assert 0.02 <= np.mean(np.array(values) <= 0.05) <= 0.075


@given(st.integers(0, 12), st.integers(0, 12))
def test_mcnemar_is_the_binomial_test_of_the_examples_that_differ(better, worse):
    first = np.array([False] * better + [True] * worse + [True, False])
    second = np.array([True] * better + [False] * worse + [True, False])
    literal = stats.binomtest(better, better + worse).pvalue if better + worse else 1.0
    assert tests.mcnemar(first, second) == pytest.approx(literal)


def test_probability_greater_counts_ties_half():
    assert tests.probability_greater([2, 3], [1, 2]) == pytest.approx((1 + 0.5 + 1 + 1) / 4)
