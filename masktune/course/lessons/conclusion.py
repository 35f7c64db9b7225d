"""The conclusion of lesson C7: it says what its report says, of each set its own, and no more.

Read sentence by sentence. A question, and a sentence about what was expected or what is not shown, claims nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from masktune.course import predictions
from masktune.course.grading import check_of, expect
from masktune.course.lessons.cure import BASELINE, CONTROL_FAILED, DID_NOT_TRAIN, METHOD
from masktune.course.lessons.make_it_win import LESS, MORE, NEITHER, NO_DIFFERENCE, numbers_in
from masktune.study.design.study import Study

VERDICTS = (MORE, LESS, NEITHER, DID_NOT_TRAIN, CONTROL_FAILED)
LIMIT = re.compile(r"(?:\bnot|n[o'\N{RIGHT SINGLE QUOTATION MARK}]t) (?:show|say|mean|prove)", re.I)
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n(?=\s*(?:[-*|]|\d+\. ))")
_PREDICTION = re.compile(r"\b(?:expect|predict|guess|thought|hope|off\b|too (?:high|low))", re.I)
_CLAIMS_NOTHING = re.compile(r"\?|\b(?:whether|if|would|expect\w*|predict\w*|guess\w*|thought|hoped)\b", re.I)
_DENIES = re.compile(r"\bno[rt]?\b|\bcannot\b|n['\N{RIGHT SINGLE QUOTATION MARK}]t\b|\bnothing\b", re.I)
_OTHERS = re.compile(r"\bcontrol|\bcue-free", re.I)
# What no report of one small study permits to say, and what takes a verdict that is not there.
_BEYOND = re.compile(r"\b(?:cure[sd]?|prove[sdn]?|solve[sd]?|always|never)\b", re.I)
_GAIN = re.compile(r"\b(?:help(?:s|ed)|works|worked|better|improve[sd]?|outperform(?:s|ed)|more robust)\b", re.I)
_NO_HELP = re.compile(r"\b(?:does|did|do)(?: not|n['\N{RIGHT SINGLE QUOTATION MARK}]t) (?:help|work|cure)\b", re.I)
_HARM = re.compile(r"\b(?:harm(?:s|ed)|hurts?|worse|less robust)\b", re.I)


@check_of("conclusion")
def check_conclusion(
    conclusion: str, rows: Sequence[Mapping[str, Any]], study: Study, ahead: Mapping[str, float]
) -> None:
    """Question, seeds, every declared comparison with its own verdict, control, prediction, and what it does not show.

    `rows` is the student's report; `ahead` are the points that each row of the grid is ahead of the baseline's by on
    contrast. What was predicted is read from where `predict` has stored it.
    """
    expect(isinstance(conclusion, str) and "..." not in conclusion, "write the conclusion as one text, without dots")
    _check_question(conclusion, len(study.seeds))
    for row in rows:
        _check_row(row, conclusion)
    _check_verdicts(rows, conclusion)
    _check_claims({row["verdict"] for row in rows}, conclusion)
    assert study.gates is not None and study.gates.control is not None
    _check_control(study.gates.control.label, ahead, conclusion)
    _check_prediction(ahead[METHOD], conclusion)
    limits = [said for said in sentences(conclusion) if LIMIT.search(said)]
    expect(limits, 'end with what it does not show, in a sentence with "does not show"')
    expect(
        max(len(said.split()) for said in limits) >= 8,
        f"{limits[-1]!r} would fit any study; which choice of yours keeps it from being true elsewhere?",
    )


def sentences(text: str) -> list[str]:
    """The sentences of a text; the points of a list and the rows of a table are sentences too, broken lines are not."""
    text = re.sub(r"\b(?:in|by) contrast,", "", text, flags=re.I)  # not the set
    return [" ".join(each.split()) for each in _SENTENCES.split(text) if each.strip()]


def _check_question(conclusion: str, seeds: int) -> None:
    for name in (METHOD, BASELINE):
        expect(
            name.lower() in conclusion.lower(),
            f"somebody who has not seen this page needs the question first: {METHOD} against {BASELINE}; {name!r} is "
            "not in it",
        )
    expect(seeds in numbers_in(conclusion), f"say how many paired seeds it rests on, in digits: {seeds}")


def _check_row(row: Mapping[str, Any], conclusion: str) -> None:
    expect(row["set"] in conclusion, f"{row['set']} is declared and not in it; every declared comparison is told")
    numbers = [number for said in _about(row["set"], conclusion) for number in numbers_in(said)]
    for name in ("difference", "low", "high"):
        expect(
            _holds(numbers, row[name]),
            f"{row['set']}: {name} {row[name]:.1f} is not in what it says of that set; a difference without its "
            "interval is no result. Numbers and verdict stand in the sentence that names the set, or in the next",
        )
        numbers.remove(next(number for number in numbers if _holds([number], row[name])))  # what is said counts once


def _about(name: str, conclusion: str) -> list[str]:
    """The sentences that name a set, with those that follow and name none."""
    found, inside = [], False
    for said in sentences(conclusion):
        named = _named(said)
        inside = name in named if named else inside
        if inside:
            found.append(said)
    return found


def _named(said: str) -> list[str]:
    """The sets that a sentence names, in its order."""
    return _in_order(said, ("contrast", "counterfactual"))


def _in_order(said: str, words: Iterable[str]) -> list[str]:
    return sorted((word for word in words if word in said), key=said.index)


def _check_verdicts(rows: Sequence[Mapping[str, Any]], conclusion: str) -> None:
    verdict_of = {row["set"]: row["verdict"] for row in rows}
    for name, verdict in verdict_of.items():
        expect(
            any(verdict in said for said in _about(name, conclusion)),
            f"your report says {verdict!r} of {name}, and the conclusion does not, in these words",
        )
    for said in filter(_claims, sentences(conclusion)):
        verdicts = _in_order(said, VERDICTS)
        due = list(dict.fromkeys(verdict_of[name] for name in _named(said) if name in verdict_of))
        one_of_several = len(verdicts) < 2 and set(verdicts) <= set(due or verdict_of.values())
        expect(
            verdicts == due or one_of_several,
            f"{said!r} says {' and '.join(verdicts)}; the report says "
            + ", ".join(f"{verdict!r} of {name}" for name, verdict in verdict_of.items()),
        )


def _claims(said: str) -> bool:
    """Whether a sentence says what came out."""
    return not (LIMIT.search(said) or _CLAIMS_NOTHING.search(said))


def _check_claims(verdicts: set[str], conclusion: str) -> None:
    for said in filter(_claims, sentences(conclusion)):
        expect(
            not NO_DIFFERENCE.search(said) and (LESS in verdicts or not _NO_HELP.search(said)),
            f"{said!r}: that nothing was found does not show that there is nothing",
        )
        if _DENIES.search(said) or _OTHERS.search(said):
            continue
        expect(not _BEYOND.search(said), f"{said!r} says more than any report of one small study permits")
        expect(
            verdicts & {MORE, LESS} or not (_GAIN.search(said) or _HARM.search(said)),
            f"{said!r} says who is ahead; your report does not: {', '.join(sorted(verdicts))}",
        )


def _check_control(label: str, ahead: Mapping[str, float], conclusion: str) -> None:
    said = [each for each in sentences(conclusion) if label in each or _OTHERS.search(each)]
    expect(
        any(_holds(numbers_in(each), ahead[label]) for each in said),
        f"what did the control do? On contrast it is {ahead[label]:+.1f} points ahead of {BASELINE}; say so in a "
        'sentence with "control"',
    )


def _check_prediction(found: float, conclusion: str) -> None:
    predicted = float(predictions.predicted_for(f"C7: {METHOD} ahead of {BASELINE} on contrast, in points"))
    said = " ".join(each for each in sentences(conclusion) if _PREDICTION.search(each))
    numbers = [abs(number) for number in numbers_in(said)]
    expect(
        _holds(numbers, abs(predicted)) or _holds(numbers, abs(predicted - found), 0.6),
        f"you predicted {predicted:+g} points for {METHOD} on contrast; say so, or by how much it was "
        'off, in a sentence with "predicted"',
    )


def _holds(numbers: Iterable[float], value: float, off: float = 0.06) -> bool:
    return any(abs(number - value) <= off for number in numbers)
