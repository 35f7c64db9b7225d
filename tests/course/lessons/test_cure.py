"""The checks of lesson C7 look at the form: a design that can answer its question, whatever comes out of it."""

import pytest

from masktune.course.grading import NotYetError
from masktune.course.lessons.cure import SAMPLE, check_conclusion, check_design, check_gates, check_report

ROW = {"set": "contrast", "difference": -3.04, "low": -8.0, "high": 1.96, "verdict": "cannot tell"}
CONCLUSION = "With 7 seeds one cannot tell on contrast: -3.0 points (-8.0 to 2.0). This does not show more."


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
        ('kind = "out_of_distribution"', 'sets = ["validation"]', "the genre misleads in contrast and counterfactual"),
        ("superiority", "estimate", "an estimate claims nothing"),
    ],
)
def test_what_is_not_right_with_a_design_is_said(old, new, said):
    assert old in SAMPLE
    with pytest.raises(NotYetError, match=said):
        check_design(SAMPLE.replace(old, new))


def test_a_conclusion_that_tells_all_of_the_report_is_right(capsys):
    check_conclusion(CONCLUSION, [ROW], 7)
    assert capsys.readouterr().out == "conclusion is right.\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("on contrast", "there", "contrast is declared"),
        ("-8.0", "8.0", "contrast: low -8.0 is not in it"),
        ("cannot tell", "see that it is more accurate", "the verdicts of your report"),
        ("cannot tell", "cannot tell, so there is no difference", "does not show that there is nothing"),
        ("7 seeds", "some seeds", "how many paired seeds"),
        ("does not show more", "is all", "what it does not show"),
    ],
)
def test_what_is_not_right_with_a_conclusion_is_said(old, new, said):
    with pytest.raises(NotYetError, match=said):
        check_conclusion(CONCLUSION.replace(old, new), [ROW], 7)


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


def test_a_report_without_a_verdict_is_told_what_a_row_needs():
    numbers = {"difference": 1, "low": 0, "high": 2, "corrected p": 1}
    with pytest.raises(NotYetError, match=r"a row needs \['verdict'\]"):
        check_report(lambda study, right: [{"set": name, **numbers} for name in ("contrast", "counterfactual")])
