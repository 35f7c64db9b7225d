"""Checks of lesson C6, "Make it win"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy
import pandas as pd

from masktune.course.grading import NotYetError, check_of, expect
from masktune.statistics.multiplicity import correct
from masktune.study.design.claims import LEVEL, seeds_needed

MORE, LESS, NEITHER = "more accurate", "less accurate", "cannot tell"
# What a sentence may not say of a study that found nothing.
NO_DIFFERENCE = re.compile(
    r"\bno (?:effect|difference)|\bas good as|\bequivalent|\bequally (?:good|accurate)|"
    r"\b(?:is|are|was|were|do|does|performs?) (?:(?:all|both|about|just|exactly) )?"
    r"(?:equal\b|the same(?= *(?:[.,;:)]|$|as\b|on\b|in\b)))",
    re.IGNORECASE,
)


@check_of("largest_gain")
def check_largest_gain(largest_gain: Callable[[pd.DataFrame, pd.DataFrame], float]) -> None:
    """The largest difference of two runs, one of ours and one of the baseline's, measured in one way."""
    ours = pd.DataFrame({"contrast": [40.0, 60.0, 50.0], "validation": [99.0, 98.0, 97.0]})
    baseline = pd.DataFrame({"contrast": [45.0, 55.0, 35.0], "validation": [97.0, 99.0, 96.0]})
    try:
        found = largest_gain(ours, baseline)
    except KeyError as error:
        raise NotYetError(
            f"you ask for the column {error}; the tables of this check have others. Whoever chooses the way has all "
            "columns to choose from, so name none"
        ) from None
    expect(numpy.ndim(found) == 0, f"one number is wanted, the largest of all; yours has {numpy.size(found)}")
    expect(abs(found - 64) > 1e-9, "you compared runs on two different sets; both have to be measured in one way")
    expect(abs(found - 15) > 1e-9, "you compared runs of the same row; nobody said that the seeds must be paired")
    expect(abs(found - 5) > 1e-9, "those are means, which hold every seed; here one run of each is enough")
    expect(abs(found - 3) > 1e-9, "that is the largest on validation; there is a better place to look")
    expect(abs(found - 25) < 1e-9, f"60 against 35 on contrast: a gain of 25 points; yours is {found:g}")
    expect(abs(largest_gain(baseline, ours) - 15) < 1e-9, "the other way round the baseline wins by 55 - 40 = 15")
    found = largest_gain(ours[["contrast"]] - 40, baseline[["contrast"]])
    expect(
        abs(found + 15) < 1e-9,
        f"with 40 points less on contrast alone, the best of ours is 20 against 35: a gain of -15; yours is {found:g}. "
        "Who is behind gains less than nothing",
    )


@check_of("holm")
def check_holm(holm: Callable[[Sequence[float]], Sequence[float]]) -> None:
    """Holm's corrected p values, in the order in which the p values came."""
    found = numpy.asarray(holm([0.01, 0.04, 0.03]), dtype=float)
    expect(found.shape == (3,), f"three p values, so three corrected ones; yours is {found}")
    expect(not _near(found, [0.03, 0.12, 0.09]), "all times 3 is Bonferroni; Holm multiplies the second smallest by 2")
    expect(
        not _near(found, [0.03, 0.04, 0.06]),
        "0.03 is smaller than 0.04 and became larger; from the smallest to the largest, no corrected value may be "
        "below one before it",
    )
    found = numpy.asarray(holm([0.04, 0.001, 0.03, 0.2]), dtype=float)
    expect(not _near(found, [0.004, 0.09, 0.09, 0.2]), "give them back in the order in which the p values came")
    for values in ([0.04, 0.001, 0.03, 0.2], [0.5, 0.9, 0.7], [0.01, 0.04, 0.03], [0.02], [0.2, 0.01, 0.2]):
        expected, own = correct(numpy.array(values), "headline"), numpy.asarray(holm(values), dtype=float)
        expect(own.max() <= 1, f"of {values} one became {own.max():g}; a p value is at most 1")
        expect(_near(own, expected), f"{values} become {_listed(expected)}; yours are {_listed(own)}")


@check_of("fewest_seeds")
def check_fewest_seeds(fewest_seeds: Callable[[int], int]) -> None:
    """The fewest paired seeds with which one comparison alone can pass Holm's correction among so many."""
    found = fewest_seeds(1)
    expect(
        isinstance(found, int | numpy.integer),
        f"seeds are counted, so give a whole number (math.ceil gives one, numpy.ceil does not); yours is {found!r}",
    )
    expect(found != 5, "five seeds that all win give 2/32 = 0.0625 (C5)")
    expect(found == 6, f"of one comparison: 6 seeds, 2/64 = 0.031; yours is {found}")
    found = fewest_seeds(3)
    expect(found != 6, "with 6 seeds the smallest p is 2/64 = 0.031, and Holm multiplies the smallest of three by 3")
    expect(found == 7, f"of three comparisons: 7 seeds, 3 x 2/128 = 0.047; yours is {found}")
    for comparisons in (2, 8, 18):
        expected, found = seeds_needed(LEVEL / comparisons), fewest_seeds(comparisons)
        expect(found == expected, f"of {comparisons} comparisons: {expected} seeds; yours is {found}")


@check_of("abstract")
def check_abstract(abstract: Callable[[float, float, float, float], str]) -> None:
    """The sentence that a difference with its interval and its corrected p value permits."""
    cases = (
        ((6.25, 2.5, 10.0, 0.021), MORE, "the corrected p is below 0.05, and the interval lies above 0"),
        ((-6.25, -10.0, -2.5, 0.021), LESS, "the same below 0: a clear result has a direction, and this one is worse"),
        ((6.25, 2.5, 10.0, 0.094), NEITHER, "the interval clears 0, but the corrected p is above 0.05; both have to"),
        ((6.25, -0.5, 13.0, 0.031), NEITHER, "p is small, but the interval holds 0: other examples could turn it"),
        ((0.25, -8.5, 9.0, 0.75), NEITHER, "nothing was found, in either direction"),
    )
    for values, verdict, reason in cases:
        _check_sentence(abstract(*values), values, verdict, reason)


def _check_sentence(said: str, values: tuple[float, float, float, float], verdict: str, reason: str) -> None:
    shown = f"for {values} yours says {said!r}"
    expect(isinstance(said, str), f"{shown}; return the sentence, do not print it")
    expect(
        not NO_DIFFERENCE.search(said),
        f"{shown}: a study that finds nothing has not shown that there is nothing; say that it {NEITHER}",
    )
    claimed = [each for each in (MORE, LESS, NEITHER) if each in said]
    expect(len(claimed) == 1, f"{shown}; it should say exactly one of {MORE!r}, {LESS!r}, {NEITHER!r}")
    expect(claimed[0] == verdict, f"{shown}; it should say {verdict!r}: {reason}")
    numbers = numbers_in(said)
    for name, value in zip(("difference", "low", "high", "corrected p"), values, strict=True):
        close = 0.06 if name != "corrected p" else 0.0006
        expect(
            any(abs(number - value) <= close for number in numbers),
            f"{shown}; the number {value:g} ({name}) is not in it, sign included. Whoever reads an abstract needs all "
            "four: difference, both ends of the interval, corrected p",
        )


def numbers_in(text: str) -> list[float]:
    """The numbers that a text names, with their signs."""
    return [float(number) for number in re.findall(r"[+-]?\d+(?:\.\d+)?", text.replace("\N{MINUS SIGN}", "-"))]


def _near(found: Sequence[float] | numpy.ndarray, expected: Sequence[float] | numpy.ndarray) -> bool:
    return bool(numpy.allclose(found, expected, atol=1e-9))


def _listed(values: numpy.ndarray) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
