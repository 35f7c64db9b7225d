"""Sentences of the page: they say what the intervals say, no more."""

import pytest

from masktune.own.report.page import judge, sentences
from masktune.own.scores import IN, OUT, Chosen, PartScores, Score
from masktune.statistics.intervals import Estimate

NAN = float("nan")
CHOSEN = Chosen("recommended", 1, 2, 0.8, 0.75, 0.7, [], [], {})


def part(kind, accuracy, constant=0.5, difference=(0.02, -0.01, 0.05)):
    score = Score(Estimate(accuracy, accuracy - 0.1, accuracy + 0.1, 3), [accuracy] * 3, accuracy)
    differences = {"fine_tuning": Estimate(*difference, 3)}
    return PartScores("test", "a.csv", kind, 100, ("good", constant), {"recommended": score}, differences)


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        ((0.02, -0.01, 0.05), "+2.0 points (\N{MINUS SIGN}1.0 to +5.0); the interval holds 0"),
        ((0.02, 0.01, 0.05), "+2.0 points (+1.0 to +5.0); the interval leaves out 0"),
        ((-0.02, -0.05, -0.01), "the interval leaves out 0"),
        ((0.02, NAN, NAN), "+2.0 points, without an interval"),
    ],
)
def test_a_difference_is_told_by_its_interval(estimate, said):
    assert said in judge(Estimate(*estimate, 3))


def test_what_did_not_learn_is_said():
    found = " ".join(sentences([part(IN, 0.45), part(OUT, 0.9)], CHOSEN))
    assert "45.0 % of 100 test examples" in found and "no better than always answering 'good'" in found
    assert "no better" not in " ".join(sentences([part(IN, 0.8), part(OUT, 0.9)], CHOSEN))


def test_the_first_sentence_has_the_score_with_the_constant_answer_beside_it():
    first = sentences([part(IN, 0.8)], CHOSEN)[0]
    assert "80.0 %" in first and "70.0 to 90.0 %" in first and "always answering 'good': 50.0 %" in first
