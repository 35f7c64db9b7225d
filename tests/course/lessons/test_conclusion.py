"""The check of lesson C7's conclusion: any wording that says what the report says, and nothing that says more."""

import json
from pathlib import Path

import pytest

from masktune.course.declaring import parse
from masktune.course.grading import NotYetError
from masktune.course.lessons.conclusion import check_conclusion, sentences
from masktune.course.lessons.cure import SAMPLE
from masktune.course.predictions import FILE

STUDY, AHEAD = parse(SAMPLE), {"Mask-tuning": -3.04, "fine-tuning, cue-free": 28.3, "fine-tuning": 0.0}
WORDED = {
    "in sentences": """Does Mask-tuning hold up better than fine-tuning where the genre misleads? We had 7 paired seeds.
On contrast one cannot tell: -3.0 points (95 % interval -8.0 to 2.0). On counterfactual
Mask-tuning is less accurate, by -9.5 points (-14.2 to -3.1). The control was 28.3 points ahead on contrast.
We expected +11, which was 14 points too high. This does not show what a large model does after a longer training.""",
    "in a table": """Is Mask-tuning more accurate than fine-tuning where the genre misleads? 7 seeds.
Both saw the same reviews.

| set | difference | interval | verdict |
|---|---|---|---|
| contrast | \N{MINUS SIGN}3.0 | \N{MINUS SIGN}8.0 to 2.0 | cannot tell |
| counterfactual | \N{MINUS SIGN}9.5 | \N{MINUS SIGN}14.2 to \N{MINUS SIGN}3.1 | less accurate |

The cue-free control gained 28.3 points on contrast, so that set can tell. I had predicted that Mask-tuning would be 11
points better. It doesn't show that there is no difference on contrast, for with six passes seeds differ much.""",
    "in one breath": "I asked whether Mask-tuning helps against fine-tuning. With 7 paired seeds it is less accurate "
    "on counterfactual (-9.5 points, interval from -14.2 to -3.1), but on contrast (-3.0, -8.0 to 2.0) one cannot "
    "tell. Control: 28.3 ahead. My prediction was 14.0 too high. Other cue rates were not tried, so this does not "
    "show what happens there.",
    "set against set": """Mask-tuning against fine-tuning, 7 seeds.
- contrast: -3.0 points (-8.0 to 2.0). One cannot tell.
- counterfactual: -9.5 points (-14.2 to -3.1). In contrast, this is less accurate.

Overall, it is less accurate on one set. The control was 28.3 points ahead; I had expected 11.
One small model with one planted cue does not show more than that.""",
}
SENTENCES = WORDED["in sentences"]


def rows(contrast, counterfactual):
    return [
        {"set": "contrast", "difference": -3.04, "low": -8.0, "high": 1.96, "verdict": contrast},
        {"set": "counterfactual", "difference": -9.5, "low": -14.2, "high": -3.1, "verdict": counterfactual},
    ]


@pytest.fixture(autouse=True)
def predicted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    question = "C7: Mask-tuning ahead of fine-tuning on contrast, in points"
    Path(FILE).write_text(json.dumps({question: {"predicted": 11}}))


def check(text, verdicts=("cannot tell", "less accurate")):
    check_conclusion(text, rows(*verdicts), STUDY, AHEAD)


@pytest.mark.parametrize("text", WORDED.values(), ids=WORDED)
def test_any_wording_that_tells_all_of_the_report_is_right(text, capsys):
    check(text)
    assert capsys.readouterr().out == "conclusion is right.\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("counterfactual", "the other set", "counterfactual is declared"),
        ("-8.0", "8.0", "contrast: low -8.0 is not in what it says of that set"),
        ("-9.5", "-3.0", "counterfactual: difference -9.5 is not in"),
        ("cannot tell", "see that it is more accurate", "'cannot tell' of contrast"),
        ("less accurate", "more accurate", "'less accurate' of counterfactual"),
        ("The control was", "On contrast it is more accurate. The control was", "says more accurate; the report says"),
        ("The control was", "On contrast there is no difference. The control was", "show that there is nothing"),
        ("The control was", "So Mask-tuning harms and never cures. The control was", "more than any report"),
        ("7 paired seeds", "some seeds", "how many paired seeds"),
        ("Does Mask-tuning hold up better than fine-tuning where the genre misleads?", "", "the question first"),
        ("The control was 28.3 points ahead on contrast.", "", "what did the control do"),
        ("We expected +11, which was 14 points too high.", "", r"you predicted \+11 points"),
        ("This does not show what a large model does after a longer training.", "", "what it does not show"),
        ("what a large model does after a longer training", "all", "would fit any study"),
        ("We had", "... We had", "without dots"),
    ],
)
def test_what_is_not_right_with_a_conclusion_is_said(old, new, said):
    assert old in SENTENCES
    with pytest.raises(NotYetError, match=said):
        check(SENTENCES.replace(old, new))


def test_verdicts_that_have_changed_places_are_turned_down():
    swapped = SENTENCES.replace("one cannot tell", "it is XX").replace("is less accurate", "cannot tell")
    with pytest.raises(NotYetError, match="your report says 'cannot tell' of contrast"):
        check(swapped.replace("XX", "less accurate"))


@pytest.mark.parametrize("more", ["So Mask-tuning does not help.", "All in all it is worse.", "It works better."])
def test_where_no_comparison_is_clear_nobody_is_ahead(more):
    unclear = SENTENCES.replace("Mask-tuning is less accurate, by", "one cannot tell either:")
    check(unclear, ("cannot tell", "cannot tell"))
    with pytest.raises(NotYetError):
        check(f"{unclear} {more}", ("cannot tell", "cannot tell"))


def test_a_closed_gate_has_no_verdict_on_robustness():
    closed = SENTENCES.replace("Mask-tuning is less accurate, by", "the control failed:")
    check(closed, ("cannot tell", "control failed"))
    with pytest.raises(NotYetError, match="says less accurate; the report says"):
        check(f"{closed} On counterfactual it is less accurate.", ("cannot tell", "control failed"))


def test_lines_of_a_list_are_sentences_and_broken_lines_are_not():
    assert sentences("One\nline. Two:\n- a\n- b\n\nThree 3.5 ends.") == [
        "One line.",
        "Two:",
        "- a",
        "- b",
        "Three 3.5 ends.",
    ]
