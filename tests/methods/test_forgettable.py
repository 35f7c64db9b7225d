import numpy

from masktune import methods
from masktune.methods.forgettable import balance, find_forgotten


def test_forgotten_is_right_and_then_wrong_or_never_right():
    rounds = {"always": "111", "learned late": "001", "forgotten": "101", "lost": "110", "never": "000"}
    right = numpy.array([[digit == "1" for digit in digits] for digits in rounds.values()]).T
    actual = dict(zip(rounds, find_forgotten(right), strict=True))
    assert actual == {"always": False, "learned late": False, "forgotten": True, "lost": True, "never": True}


def test_as_many_of_each_class_are_kept_and_only_marked_ones():
    labels = numpy.array([0] * 10 + [1] * 10)
    marked = numpy.array([True] * 8 + [False] * 2 + [True] * 3 + [False] * 7)
    chosen = balance(marked, labels, numpy.random.default_rng(0))
    assert not (chosen & ~marked).any()
    assert chosen[:10].sum() == chosen[10:].sum() == 3


def test_nothing_forgotten_is_nothing_chosen():
    nothing = numpy.zeros(4, dtype=bool)
    assert not balance(nothing, numpy.array([0, 1, 0, 1]), numpy.random.default_rng(0)).any()


def test_it_is_a_second_stage_of_whatever_it_is_combined_with():
    method = methods.build("mask_tuning+forgettable", second_epochs=2, second_rate=0.2)
    assert method.second_stage == methods.SecondStage("forgotten", 2, 0.2)
    assert methods.build("mask_tuning").second_stage is None
