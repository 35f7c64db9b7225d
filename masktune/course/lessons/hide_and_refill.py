"""Lesson C2, "Hide and refill": what a refilled review says by the grammar of the world, and the checks."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from masktune.course.grading import check_of, expect
from masktune.data.world.sentiment import CUES, JUDGEMENTS
from masktune.data.world.words import DEGREES, NEGATIVE, POSITIVE

OPINIONS = (*POSITIVE, *NEGATIVE)
GENRES = (*CUES[0], *CUES[1])


def _pattern(template: str) -> re.Pattern[str]:
    """A judgement as a regular expression; any word may be the aspect, an opinion word must be one."""
    degree = "|".join(f"{word} " for word in sorted(set(DEGREES)) if word)
    opinion = "|".join(OPINIONS)
    slots = {"degree": f"(?:{degree})?", "main": f"(?P<main>{opinion})", "foil": f"(?P<foil>{opinion})"}
    slots |= dict.fromkeys(("aspect", "other", "relative"), r"\w+")
    return re.compile(template.lower().format(**slots))


_PATTERNS = [(kind, _pattern(template)) for kind, templates in JUDGEMENTS.items() for template in templates]


def verdict(text: str) -> int | None:
    """What a review says by the grammar of the world: 1 praise, 0 blame, None where that cannot be told."""
    kind, match = _read(text)
    return None if match is None else int((match["main"] in POSITIVE) != (kind == "denied"))


def judgement(text: str) -> str | None:
    """The kind of judgement that a review makes ("plain", "denied", ...), None where that cannot be told."""
    return _read(text)[0]


def _read(text: str) -> tuple[str, re.Match[str]] | tuple[None, None]:
    first = text.lower().partition(".")[0].strip()
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(first)
        if match:
            return kind, match
    return None, None


def genre(text: str) -> str | None:
    """The genre that a review names, None where it names none."""
    return next((word for word in re.findall(r"\w+", text.lower()) if word in GENRES), None)


@check_of("touched")
def check_touched(touched: Callable[[int, float], float]) -> None:
    """The chance, in %, that at least one of so many tokens is hidden."""
    found = float(touched(10, 0.05))
    hit = 100 * (1 - 0.95**10)
    expect(abs(found - hit / 100) > 1e-9, "give it in per cent, 40.1 and not 0.401")
    expect(abs(found - 50) > 1e-9, "10 x 5 % counts a text twice that has two hidden tokens; begin with none hidden")
    expect(abs(found - (100 - hit)) > 1e-9, "that is the chance that none is hidden; the question is the other case")
    expect(abs(found - hit) < 1e-9, f"for 10 tokens and a rate of 0.05 it is {hit:.1f} %; yours is {found:.4g}")
    expect(abs(touched(1, 0.2) - 20) < 1e-9, "of one token at a rate of 0.2: 20 %")


@check_of("judge")
def check_judge(judge: Callable[[str, str], str]) -> None:
    """What became of a review: the same text, a lost label, a lost cue, or some other change, in this order."""
    original = "The plot was so clever. I saw an old western."
    cases = (
        (
            "the plot was so clever. i saw an old western.",
            "same",
            "capital letters are no change; compare in lower case",
        ),
        ("the plot was so stale. i saw an old western.", "label", "it was praise, and is blame now"),
        ("the plot was so clever. i saw an old movie.", "cue", "the genre is gone, and it is still praise"),
        ("the plot was so stale. i saw an old movie.", "label", "where label and cue both change, the label counts"),
        (
            "the plot was so the. i saw an old western.",
            "label",
            "nobody can tell what this says: its label is lost too",
        ),
        ("the song was so clever. i saw an old western.", "other", "neither the verdict nor the genre has changed"),
    )
    for refilled, expected, reason in cases:
        _expect_judged(judge, original, refilled, expected, reason)
    another, unnamed = "the plot was so clever. i saw an old comedy.", "The plot was so clever. We saw the film."
    _expect_judged(judge, original, another, "cue", "the genre is another one, so the old cue is gone too")
    changed = "the song was so clever. we saw the film."
    _expect_judged(judge, unnamed, changed, "other", "no genre was named before either, so no cue was lost")


def _expect_judged(judge: Callable[[str, str], str], original: str, refilled: str, expected: str, reason: str) -> None:
    found = judge(original, refilled)
    expect(found == expected, f"{refilled!r}, from {original!r}: {expected!r}, yours is {found!r}; {reason}")


@check_of("wrong_labels")
def check_wrong_labels(wrong_labels: Callable[[Sequence[int], Sequence[str]], float]) -> None:
    """The share, in %, of refilled reviews that no longer say what their label says."""
    texts = (
        "the plot was so clever. i saw the film.",
        "the plot was so stale. i saw the film.",
        "the plot was so the. i saw the film.",
        "the mood was never dull. it is a drama.",
    )
    found = float(wrong_labels((1, 1, 1, 1), texts))
    expect(abs(found - 0.5) > 1e-9, "give it in per cent: 50, not 0.5")
    expect(abs(found - 25) > 1e-9, "one of the texts says nothing at all (verdict None); its label is not right either")
    expect(abs(found - 50) < 1e-9, f"two of the four reviews of the check do not say praise: 50 %; yours is {found:g}")
    expect(
        abs(wrong_labels((0, 0, 0, 0), texts) - 75) < 1e-9,
        "with all labels 0 three of four are wrong; compare the verdict with the label, not with 1",
    )


@check_of("The form of your list")
def check_judgements(mine: Sequence[Any]) -> None:
    """Ten judgements by hand: each one of three words."""
    allowed = ("label", "cue", "other")
    expect(isinstance(mine, list | tuple) and len(mine) == 10, "give a list of ten words, one for each review")
    expect(not any(word is ... for word in mine), "some of the ten are still dots")
    odd = next((word for word in mine if word not in allowed), None)
    expect(odd is None, f"{odd!r} is none of the three words 'label', 'cue', 'other'")
