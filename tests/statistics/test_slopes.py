"""Slopes over places: against the formula, with places missing, and where they leave a slope open."""

import numpy as np
import pytest

from masktune.statistics.slopes import slopes

# Three lengths of training x four language models, in factors of ten.
PLACES = np.array([(steps, adapted) for adapted in (1.5, 2.5, 3.5, 4.5) for steps in (2.7, 3.3, 3.8)])


def test_an_exact_plane_gives_its_slopes_whatever_its_height():
    values = np.array([7 - 4 * PLACES[:, 0] + 0.5 * PLACES[:, 1], -20 + 3 * PLACES[:, 0]])
    assert slopes(PLACES, values) == pytest.approx(np.array([[-4, 0.5], [3, 0]]))


def test_they_are_those_of_the_normal_equations():
    values = np.random.default_rng(0).normal(size=(5, 12))
    design = np.column_stack([np.ones(12), PLACES])
    by_hand = np.linalg.solve(design.T @ design, design.T @ values.T)[1:].T
    assert slopes(PLACES, values) == pytest.approx(by_hand)


def test_places_that_are_missing_are_left_out_of_their_row_alone():
    values = np.random.default_rng(1).normal(size=(2, 12))
    whole = slopes(PLACES, values)
    gone = [0, 5]
    values[0, gone] = np.nan
    found = slopes(PLACES, values)
    assert found[1] == pytest.approx(whole[1])
    assert found[:1] == pytest.approx(slopes(np.delete(PLACES, gone, 0), np.delete(values[:1], gone, 1)))


@pytest.mark.parametrize("there", [[], [0], [0, 1], [0, 1, 2], [0, 3, 6, 9]])
def test_too_few_places_and_places_that_vary_together_leave_the_slopes_open(there):
    values = np.full((1, 12), np.nan)
    values[0, there] = 1.0
    assert np.isnan(slopes(PLACES, values)).all()


def test_no_seed_gives_no_row():
    assert slopes(PLACES, np.empty((0, 12))).shape == (0, 2)
