"""The checks of lesson C6 agree with the package, and take no sentence that says more than the numbers."""

import pytest

from masktune.course.grading import NotYetError
from masktune.course.lessons.make_it_win import (
    check_abstract,
    check_fewest_seeds,
    check_holm,
    check_largest_gain,
    numbers_in,
)
from masktune.statistics.multiplicity import correct


def test_holm_of_the_package_is_right(capsys):
    check_holm(lambda p_values: correct(p_values, "headline"))
    assert capsys.readouterr().out == "holm is right.\n"


@pytest.mark.parametrize("family", ["ablation", None])
def test_another_correction_and_none_are_turned_down(family):
    with pytest.raises(NotYetError):
        check_holm(lambda p_values: correct(p_values, family) if family else p_values)


def test_numbers_of_a_sentence_have_their_signs():
    assert numbers_in("+6.2 points, \N{MINUS SIGN}2.5 to 10") == [6.2, -2.5, 10.0]


@pytest.mark.parametrize("said", ["more accurate", "cannot tell: no difference", "more accurate or less accurate"])
def test_a_sentence_that_is_always_the_same_is_turned_down(said):
    with pytest.raises(NotYetError):
        check_abstract(lambda *numbers: f"{said}: {' '.join(format(number, '.4g') for number in numbers)}")


def sentence(difference, low, high, corrected_p):
    """One that a student wrote: both sides were trained on the same reviews, which is no claim that they are equal."""
    clear = corrected_p <= 0.05 and not low <= 0 <= high
    verdict = f"it is {'more' if difference > 0 else 'less'} accurate" if clear else "we cannot tell"
    return f"Trained on the same reviews, {verdict} ({difference:+.1f}, {low:.1f} to {high:.1f}, p {corrected_p:.2g})."


def test_a_sentence_of_ones_own_is_right(capsys):
    check_abstract(sentence)
    assert capsys.readouterr().out == "abstract is right.\n"


@pytest.mark.parametrize(
    "said", ["the two are the same", "both are equally good", "Equivalent", "it performs the same as"]
)
def test_a_sentence_that_finds_both_sides_equal_is_turned_down(said):
    with pytest.raises(NotYetError, match="has not shown that there is nothing"):
        check_abstract(lambda *numbers: f"{sentence(*numbers)} So {said}.")


def gain(ours, baseline):
    return (ours.max() - baseline.min()).max()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda ours, baseline: ours.max() - baseline.min(), "one number is wanted"),
        (lambda ours, baseline: max(0, gain(ours, baseline)), "less than nothing"),
        (lambda ours, baseline: max(ours["contrast, 6 passes"]), "the tables of this check have others"),
        (lambda ours, baseline: (ours.max() - baseline.min()).abs().max(), "less than nothing"),
    ],
)
def test_a_gain_may_be_negative_and_is_one_number(answer, said, capsys):
    check_largest_gain(gain)
    assert capsys.readouterr().out == "largest_gain is right.\n"
    with pytest.raises(NotYetError, match=said):
        check_largest_gain(answer)


def test_seeds_that_cannot_be_counted_are_turned_down():
    with pytest.raises(NotYetError, match=r"whole number .* yours is 6\.0"):
        check_fewest_seeds(lambda comparisons: 6.0)
