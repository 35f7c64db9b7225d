"""The verdict of a claim: on one comparison (`judge_comparisons`) and on all of its comparisons (`judge_claim`).

A comparison is reproduced when two things agree: the sign-flip test over seeds, its p value corrected within the
claim's family, says that it is not the seeds; the interval over seeds x clusters, which clears 0 (for non-inferiority
its one-sided end clears -margin), says that it is not the examples either. It is the opposite when the same two agree
on the other side: below 0, and for non-inferiority below -margin, worse by more than the margin. That has a one-sided
test of its own, at the same level and corrected for the same family. A whole claim is judged by a partial conjunction:
on at least how many of its comparisons it holds. Verdicts come from a fixed vocabulary, and `decide` alone chooses
among them.

A comparison that the study's gates close (`claims.gates`) has no verdict on robustness: a row of it did not train, its
set cannot tell, or no control that has run says whether it can. The correction is that of the whole declared family
all the same: what is closed is known only after the runs, and must not make the others easier. For the same reason the
partial conjunction runs over all declared comparisons of a claim, closed ones with a p value of 1; but a claim is
called reproduced, or its opposite, when that is shown on all comparisons that could be judged, and the reason says on
how many.
"""

from typing import Any

import numpy as np
import pandas as pd

from masktune.statistics.multiplicity import correct, holds_on, partial_conjunction
from masktune.study.design.claims import LEVEL, seeds_needed

REPRODUCED = "reproduced in this setting"
IN_PART = "reproduced in part"
NOT_REPRODUCED = "not reproduced"
OPPOSITE = "opposite in this setting"
NOT_TESTABLE = "not testable here"
NOT_RUN = "not run"
MEASURED = "measured"
DID_NOT_TRAIN = "did not train"
CONTROL_FAILED = "control failed"
_REASONS_SAID = 2
GATES = (DID_NOT_TRAIN, CONTROL_FAILED, NOT_TESTABLE)  # the first of them that closes a comparison is its verdict
VERDICTS = (REPRODUCED, IN_PART, NOT_REPRODUCED, OPPOSITE, NOT_TESTABLE, *GATES[:-1], NOT_RUN, MEASURED)


def decide(holds: int, opposite: int, comparisons: int, untestable: str = "", gate: str = "") -> str:
    """The verdict of every table: a claim is shown to hold on so many of its comparisons, its opposite on so many.

    `gate` is the verdict of a gate that closes all of them; `untestable` says why nothing could be shown. Both are
    empty where that is not so.
    """
    if gate:
        return gate
    if untestable:
        return NOT_TESTABLE
    if holds:
        return REPRODUCED if holds == comparisons else IN_PART
    return OPPOSITE if opposite == comparisons else NOT_REPRODUCED


# ---- one comparison


def judge_comparisons(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows (see `claims.numbers.evaluate`) with p values corrected within each family, and verdicts."""
    frame = _with_corrected_p(frame)
    verdicts = [_judge(row) for row in frame.itertuples()]
    reasons = [
        "; ".join(filter(None, pair))
        for pair in zip((reason for _, reason in verdicts), _outscored_by_constant(frame), strict=True)
    ]
    return frame.assign(verdict=[verdict for verdict, _ in verdicts], reason=reasons)


def _with_corrected_p(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with corrected p values; `reason` says where a family is too large for its number of seeds."""
    frame = frame.assign(corrected_p=np.nan, corrected_opposite_p=np.nan)
    for family, rows in frame[frame["test"] != "estimate"].groupby("family"):
        p, opposite_p = (correct(rows[column], family) for column in ("p", "opposite_p"))
        frame.loc[rows.index, "corrected_p"] = p
        # A two-sided test is one test, whichever side it is read on.
        one_sided = rows["test"] == "non_inferiority"
        frame.loc[rows.index, "corrected_opposite_p"] = np.where(one_sided, opposite_p, p)
        floors = correct(rows["smallest_p"].where(rows["p"].notna()), family)
        beyond = rows.index[floors > LEVEL]
        frame.loc[beyond, "reason"] = [
            f"{seeds} seeds cannot reach {LEVEL} after correction for {len(rows)} comparisons"
            for seeds in frame.loc[beyond, "seeds"]
        ]
    return frame


def _judge(row: Any) -> tuple[str, str]:
    """The verdict on one comparison, and its reason."""
    if row.seeds and row.gate:
        return decide(0, 0, 1, gate=row.gate), row.gate_reason
    untestable = row.reason or _untestable(row)
    holds = row.corrected_p <= LEVEL and _clears(row)
    opposite = row.corrected_opposite_p <= LEVEL and _clears_below(row)
    verdict = decide(int(holds), int(opposite), 1, untestable)
    so_far = f"{row.seeds} of {row.declared_seeds} seeds so far" if row.seeds < row.declared_seeds else ""
    worse = verdict == OPPOSITE and row.test == "non_inferiority"
    lost = f"worse by more than {row.margin:g} points, corrected p {row.corrected_opposite_p:.3g}" if worse else ""
    return verdict, untestable or "; ".join(filter(None, (lost, so_far)))


def _untestable(row: Any) -> str:
    """Why one comparison has no test; empty where it has one."""
    if row.test == "estimate":
        return "declared as an estimate"
    needed = seeds_needed(LEVEL, 1 if row.test == "non_inferiority" else 2)
    return f"{row.seeds} of {row.declared_seeds} seeds, the test needs {needed}" if np.isnan(row.p) else ""


def _clears(row: Any) -> bool:
    """Whether the interval lies where the claim says."""
    return row.bound > -row.margin if row.test == "non_inferiority" else row.low > 0


def _clears_below(row: Any) -> bool:
    """Whether it lies on the other side: of 0, and of -margin with its one-sided upper end."""
    if row.test == "non_inferiority":
        return 2 * row.difference - row.bound < -row.margin  # the interval is symmetric
    return row.test == "superiority" and row.high < 0


def _outscored_by_constant(frame: pd.DataFrame) -> list[str]:
    """For each comparison on a lopsided set, which of its methods a constant answer outscores."""
    notes = []
    for row in frame.itertuples():
        sides = {row.method: row.accuracy, row.against: row.against_accuracy}
        below = [f"{label} ({value:.1f})" for label, value in sides.items() if value < row.constant]
        note = f"a constant answer scores {row.constant:.1f}, more than {' and '.join(below)}"
        notes.append(note if below and pd.notna(row.balanced) else "")
    return notes


# ---- all comparisons of a claim


def judge_claim(rows: pd.DataFrame) -> dict[str, Any]:
    """On at least how many comparisons a claim holds and its opposite does, the verdict on all of them, the reason.

    The p values count uncorrected, and as 1 where the interval does not agree or a gate is closed: the partial
    conjunction corrects for their number. Comparisons that could not be tested count among those on which the claim is
    not shown to hold; those that a gate closes count on neither side.
    """
    closed = is_closed(rows)
    holds, opposite = (
        holds_on(values.where([side(row) for row in rows.itertuples()]).mask(closed), LEVEL)
        for side, values in ((_clears, rows["p"]), (_clears_below, rows["opposite_p"]))
    )
    judged = int((~closed).sum())
    gate = next((gate for gate in GATES if not judged and rows["gate"].eq(gate).any()), "")
    untestable = "" if gate else _none_testable(rows, closed)
    notes = (untestable or _tested_in_part(rows[~closed]), _left_out(rows, closed), _outscored_note(rows[~closed]))
    return {
        "judged": judged, "holds_on": holds, "opposite_on": opposite,
        "verdict": decide(holds, opposite, judged, untestable, gate), "reason": "; ".join(filter(None, notes)),
    }  # fmt: skip


def is_closed(rows: pd.DataFrame) -> pd.Series:
    """Which comparisons have runs and no verdict on robustness, because a gate is closed: bool."""
    return (rows["seeds"] > 0) & rows["gate"].isin(GATES)


def _left_out(rows: pd.DataFrame, closed: pd.Series) -> str:
    """How many comparisons a gate closes; with the reasons, where they are few."""
    if not closed.any():
        return ""
    counts = rows.loc[closed, "gate"].value_counts()
    why = ", ".join(f"{counts[gate]} {gate}" for gate in GATES if gate in counts)
    reasons = list(dict.fromkeys(rows.loc[closed, "gate_reason"]))
    said = f" ({'; '.join(reasons)})" if len(reasons) <= _REASONS_SAID else ""
    return f"judged on {int((~closed).sum())} of {len(rows)} comparisons: {why}{said}"


def _none_testable(rows: pd.DataFrame, closed: pd.Series) -> str:
    """Why no verdict on these comparisons together is within reach of their seeds; empty where one is."""
    tested = rows["p"].notna() & ~closed
    if not tested.any():
        reasons = (_untestable(row) if row.seeds else row.reason for row in rows[~closed].itertuples())
        return "; ".join(dict.fromkeys(filter(None, reasons)))
    if partial_conjunction(rows["smallest_p"].where(tested))[0] > LEVEL:
        return f"{int(rows['seeds'].max())} seeds cannot reach {LEVEL} on {len(rows)} comparisons"
    return ""


def _tested_in_part(rows: pd.DataFrame) -> str:
    tested = int(rows["p"].notna().sum())
    return "" if tested == len(rows) else f"{tested} of {len(rows)} comparisons could be tested"


def _outscored_note(rows: pd.DataFrame) -> str:
    """On how many of these comparisons a constant answer scores more than both methods of a lopsided set."""
    higher = rows[["accuracy", "against_accuracy"]].max(axis=1) < rows["constant"]
    count = int((higher & rows["balanced"].notna()).sum())
    return f"a constant answer scores more than both methods on {count} of {len(rows)} comparisons" if count else ""
