"""What the checks of lesson C4 must turn down and let pass, beyond the wrong answers in the lesson."""

import numpy
import pytest

from masktune.course.grading import NotYetError
from masktune.course.lessons.threshold import check_accuracy_at, check_balanced_accuracy


def test_a_score_at_the_threshold_is_no():
    with pytest.raises(NotYetError, match="> and not >="):
        check_accuracy_at(lambda labels, scores, threshold: 100 * numpy.mean((scores >= threshold) == labels))


def test_how_often_the_model_says_yes_is_not_its_accuracy_within_the_no_examples():
    with pytest.raises(NotYetError, match="right where it says no"):
        check_balanced_accuracy(
            lambda labels, answers: 50 * (answers[labels == 1].mean() + answers[labels == 0].mean())
        )


def test_a_loop_over_pairs_is_as_right_as_a_line_of_numpy(capsys):
    def by_loop(labels, scores, threshold):
        right = [int(score > threshold) == label for label, score in zip(labels, scores, strict=True)]
        return 100 * sum(right) / len(right)

    check_accuracy_at(by_loop)
    assert capsys.readouterr().out == "accuracy_at is right.\n"
