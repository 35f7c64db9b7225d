"""Checks of lesson C4, "Is the gain a threshold?"."""

from __future__ import annotations

from collections.abc import Callable

import numpy

from masktune.course.grading import check_of, expect

Array = numpy.ndarray


@check_of("accuracy_at")
def check_accuracy_at(accuracy_at: Callable[[Array, Array, float], float]) -> None:
    """The accuracy, in %, of saying yes above a threshold."""
    labels, scores = numpy.array([0, 0, 1, 1, 1]), numpy.array([-2.0, 1.0, 0.5, 2.0, 3.0])
    found = float(accuracy_at(labels, scores, 0.0))
    expect(abs(found - 0.8) > 1e-9, "give it in per cent: 80, not 0.8")
    expect(abs(found - 20) > 1e-9, "the other way round: yes (1) where the score is ABOVE the threshold")
    expect(abs(found - 80) < 1e-9, f"at threshold 0 four of five answers are right: 80 %; yours is {found:g}")
    found = float(accuracy_at(labels, scores, 1.5))
    expect(abs(found - 80) < 1e-9, f"at threshold 1.5 it is 80 % again; yours is {found:g}: do you use the threshold?")
    found = float(accuracy_at(labels, scores, 1.0))
    expect(abs(found - 80) < 1e-9, "a score that equals the threshold is not above it: no, with > and not >=")


@check_of("auroc")
def check_auroc(auroc: Callable[[Array, Array], float]) -> None:
    """How often a yes example has a higher score than a no example, in %; a tie counts half."""
    labels, scores = numpy.array([0, 0, 1, 1, 1]), numpy.array([1.0, 2.0, 2.0, 3.0, 0.0])
    found = float(auroc(labels, scores))
    expect(abs(found - 3.5 / 6) > 1e-9, "give it in per cent: 58.33, not 0.5833")
    expect(abs(found - 50) > 1e-9, "three of the six pairs are in order and one is a tie; it counts half, not nothing")
    expect(abs(found - 200 / 3) > 1e-9, "one of the six pairs is a tie; it counts half, not whole")
    expect(abs(found - 250 / 6) > 1e-9, "the wrong way round: the YES example should have the higher score")
    expect(
        abs(found - 350 / 6) < 1e-6,
        f"of the six pairs of a yes and a no example three are in order, one is a tie: 58.33 %; yours is {found:.4g}",
    )
    expect(abs(auroc(labels, scores - 100) - found) < 1e-6, "a constant added to all scores changes no order")


@check_of("constant_answer")
def check_constant_answer(constant_answer: Callable[[Array], float]) -> None:
    """The accuracy, in %, of the best answer that is always the same."""
    found = float(constant_answer(numpy.array([0, 0, 0, 1])))
    expect(abs(found - 0.75) > 1e-9, "give it in per cent: 75, not 0.75")
    expect(abs(found - 25) > 1e-9, "that is the share of yes; always saying no is right in the others")
    expect(abs(found - 75) < 1e-9, f"three of four are no: 75 %; yours is {found:g}")
    expect(
        abs(constant_answer(numpy.array([1, 1, 0])) - 200 / 3) < 1e-6, "where most are yes, always saying yes is best"
    )


@check_of("balanced_accuracy")
def check_balanced_accuracy(balanced_accuracy: Callable[[Array, Array], float]) -> None:
    """The mean over the two classes of the accuracy within each, in %."""
    labels, answers = numpy.array([0, 0, 0, 0, 1]), numpy.array([0, 0, 0, 1, 0])
    found = float(balanced_accuracy(labels, answers))
    expect(abs(found - 60) > 1e-9, "that is plain accuracy; take it within each class, then the mean of the two")
    expect(abs(found - 0.375) > 1e-9, "give it in per cent: 37.5, not 0.375")
    expect(
        abs(found - 12.5) > 1e-9,
        "that is how often the model says yes; among the no examples it is right where it says no",
    )
    expect(abs(found - 37.5) < 1e-9, f"75 % of the no and 0 % of the yes examples: 37.5; yours is {found:g}")
    expect(abs(balanced_accuracy(labels, 0 * labels) - 50) < 1e-9, "always saying no: 100 and 0, so 50")
