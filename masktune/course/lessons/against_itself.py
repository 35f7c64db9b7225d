"""Checks of lesson C5, "The same method against itself"."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from masktune.course.grading import check_of, expect

_TOLERANCE = (
    "for 0.1, 0.1, 0.1 it is 0.25 too: sums of floats differ in the last digit, so let the comparison be a little "
    "generous (>= observed - 1e-9)"
)


@check_of("differ_by_more")
def check_differ_by_more(differ_by_more: Callable[[Sequence[float], float], float]) -> None:
    """The share of pairs of runs, in %, that differ by more than a gain, in either direction."""
    values = (50.0, 60.0, 61.0, 70.0)
    found = float(differ_by_more(values, 5.0))
    expect(abs(found - 5 / 6) > 1e-9, "give it in per cent: 83.3, not 0.833")
    expect(
        abs(found - 62.5) > 1e-9,
        "a run is no pair with itself, and two runs are one pair: four runs make six pairs (itertools.combinations)",
    )
    expect(
        abs(found - 500 / 6) < 1e-9, f"of the six pairs of {values} five differ by more than 5; yours is {found:g} %"
    )
    expect(
        abs(differ_by_more(values[::-1], 5.0) - found) < 1e-9,
        "in the other order there are fewer: a difference counts in either direction, so take its absolute value",
    )
    expect(abs(differ_by_more((50.0, 55.0), 5.0)) < 1e-9, "a difference of exactly the gain is not MORE than it")


@check_of("sign_flip")
def check_sign_flip(sign_flip: Callable[[Sequence[float]], float]) -> None:
    """The two-sided p value of paired differences, over all ways to flip their signs."""
    found = float(sign_flip((1.0, 2.0, 3.0)))
    expect(
        abs(found - 1 / 8) > 1e-9,
        "that is one-sided: a mean as far BELOW zero is as surprising; compare absolute values",
    )
    expect(
        abs(found) > 1e-9, "the differences as they are belong to the ways too: 'at least as far from 0', not 'more'"
    )
    expect(abs(found - 25) > 1e-9, "a p value is a share, 0.25 and not 25")
    expect(abs(found - 0.25) < 1e-9, f"for 1, 2, 3 two of the eight ways are as far from 0: 0.25; yours is {found:g}")
    expect(
        abs(sign_flip((-1.0, -2.0, -3.0)) - 0.25) < 1e-9,
        "for -1, -2, -3 it is 0.25 too: take the absolute value of what was observed as well",
    )
    expect(abs(sign_flip((0.1,) * 3) - 0.25) < 1e-9, _TOLERANCE)
    expect(abs(sign_flip((1.0, -1.0)) - 1) < 1e-9, "where the mean is 0 nothing is surprising: 1")


@check_of("smallest_p")
def check_smallest_p(smallest_p: Callable[[int], float]) -> None:
    """The smallest two-sided p value that so many paired seeds can give."""
    found = float(smallest_p(3))
    expect(abs(found - 1 / 8) > 1e-9, "the mirror image, all signs turned, is always as far from 0: there are two")
    expect(abs(found - 0.25) < 1e-9, f"three pairs: 2 of 8 ways, 0.25; yours is {found:g}")
    expect(abs(smallest_p(10) - 2 / 1024) < 1e-12, "ten pairs: 2 of 1024")


@check_of("seeds_needed")
def check_seeds_needed(seeds_needed: Callable[[float, float], int]) -> None:
    """How many paired seeds show a gain in four trials of five, at the level 0.05."""
    found = seeds_needed(6.0, 4.0)
    expect(float(found) == int(found), f"{found} seeds cannot be run; round up")
    expect(found != 5, "(2.8 x 6 / 4) is 4.2, and it has to be squared")
    expect(found != 17, "17.64 seeds: rounded DOWN it is a little too few")
    expect(found != 2, "2.8 is squared too: (2.8 x sd / gain) squared")
    expect(found != 8, "the gain is below the line: sd / gain")
    expect(found == 18, f"for sd 6 and a gain of 4: (2.8 x 6 / 4) squared is 17.64, so 18; yours is {found}")
    expect(seeds_needed(6.0, 2.0) == 71, "half the gain needs four times as many")
    found = seeds_needed(5.0, 4.0)
    expect(found == 13, f"for sd 5 and a gain of 4 it is 12.25: rounded UP that is 13; yours is {found}")
    found = seeds_needed(5.0, 7.0)
    expect(found == 4, f"for sd 5 and a gain of 7 it is 4, which is whole already; yours is {found}")
