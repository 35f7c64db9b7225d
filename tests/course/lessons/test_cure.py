"""The checks of lesson C7 look at the form: a design that can answer its question, whatever comes out of it."""

import numpy
import pandas as pd
import pytest

from masktune.course.grading import NotYetError
from masktune.course.lessons.cure import SAMPLE, SETS, check_design, check_gates, check_report
from masktune.statistics.crossed import paired_difference
from masktune.statistics.multiplicity import correct
from masktune.statistics.tests import sign_flip


def test_a_design_that_can_answer_its_question_is_right(capsys):
    check_design(SAMPLE)
    assert capsys.readouterr().out == "my_design is right.\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seeds = 7", "seeds = ...", "line 5 still has dots"),
        ("seeds = 7", "seeds = 5", "no design yet: .*5 paired seeds"),
        ("seeds = 7", "seeds = 6", "6 seeds and 2 comparisons: .* below 0.0625"),
        ("epochs = 6", "epochs = 12", "252 passes over the train set; at most 240"),
        ("misleads?", "misleads", "as a whole question"),
        ("batch_size = 16", "batch_size = 8", "leave them as they are"),
        ('cue_rate = 0.9\n\n[[grid]]\nlabel = "Mask', 'cue_rate = 0.8\n\n[[grid]]\nlabel = "Mask', "two changes"),
        ("cue_rate = 0.9", "cue_rate = 0.4", "nothing to be cured of"),
        ("cue_rate = 0.5", "cue_rate = 0.6", "is no control"),
        ("cue_rate = 0.5", "cue_rate = 0.9", "the baseline again"),
        ("\ncontrol =", "\n# control =", "has no control"),
        ("accuracy = 75", "accuracy = 0.75", "per cent are meant, and a coin has 50"),
        ("gain = 25", "gain = 0.25", "points are meant"),
        ("seeds = 7", "seeds = range(7)", r"line 5, column 9\): 'seeds = range\(7\)'"),
        ('kind = "out_of_distribution"', 'sets = ["validation"]', "the genre misleads in contrast and counterfactual"),
        ("superiority", "estimate", "an estimate claims nothing"),
    ],
)
def test_what_is_not_right_with_a_design_is_said(old, new, said):
    assert old in SAMPLE
    with pytest.raises(NotYetError, match=said):
        check_design(SAMPLE.replace(old, new))


def gates(word=False, label="fine-tuning, cue-free"):
    """An answer to exercise 2 that opens every gate, and reads the control by `label`."""
    return lambda study, right: (
        right[label]
        and dict.fromkeys(("fine-tuning", "Mask-tuning", "contrast", "counterfactual"), "passed" if word else True)
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (gates(word=True), "should be True or False; yours is 'passed'"),
        (gates(label="no cue"), "no row 'no cue', .* from study.gates.control.label"),
        (gates(), "'Mask-tuning' is not right: 70 % in validation"),
    ],
)
def test_what_is_not_right_with_gates_is_said(answer, said):
    with pytest.raises(NotYetError, match=said):
        check_gates(answer)


def report(correction):
    """An answer to exercise 3 without gates, with a correction of the p values."""

    def rows(study, right):
        pairs = {name: (right["fine-tuning"][name], right["Mask-tuning"][name]) for name in SETS}
        p = correction([sign_flip(other.sum(axis=1) - one.sum(axis=1)) for one, other in pairs.values()])
        for (name, (one, other)), corrected in zip(pairs.items(), p, strict=True):
            ahead = paired_difference(one, other, numpy.arange(one.shape[1])).estimate()
            numbers = {"difference": 100 * ahead.mean, "low": 100 * ahead.low, "high": 100 * ahead.high}
            clear = corrected <= 0.05 and not ahead.low <= 0 <= ahead.high
            verdict = f"{'more' if ahead.mean > 0 else 'less'} accurate" if clear else "cannot tell"
            yield {"set": name, **numbers, "corrected p": corrected, "verdict": verdict}

    return rows


@pytest.mark.parametrize(
    ("correction", "said"),
    [
        (lambda p: correct(numpy.array(p), "headline"), "the verdict on contrast is 'did not train'"),  # goes furthest
        (lambda p: [min(1, 2 * each) for each in p], "'corrected p' on contrast is .* by Holm"),
        (lambda p: p, "'corrected p' on contrast is 0.03125 in made-up runs, .* yours is 0.01562"),
    ],
    ids=["Holm", "Bonferroni", "none"],
)
def test_p_values_of_a_report_are_corrected_by_holm(correction, said):
    with pytest.raises(NotYetError, match=said):
        check_report(report(correction))


def test_a_report_that_is_a_table_is_told_what_is_wanted():
    with pytest.raises(NotYetError, match="a list with a dictionary for each comparison"):
        check_report(lambda study, right: pd.DataFrame(report(lambda p: p)(study, right)))


def test_a_report_without_a_verdict_is_told_what_a_row_needs():
    numbers = {"difference": 1, "low": 0, "high": 2, "corrected p": 1}
    with pytest.raises(NotYetError, match=r"a row needs \['verdict'\]"):
        check_report(lambda study, right: [{"set": name, **numbers} for name in ("contrast", "counterfactual")])
