"""What the plan promises: a difference of the stated size is found with the stated power."""

import math

import numpy as np
import pandas
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower
from study.conftest import claimed, store, stored_pairs

from masktune.statistics import intervals, tests
from masktune.study.design.comparisons import comparisons
from masktune.study.plan import power
from masktune.study.store import previous


@pytest.mark.parametrize(("seeds", "level"), [(6, 0.05), (9, 0.05), (10, 0.05 / 24), (14, 0.05)])
def test_a_difference_of_the_stated_size_is_found_with_80_per_cent_power(seeds, level):
    generator = np.random.default_rng(7)
    size = power.detectable(seeds, level, 2)
    found = power._rejects(generator.normal(size, 1, (300, seeds)), level, 2)
    assert found.mean() == pytest.approx(0.8, abs=0.07)


def test_a_smaller_loss_than_stated_is_shown_with_80_per_cent_power():
    """Non-inferiority at 6 seeds, margin 0.5, spread 0.4 points."""
    generator = np.random.default_rng(7)
    true = power.detectable(6, 0.05, 1) * 0.4 - 0.5
    shown = [tests.non_inferiority(generator.normal(true, 0.4, 6), 0.5) <= 0.05 for _ in range(300)]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.07)


def test_six_seeds_find_what_leaves_every_sign_alike():
    """Of the 64 sign patterns only the two extreme ones lie below 0.05."""
    size = power.detectable(6, 0.05, 2)
    assert stats.norm.cdf(size) ** 6 == pytest.approx(0.8, abs=0.03)


def test_many_seeds_are_nearly_a_t_test():
    expected = TTestPower().solve_power(nobs=12, alpha=0.05, power=0.8, alternative="two-sided")
    assert power.detectable(12, 0.05, 2) == pytest.approx(expected, rel=0.06)


def test_the_test_of_many_experiments_is_that_of_the_tables():
    differences = np.random.default_rng(0).normal(0.6, 1, (40, 7))
    for sides, alternative in ((2, "two-sided"), (1, "greater")):
        one_by_one = [tests.sign_flip(row, alternative) <= 0.05 for row in differences]
        assert power._rejects(differences, 0.05, sides).tolist() == one_by_one


def test_out_of_reach_is_infinite():
    assert math.isinf(power.detectable(5, 0.05, 2)) and math.isinf(power.detectable(6, 0.05 / 24, 2))


@pytest.mark.parametrize(("difference", "level", "sides"), [(3.0, 0.05, 2), (1.0, 0.05, 1), (0.9, 0.05 / 8, 2)])
def test_so_many_seeds_resolve_a_difference_and_one_fewer_does_not(difference, level, sides):
    seeds = power.seeds_to_resolve(difference, 2.0, level, sides)
    assert power.detectable(seeds, level, sides) * 2.0 <= difference
    assert power.detectable(seeds - 1, level, sides) * 2.0 > difference


def test_what_no_number_of_seeds_resolves():
    assert power.seeds_to_resolve(0.001, 2.0, 0.05, 2) is None
    assert power.seeds_to_resolve(0.0, 2.0, 0.05, 2) is None
    assert power.seeds_to_resolve(1.0, 0.0, 0.05, 2) == 6, "no spread: as many as the test needs"


def test_the_spread_is_that_of_finished_pairs(table):
    study = claimed(table)
    stored_pairs(study, [(1, 2), (2, 2), (1, 4)])
    store(study.cells[0], 3, right=4)
    compared = comparisons(study, study.claims[0])
    found = power.measure_spread(study.claims[0], compared, power.read_accuracies(study, {}))
    assert found == {"sentiment": (pytest.approx(np.std([25, 0, 75], ddof=1)), 3)}


def test_the_spread_is_read_from_the_gathered_table_where_no_run_lies(table, results):
    study = claimed(table)
    rows = [
        {"run_id": cell.run_id(seed), "status": "done", "accuracy/validation": accuracy}
        for cell, accuracies in zip(study.cells, [(0.5, 0.5), (0.6, 0.8)], strict=True)
        for seed, accuracy in enumerate(accuracies)
    ]
    (results / "small").mkdir(parents=True)
    pandas.DataFrame(rows).to_parquet(results / "small" / "runs.parquet")
    gathered = previous.read_rows(results / "small" / "runs.parquet")
    compared = comparisons(study, study.claims[0])
    found = power.measure_spread(study.claims[0], compared, power.read_accuracies(study, gathered))
    assert found == {"sentiment": (pytest.approx(np.std([10, 30], ddof=1)), 2)}
    store(study.cells[0], 1, right=4)
    by_seed = power.read_accuracies(study, gathered)["fine-tuning", "bert", "sentiment"]
    assert [by_seed[seed]["validation"] for seed in (0, 1)] == [0.5, 1.0]


def test_the_half_width_is_that_of_the_t_interval():
    values = np.random.default_rng(0).normal(size=5)
    found = intervals.mean_over_seeds(values)
    assert power.half_width(5) * values.std(ddof=1) == pytest.approx((found.high - found.low) / 2)
