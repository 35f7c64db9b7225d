import math

import pytest

from masktune.pretraining import curve


def points(losses):
    return [{"step": 100 * number, "loss": loss, "accuracy": 0.5} for number, loss in enumerate(losses)]


@pytest.mark.parametrize(("steps", "expected"), [(0, set()), (3, {1, 2, 3}), (24, set(range(2, 25, 2)))])
def test_a_training_is_looked_at_in_equal_steps_and_at_its_end(steps, expected):
    assert curve.steps_at(steps) == expected


@pytest.mark.parametrize(
    ("losses", "gain"),
    [([5, 3, 2, 1.5, 1.4], 0.1), ([5, 3, 2, 1.5, 1.5], 0), ([5, 1, 1, 1.2, 1.3], -0.1), ([5, 2], 3)],
)
def test_the_last_gain_is_what_the_last_quarter_gave(losses, gain):
    assert curve.last_gain(points(losses)) == pytest.approx(gain)


def test_levelled_off_is_a_gain_below_the_limit():
    assert not curve.has_levelled_off(points([5, 3, 2, 1.5, 1.5 - curve.STILL]))
    assert curve.has_levelled_off(points([5, 3, 2, 1.5, 1.5 - 0.9 * curve.STILL]))


def test_without_training_nothing_is_said():
    assert math.isnan(curve.last_gain(points([5]))) and not curve.has_levelled_off(points([5]))
    assert math.isnan(curve.last_gain([])) and not curve.has_levelled_off([])
