"""Declared claims laid out for reading: every comparison, and what each claim says in all."""

import pandas as pd

from masktune.analysis import presentation
from masktune.analysis.presentation import CROSSED, MINUS, VARIES, Table, count, interval, number
from masktune.study.claims import LEVEL

CORRECTIONS = "Holm's correction among headline claims, Benjamini-Hochberg's among ablations"


def claims(frame: pd.DataFrame) -> Table:
    """A row for each comparison of each claim."""
    rows = list(frame.itertuples())
    shown = frame[["claim", "task", "model", "set"]].assign(
        comparison=[f"{row.method} {MINUS} {row.against}" for row in rows],
        points=[_difference(row) for row in rows],
        asked=[_asked(row) for row in rows],
        p=[p_value(row.p) for row in rows],
        corrected=[p_value(row.corrected_p) for row in rows],
        probability=[_or_dash(row.probability_greater, f"{row.probability_greater:.2f}") for row in rows],
        seeds=[str(int(row.seeds)) for row in rows],
        examples=[_or_dash(row.examples, f"{row.examples:.0f}") for row in rows],
        verdict=[verdict(row.verdict, row.reason) for row in rows],
    )
    titles = {"points": "Difference [95 %]", "asked": "Asked for", "corrected": "Corrected p"}
    if shown["comparison"].nunique() == 1:
        titles["points"] = f"{shown['comparison'].iloc[0]} [95 %]"
        shown = shown.drop(columns="comparison")
    observed = frame[frame["seeds"] > 0]
    caption = (
        f"The comparisons of each declared claim, in points of accuracy [{CROSSED}], "
        f"{count(observed['seeds'], 'paired seed')}, {count(observed['examples'], 'example')} a set. {VARIES}. p: "
        f"sign-flip test over paired seeds, two-sided for a gain, one-sided against the margin for a loss; corrected "
        f"for all declared comparisons of the family: {CORRECTIONS}. Reproduced: corrected p at most {LEVEL:g}, and "
        "the interval (for a margin its one-sided 95 % bound) clears what is asked for. P(higher): how often a run of "
        "the one beats a run of the other. A dash: not run, or too few seeds for the test."
    )
    titles["probability"] = "P(higher)"
    return Table("claims", "The declared claims, one by one", caption, frame, _titled(shown, titles))


def conclusions(frame: pd.DataFrame) -> Table:
    """A row for each claim."""
    rows = list(frame.itertuples())
    shown = frame[["claim", "statement"]].assign(
        holds=[_counts(row) for row in rows],
        difference=[_range(row) for row in rows],
        seeds=[str(int(row.seeds)) for row in rows],
        verdict=[verdict(row.verdict, row.reason) for row in rows],
    )
    caption = (
        "Each declared claim in all. Holds on: the largest number of comparisons (model x set) on which it holds at "
        f"{LEVEL:g}, by partial conjunction with Simes' combination (Benjamini and Heller 2008) of the sign-flip p "
        "values over paired seeds; each claim is judged for itself. Difference: the mean over comparisons in points of "
        f"accuracy, and from the lowest to the highest of them, no interval; {count(frame['seeds'], 'paired seed')} at "
        f"most. {VARIES}. Reproduced: on all comparisons; in part: on some."
    )
    titles = {"statement": "Statement", "holds": "Holds on", "difference": "Difference (lowest to highest)"}
    return Table("conclusions", "The declared claims", caption, frame, _titled(shown, titles))


def verdict(word: str, reason: str) -> str:
    """The verdict with what is to be known of it."""
    return f"{word}: {reason}" if reason else word


def p_value(p: float) -> str:
    """A p value, or a dash."""
    return _or_dash(p, presentation.p_value(p, 1.0))


def _difference(row) -> str:
    return _or_dash(row.difference, interval(row.difference, row.low, row.high, sign=True))


def _asked(row) -> str:
    """What the interval has to clear."""
    if row.test == "non_inferiority":
        margin = number(-row.margin, sign=True)
        return f"> {margin} (bound {number(row.bound, sign=True)})" if pd.notna(row.bound) else f"> {margin}"
    return "> 0" if row.test == "superiority" else "\N{EN DASH}"


def _counts(row) -> str:
    if not row.tested:
        return "\N{EN DASH}"
    against = f", its opposite on {row.opposite_on}" if row.opposite_on else ""
    return f"at least {row.holds_on} of {row.comparisons}{against}"


def _range(row) -> str:
    if pd.isna(row.difference):
        return "\N{EN DASH}"
    ends = f"{number(row.lowest, sign=True)} to {number(row.highest, sign=True)}"
    return f"{number(row.difference, sign=True)} ({ends})"


def _or_dash(value: float, text: str) -> str:
    return "\N{EN DASH}" if pd.isna(value) else text


def _titled(shown: pd.DataFrame, titles: dict[str, str]) -> pd.DataFrame:
    return presentation.titled(presentation.named(shown), {"claim": "Claim", "verdict": "Verdict", **titles})
