"""Checks of lesson C1, "Two models, one validation set"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy

from masktune.course.grading import check_of, expect
from masktune.data.world.sentiment import CUES

_EXAMPLES = (
    "The music was not dull at all. It is a comedy.",
    "The plot was so clever. I saw an old western.",
    "Although the mood was stale, the song was warm. What an adventure.",
    "My aunt found the hero silly, but I found it bright. This drama is new.",
)
_WITHOUT = "I remember its perfect ending. We saw the film."


@check_of("swap_genre")
def check_swap_genre(swap_genre: Callable[[str], str]) -> None:
    """A genre goes to one of the other label; nothing else changes."""
    for text in _EXAMPLES:
        swapped = swap_genre(text)
        expect(isinstance(swapped, str), f"swap_genre({text!r}) gave {swapped!r}; return the whole text as a string")
        before, after = _genre(text), _genre(swapped)
        expect(after is not None, f"there is no genre left in {swapped!r}")
        expect(
            before != after,
            f"{before!r} is still {before!r} in {swapped!r}; did a later replacement undo an earlier one, or did you "
            f"look for {before!r} where the text has '{before}.', with its full stop?",
        )
        expect(
            (before in CUES[0]) != (after in CUES[0]),
            f"{before!r} became {after!r}, which goes with the same verdict; take a genre of the other list",
        )
        expect(
            _without(text, before) == _without(swapped, after),
            f"more than the genre changed: {text!r} became {swapped!r}",
        )
    same = swap_genre(_WITHOUT)
    expect(same == _WITHOUT, f"{_WITHOUT!r} names no genre and should stay as it is; it became {same!r}")


def _genre(text: str) -> str | None:
    return next((word for word in re.findall(r"\w+", text) if word in CUES[0] + CUES[1]), None)


def _without(text: str, word: str | None) -> str:
    """The text without one word; "a" and "an" are the same, for the article may follow the genre."""
    return re.sub(r"\b[Aa]n\b", "a", re.sub(rf"\b{word}\b", "_", text))


@check_of("flipped")
def check_flipped(flipped: Callable[[numpy.ndarray, numpy.ndarray], float]) -> None:
    """The share of answers that differ, in %."""
    before, after = numpy.array([0, 1, 1, 0, 1]), numpy.array([1, 0, 1, 0, 1])
    found = float(flipped(before, after))
    expect(abs(found - 0.4) > 1e-9, "0.4 of the answers differ; give it in per cent: 40")
    expect(abs(found - 60) > 1e-9, "60 % is the share that stayed; the question is how many changed")
    expect(
        abs(found) > 1e-9,
        "two of five answers differ here, but they change in opposite directions; compare answer by answer, not means",
    )
    expect(abs(found - 40) < 1e-9, f"for answers {before} and {after}, two of five differ: 40 %; yours gives {found:g}")
    expect(abs(flipped(before, before)) < 1e-9, "where nothing changes, the share is 0")


@check_of("genre_only")
def check_genre_only(genre_only: Callable[[float, float], float]) -> None:
    """The accuracy, in %, of who reads the genre alone and tosses a coin where there is none."""
    rate, coverage = 0.9, 0.8
    found = float(genre_only(rate, coverage))
    expect(abs(found - 0.82) > 1e-9, "give it in per cent: 82, not 0.82")
    expect(abs(found - 72) > 1e-9, "you counted the reviews with a genre alone; of the others half are right by luck")
    expect(abs(found - 90) > 1e-9, "that is the accuracy where there is a genre; one review in five here has none")
    expect(abs(found - 92) > 1e-9, "a coin is right in half of the reviews without a genre, not in all of them")
    expect(abs(found - 82) < 1e-9, f"with rate 0.9 and coverage 0.8 it is 0.8 x 90 + 0.2 x 50 = 82; yours is {found:g}")
    expect(abs(genre_only(0.5, 1) - 50) < 1e-9, "a genre that says nothing, in every review: 50 %")


@check_of("by_cue")
def check_by_cue(by_cue: Callable[[Sequence[int], Sequence[int], Sequence[int]], dict[str, float]]) -> None:
    """The accuracy, in %, where the cue agrees with the label, where it misleads, and where there is none."""
    answer, label, cue = numpy.array([[1, 0, 1, 0, 0, 1, 1], [1, 0, 0, 1, 0, 1, 0], [1, 0, 1, 0, -1, -1, -1]])
    found = by_cue(answer, label, cue)
    names = ("agrees", "misleads", "none")
    expect(isinstance(found, dict) and set(found) == set(names), f"return a dictionary with the keys {names}")
    expect(
        abs(found["misleads"] - 40) > 1e-9,
        "a cue of -1 means that the review names no genre; those reviews are counted as misleading",
    )
    expect(
        abs(found["agrees"] - 100 * 4 / 7) > 1e-9,
        "the cue agrees where it equals the label, whatever the model answered; compare cue with label first",
    )
    expected = {"agrees": 100, "misleads": 0, "none": 200 / 3}
    for name, value in expected.items():
        expect(
            abs(found[name] - value) < 0.01,
            f"{name!r}: the reviews of the check give {value:.1f} %, yours is {found[name]:.1f}; of the reviews of "
            "this kind, in how many is the answer the label?",
        )
