"""What a student predicts is stored before the cell runs, and scored after it.

`predictions.json` in the working folder, in JupyterLab the folder of the notebook, holds for each question what was
predicted and what was found. Once a result has been seen the prediction stays: running a lesson again, with another
seed say, changes only what was found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import EllipsisType

from masktune.course import kept
from masktune.course.grading import NotYetError

FILE = "predictions.json"
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?\s*(?:%|points?|seeds?|pairs?)?")
Answer = int | float | str


def predict(question: str, answer: Answer | EllipsisType, choices: Sequence[str] = ()) -> None:
    """Store a prediction, a number or a word, where there are `choices` one of them.

    Raises NotYetError while `...` stands in its place, and for what could not be held against a result.
    """
    if answer is ...:
        raise NotYetError(
            "put your prediction in the place of the dots; a guess is enough, and a wrong one teaches more"
        )
    if isinstance(answer, bool) or not isinstance(answer, int | float | str):
        raise NotYetError(f"{answer!r} is no prediction; give a number or a word in quotes")
    if isinstance(answer, str) and _NUMBER.fullmatch(answer.strip()):
        raise NotYetError(f"{answer!r} is a word in quotes; write the prediction as a number, without quotes or unit")
    if choices and answer not in choices:
        raise NotYetError(f"{answer!r} is no prediction here; give one of {', '.join(map(repr, choices))}")
    stored = kept.read(FILE)
    known = stored.get(question, {})
    if "found" in known:
        print(f"You have seen the result: your prediction {known['predicted']} stays.")
        return
    stored[question] = {"predicted": answer}
    kept.write(FILE, stored)
    print(f"Stored: {question}: {answer}.")


def score(question: str, found: Answer) -> None:
    """Say what was predicted and what was found. Raises NotYetError where nothing was predicted."""
    predicted, stored = predicted_for(question), kept.read(FILE)
    found = found if isinstance(found, str) else float(f"{float(found):.3g}")
    stored[question] = {"predicted": predicted, "found": found}
    kept.write(FILE, stored)
    print(f"{question}: you predicted {predicted}, found {found}{_compare(predicted, found)}.")


def predicted_for(question: str) -> Answer:
    """What was predicted. Raises NotYetError where nothing was."""
    stored = kept.read(FILE)
    if question not in stored:
        raise NotYetError(f"no prediction for {question!r} is stored; run the cell with predict above first")
    predicted: Answer = stored[question]["predicted"]
    return predicted


def _compare(predicted: Answer, found: Answer) -> str:
    if isinstance(found, str) or isinstance(predicted, str):
        return ": right" if predicted == found else ": not what happened"
    off = predicted - found
    if abs(off) < 1e-9:
        return ": exact"
    return f": {abs(off):.3g} too {'high' if off > 0 else 'low'}"
