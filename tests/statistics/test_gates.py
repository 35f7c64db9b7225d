"""Gates as functions of numbers."""

import math

import numpy as np
import pytest

from masktune.statistics.gates import FAILED, PASSED, can_tell, did_train, final_loss, gains


@pytest.mark.parametrize(
    ("accuracies", "loss", "trained", "reason"),
    [
        ([95, 85], 0.1, True, ""),
        ([90, 90], 0.9 * math.log(2), True, ""),  # at the limit of both
        ([95, 95], math.nan, True, ""),  # no loss was logged
        ([89, 90], 0.1, False, "accuracy 89.5 in distribution, 90 asked for"),
        ([95, 95], 0.709, False, "training loss 0.709, 102 % of ln 2, at most 90 % asked"),
        (
            [52.7], 0.709, False,
            "accuracy 52.7 in distribution, 90 asked for; training loss 0.709, 102 % of ln 2, at most 90 % asked",
        ),
    ],
)  # fmt: skip
def test_a_row_trained_where_accuracy_and_loss_say_so(accuracies, loss, trained, reason):
    assert did_train(np.array(accuracies), loss, 2, 90.0, 0.9) == (trained, reason)


def test_guessing_among_more_classes_has_a_larger_loss():
    assert did_train(np.array([95.0]), 0.709, 3, 90.0, 0.9)[0]


@pytest.mark.parametrize(
    ("difference", "low", "outcome"),
    [
        (15.0, 0.1, PASSED), (14.9, 12.0, FAILED), (15.0, 0.0, FAILED), (40.0, -1.0, FAILED), (-20.0, -30.0, FAILED),
        (40.0, math.nan, FAILED),
    ],
)  # fmt: skip
def test_a_set_can_tell_where_its_control_gains_enough_and_for_sure(difference, low, outcome):
    assert can_tell(difference, low, 15.0) == outcome


def test_a_remedy_gains_where_its_interval_lies_above_zero():
    assert [gains(low) for low in (0.1, 0.0, -2.0, math.nan)] == [True, False, False, False]


def test_the_final_loss_is_the_mean_of_the_last_tenth_that_was_logged():
    steps = np.arange(10, 201, 10)
    losses = np.where(steps > 180, 0.2, 5.0)
    losses[-1] = 0.4
    assert final_loss(steps, losses) == pytest.approx(0.3)
    order = np.random.default_rng(0).permutation(len(steps))
    assert final_loss(steps[order], losses[order]) == pytest.approx(0.3), "whatever the order of the log"
    assert final_loss(np.array([7]), np.array([1.5])) == 1.5
    assert math.isnan(final_loss(np.array([]), np.array([])))
