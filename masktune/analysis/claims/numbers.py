"""The declared claims of a study against its stored runs: estimate, test and verdict of each comparison, and in all.

A comparison is reproduced when two things agree: the sign-flip test over seeds, its p value corrected within the
claim's family, says that it is not the seeds; the interval over seeds x clusters, which clears 0 (for non-inferiority
its one-sided end clears -margin), says that it is not the examples either. It is the opposite when the same two agree
on the other side: below 0, and for non-inferiority below -margin, worse by more than the margin. That has a one-sided
test of its own, at the same level and corrected for the same family. What a claim says in all is a partial
conjunction: on at least how many of its comparisons it holds. Verdicts come from a fixed vocabulary, and `decide`
alone chooses among them.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from masktune.analysis.accuracy import numbers as tables
from masktune.analysis.answers import Block
from masktune.statistics import tests as statistics
from masktune.statistics.multiplicity import corrected, holds_on, partial_conjunction
from masktune.study.plan import listing as planning
from masktune.study.spec.claims import LEVEL, Claim, seeds_needed, smallest_p
from masktune.study.spec.comparisons import Comparison, comparisons
from masktune.study.spec.study import Study

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
    "difference", "low", "high", "bound", "p", "opposite_p", "smallest_p", "corrected_p", "corrected_opposite_p",
    "probability_greater", "accuracy", "against_accuracy", "constant", "balanced", "against_balanced", "auroc",
    "against_auroc", "verdict", "reason",
]  # fmt: skip
CONCLUSIONS = [
    "claim", "statement", "family", "test", "comparisons", "tested", "holds_on", "opposite_on", "seeds", "difference",
    "lowest", "highest", "verdict", "reason",
]  # fmt: skip


def evaluate(study: Study, blocks: Iterable[Block]) -> pd.DataFrame:
    """A row for each comparison of each claim, method - against, in points. What was not run has a row too.

    `opposite_p` is that of the opposite (`claims` says which); accuracies of both methods over their paired seeds and
    that of a constant answer are in per cent, balanced accuracy and AUROC on lopsided sets alone.
    """
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
    return {**row, **tables.compare(block, *pair), **tested(claim, *pair), **_levels(block, claim, *pair)}


def tested(claim: Claim, against: np.ndarray, method: np.ndarray) -> dict[str, float]:
    """p value of a claim, and of its opposite, on right or wrong [S, n] of both; none where its seeds are too few."""
    gains = statistics.gained(against, method)
    floor = smallest_p(len(gains), claim.sides) if claim.sides else np.nan
    if not floor <= LEVEL:
        return {"p": np.nan, "opposite_p": np.nan, "smallest_p": floor}
    if claim.test == "non_inferiority":
        margin = round(claim.margin / 100 * method.shape[1], 9)  # in examples: a whole number where it is one
        both = statistics.non_inferiority(gains, margin), statistics.inferiority(gains, margin)
    else:
        both = (statistics.sign_flip(gains),) * 2
    return {"p": both[0], "opposite_p": both[1], "smallest_p": floor}


def _levels(block: Block, claim: Claim, against: np.ndarray, method: np.ndarray) -> dict[str, float]:
    """How accurate both are, and what stands beside it on a lopsided set."""
    sides = {"accuracy": (against, method), **tables.paired_beside(block, claim.second, claim.first)}
    scale = {"accuracy": 100}
    levels = {
        f"{prefix}{name}": scale.get(name, 1) * float(np.mean(values[side]))
        for name, values in sides.items()
        for side, prefix in enumerate(("against_", ""))
    }
    return {**levels, "constant": 100 * block.majority}


def _judged(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows with p values corrected within each family, and verdicts."""
    frame = frame.assign(corrected_p=np.nan, corrected_opposite_p=np.nan)
    for family, rows in frame[frame["test"] != "estimate"].groupby("family"):
        found, opposite = (corrected(rows[column], family) for column in ("p", "opposite_p"))
        frame.loc[rows.index, "corrected_p"] = found
        # A two-sided test is one test, whichever side it is read on.
        one_sided = rows["test"] == "non_inferiority"
        frame.loc[rows.index, "corrected_opposite_p"] = np.where(one_sided, opposite, found)
        floors = corrected(rows["smallest_p"].where(rows["p"].notna()), family)
        beyond = rows.index[floors > LEVEL]
        frame.loc[beyond, "reason"] = [
            f"{seeds} seeds cannot reach {LEVEL} after correction for {len(rows)} comparisons"
            for seeds in frame.loc[beyond, "seeds"]
        ]
    judged = [_verdict(row) for row in frame.itertuples()]
    reasons = ["; ".join(filter(None, pair)) for pair in zip((r for _, r in judged), _constant(frame), strict=True)]
    return frame.assign(verdict=[verdict for verdict, _ in judged], reason=reasons)


def decide(holds: int, opposite: int, comparisons: int, untestable: str = "") -> str:
    """The verdict of every table: on so many of the comparisons a claim is shown to hold, on so many its opposite.

    `untestable` says why nothing could be shown, where that is so.
    """
    if untestable:
        return NOT_TESTABLE
    if holds:
        return REPRODUCED if holds == comparisons else IN_PART
    return OPPOSITE if opposite == comparisons else NOT_REPRODUCED


def _verdict(row: Any) -> tuple[str, str]:
    """The verdict on one comparison, and what is to be known of it."""
    untestable = row.reason or _untestable(row)
    holds = row.corrected_p <= LEVEL and _clears(row)
    opposite = row.corrected_opposite_p <= LEVEL and _clears_below(row)
    found = decide(int(holds), int(opposite), 1, untestable)
    so_far = f"{row.seeds} of {row.declared_seeds} seeds so far" if row.seeds < row.declared_seeds else ""
    worse = found == OPPOSITE and row.test == "non_inferiority"
    lost = f"worse by more than {row.margin:g} points, corrected p {row.corrected_opposite_p:.3g}" if worse else ""
    return found, untestable or "; ".join(filter(None, (lost, so_far)))


def _untestable(row: Any) -> str:
    """Why one comparison has no test."""
    if row.test == "estimate":
        return "declared as an estimate"
    needed = seeds_needed(LEVEL, 1 if row.test == "non_inferiority" else 2)
    return f"{row.seeds} of {row.declared_seeds} seeds, the test needs {needed}" if np.isnan(row.p) else ""


def _constant(frame: pd.DataFrame) -> list[str]:
    """Of each comparison on a lopsided set, which of its methods a constant answer outscores."""
    found = []
    for row in frame.itertuples():
        sides = {row.method: row.accuracy, row.against: row.against_accuracy}
        below = [f"{label} ({value:.1f})" for label, value in sides.items() if value < row.constant]
        said = f"a constant answer scores {row.constant:.1f}, more than {' and '.join(below)}"
        found.append(said if below and pd.notna(row.balanced) else "")
    return found


def _clears(row: Any) -> bool:
    """Whether the interval lies where the claim says."""
    return row.bound > -row.margin if row.test == "non_inferiority" else row.low > 0


def _clears_below(row: Any) -> bool:
    """Whether it lies on the other side: of 0, and of -margin with its one-sided upper end."""
    if row.test == "non_inferiority":
        return 2 * row.difference - row.bound < -row.margin  # the interval is symmetric
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
    p_values = {_clears: rows["p"], _clears_below: rows["opposite_p"]}
    holds, opposite = (
        holds_on(values.where([side(row) for row in rows.itertuples()]), LEVEL) for side, values in p_values.items()
    )
    untestable = _none_testable(rows)
    return {
        "comparisons": len(rows), "tested": int(rows["p"].notna().sum()), "holds_on": holds, "opposite_on": opposite,
        "seeds": int(rows["seeds"].max()), "difference": rows["difference"].mean(),
        "lowest": rows["difference"].min(), "highest": rows["difference"].max(),
        "verdict": decide(holds, opposite, len(rows), untestable),
        "reason": "; ".join(filter(None, (untestable or _tested_in_part(rows), _outscored(rows)))),
    }  # fmt: skip


def _none_testable(rows: pd.DataFrame) -> str:
    """Why no verdict on these comparisons together is within reach of their seeds; nothing where one is."""
    tested = rows["p"].notna()
    if not tested.any():
        reasons = (_untestable(row) if row.seeds else row.reason for row in rows.itertuples())
        return "; ".join(dict.fromkeys(filter(None, reasons)))
    if partial_conjunction(rows["smallest_p"].where(tested))[0] > LEVEL:
        return f"{int(rows['seeds'].max())} seeds cannot reach {LEVEL} on {len(rows)} comparisons"
    return ""


def _tested_in_part(rows: pd.DataFrame) -> str:
    tested = int(rows["p"].notna().sum())
    return "" if tested == len(rows) else f"{tested} of {len(rows)} comparisons could be tested"


def _outscored(rows: pd.DataFrame) -> str:
    """On how many of these comparisons a constant answer scores more than both methods of a lopsided set."""
    higher = rows[["accuracy", "against_accuracy"]].max(axis=1) < rows["constant"]
    count = int((higher & rows["balanced"].notna()).sum())
    return f"a constant answer scores more than both methods on {count} of {len(rows)} comparisons" if count else ""
