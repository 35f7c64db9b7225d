"""The intervals against their published formulas."""

import numpy as np
import pytest
from scipy import stats

from masktune.statistics import intervals


def test_an_interval_ends_where_no_values_are():
    found = intervals.mean_over_seeds([2.0, 98.0, 55.0])
    assert found.low < 0 and found.high > 100
    assert found.within(0, 100) == intervals.Estimate(found.mean, 0, 100, 3)
    inside = intervals.mean_over_seeds([50.0, 51.0, 52.0])
    assert inside.within(0, 100) == inside
    assert np.isnan(intervals.mean_over_seeds([50.0]).within(0, 100).high)


def test_mean_over_seeds_is_the_t_interval():
    values = [0.8, 0.9, 0.7, 0.85]
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    found = intervals.mean_over_seeds(values)
    assert (found.mean, found.low, found.high, found.seeds) == pytest.approx((0.8125, low, high, 4))


def test_one_seed_has_no_interval():
    found = intervals.mean_over_seeds([0.8])
    assert found.mean == 0.8 and np.isnan(found.low) and np.isnan(found.high)


def test_wilson_is_the_published_formula():
    share, n, z = 0.9, 50, stats.norm.ppf(0.975)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert intervals.wilson(share, n) == pytest.approx((centre - half, centre + half))


def test_wilson_stays_inside_zero_and_one():
    assert intervals.wilson(1.0, 20)[1] <= 1.0 and intervals.wilson(0.0, 20)[0] >= 0.0
