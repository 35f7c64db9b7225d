"""The declared claims of a study against its stored runs: estimate, test and verdict of each comparison, and in all.

A comparison is reproduced when two things agree: the sign-flip test over seeds, its p value corrected within the
claim's family, says that it is not the seeds; the interval over seeds x clusters, which clears 0 (for non-inferiority
its one-sided end clears -margin), says that it is not the examples either. What a claim says in all is a partial
conjunction: on at least how many of its comparisons it holds. Verdicts come from a fixed vocabulary.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from masktune.analysis import statistics, tables
from masktune.analysis.blocks import Block
from masktune.analysis.multiplicity import corrected, holds_on, partial_conjunction
from masktune.study import planning
from masktune.study.claims import LEVEL, Claim, Comparison, comparisons, seeds_needed, smallest_p
from masktune.study.design import Study

REPRODUCED = "reproduced in this setting"
IN_PART = "reproduced in part"
NOT_REPRODUCED = "not reproduced"
OPPOSITE = "opposite in this setting"
NOT_TESTABLE = "not testable here"
NOT_RUN = "not run"
MEASURED = "measured"
VERDICTS = (REPRODUCED, IN_PART, NOT_REPRODUCED, OPPOSITE, NOT_TESTABLE, NOT_RUN, MEASURED)

COLUMNS = [
    "claim", "family", "test", *tables.PLACE, "method", "against", "margin", "declared_seeds", "seeds", "examples",
    "difference", "low", "high", "bound", "p", "smallest_p", "corrected_p", "probability_greater", "verdict", "reason",
]  # fmt: skip
CONCLUSIONS = [
    "claim", "statement", "family", "test", "comparisons", "tested", "holds_on", "opposite_on", "seeds", "difference",
    "lowest", "highest", "verdict", "reason",
]  # fmt: skip


def evaluate(study: Study, blocks: Iterable[Block]) -> pd.DataFrame:
    """A row for each comparison of each claim, method - against, in points. What was not run has a row too."""
    by_place = {(block.model, block.task, block.name): block for block in blocks}
    rows = [
        {"claim": number, **_row(claim, at, by_place)}
        for number, claim in enumerate(study.claims, 1)
        for at in comparisons(study, claim)
    ]
    return _judged(pd.DataFrame(rows, columns=COLUMNS))


def _row(claim: Claim, at: Comparison, by_place: dict[tuple[str, str, str], Block]) -> dict[str, Any]:
    """What is observed of one comparison; `reason` says why nothing is."""
    row = {
        "family": claim.family, "test": claim.test, "task": at.task, "model": at.model, "set": at.set, "kind": at.kind,
        "method": claim.first, "against": claim.second, "declared_seeds": len(at.seeds), "seeds": 0,
        "margin": claim.margin if claim.test == "non_inferiority" else np.nan, "reason": "",
    }  # fmt: skip
    block = by_place.get((at.model, at.task, at.set))
    pair = block.paired(claim.second, claim.first) if block else None
    if pair is None:
        started = any(place[:2] == (at.model, at.task) for place in by_place)
        return {**row, "reason": "set not present" if block is None and started else "runs missing"}
    return {**row, **tables.compare(block, *pair), **tested(claim, *pair)}


def tested(claim: Claim, against: np.ndarray, method: np.ndarray) -> dict[str, float]:
    """p value of a claim on right or wrong [S, n] of both methods; none where its seeds are too few."""
    differences = 100 * (method.mean(axis=1) - against.mean(axis=1))
    floor = smallest_p(len(differences), claim.sides) if claim.sides else np.nan
    if not floor <= LEVEL:
        return {"p": np.nan, "smallest_p": floor}
    if claim.test == "non_inferiority":
        return {"p": statistics.non_inferiority(differences, claim.margin), "smallest_p": floor}
    return {"p": statistics.sign_flip(differences), "smallest_p": floor}


def _judged(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows with p values corrected within each family, and verdicts."""
    frame = frame.assign(corrected_p=np.nan)
    for family, rows in frame[frame["test"] != "estimate"].groupby("family"):
        frame.loc[rows.index, "corrected_p"] = corrected(rows["p"], family)
        floors = corrected(rows["smallest_p"].where(rows["p"].notna()), family)
        beyond = rows.index[floors > LEVEL]
        frame.loc[beyond, "reason"] = [
            f"{seeds} seeds cannot reach {LEVEL} after correction for {len(rows)} comparisons"
            for seeds in frame.loc[beyond, "seeds"]
        ]
    judged = [_verdict(row) for row in frame.itertuples()]
    return frame.assign(verdict=[verdict for verdict, _ in judged], reason=[reason for _, reason in judged])


def _verdict(row: Any) -> tuple[str, str]:
    """The verdict on one comparison, and what is to be known of it."""
    if row.reason:
        return NOT_TESTABLE, row.reason
    if row.test == "estimate":
        return NOT_TESTABLE, "declared as an estimate"
    if np.isnan(row.p):
        needed = seeds_needed(LEVEL, 1 if row.test == "non_inferiority" else 2)
        return NOT_TESTABLE, f"{row.seeds} of {row.declared_seeds} seeds, the test needs {needed}"
    so_far = f"{row.seeds} of {row.declared_seeds} seeds so far" if row.seeds < row.declared_seeds else ""
    if row.corrected_p > LEVEL:
        return NOT_REPRODUCED, so_far
    return (REPRODUCED if _clears(row) else OPPOSITE if _clears_below(row) else NOT_REPRODUCED), so_far


def _clears(row: Any) -> bool:
    """Whether the interval lies where the claim says."""
    return row.bound > -row.margin if row.test == "non_inferiority" else row.low > 0


def _clears_below(row: Any) -> bool:
    """Whether it lies on the other side of 0; a test of non-inferiority has no other side."""
    return row.test == "superiority" and row.high < 0


def conclusions(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each claim: on at least how many of its comparisons it holds at 5 %, on how many its opposite does."""
    rows = [
        {
            "claim": number, "statement": planning.in_a_sentence(claim), "family": claim.family, "test": claim.test,
            **conclusion(frame[frame["claim"] == number]),
        }
        for number, claim in enumerate(study.claims, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=CONCLUSIONS)


def conclusion(rows: pd.DataFrame) -> dict[str, Any]:
    """What comparisons, rows of `evaluate`, say together.

    The p values count uncorrected, and as 1 where the interval does not agree: the partial conjunction corrects for
    their number. Comparisons that could not be tested count among those on which the claim is not shown to hold.
    """
    holds, opposite = (
        holds_on(rows["p"].where([side(row) for row in rows.itertuples()]), LEVEL) for side in (_clears, _clears_below)
    )
    verdict, reason = _in_all(rows, holds, opposite)
    return {
        "comparisons": len(rows), "tested": int(rows["p"].notna().sum()), "holds_on": holds, "opposite_on": opposite,
        "seeds": int(rows["seeds"].max()), "difference": rows["difference"].mean(),
        "lowest": rows["difference"].min(), "highest": rows["difference"].max(), "verdict": verdict, "reason": reason,
    }  # fmt: skip


def _in_all(rows: pd.DataFrame, holds: int, opposite: int) -> tuple[str, str]:
    tested = rows["p"].notna()
    if not tested.any():
        return NOT_TESTABLE, "; ".join(dict.fromkeys(rows["reason"]))
    where = "" if tested.all() else f"{int(tested.sum())} of {len(rows)} comparisons could be tested"
    if holds:
        return (REPRODUCED if holds == len(rows) else IN_PART), where
    if partial_conjunction(rows["smallest_p"].where(tested))[0] > LEVEL:
        return NOT_TESTABLE, f"{int(rows['seeds'].max())} seeds cannot reach {LEVEL} on {len(rows)} comparisons"
    return (OPPOSITE if opposite == len(rows) else NOT_REPRODUCED), where
