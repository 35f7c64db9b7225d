"""What would change the verdict on a claim, in words: generated from the reason for it and from its numbers."""

from typing import Any

import pandas as pd

from masktune.analysis.claims.gates import NO_CONTROL, NOT_RUN
from masktune.analysis.claims.verdicts import (
    CONTROL_FAILED,
    DID_NOT_TRAIN,
    NOT_TESTABLE,
    OPPOSITE,
    REPRODUCED,
    is_closed,
)
from masktune.analysis.formatting import join_words, number
from masktune.study.design.claims import LEVEL, Claim, seeds_needed
from masktune.study.design.study import Study
from masktune.study.plan import power


def describe(study: Study, whole: Any, own: pd.DataFrame, frame: pd.DataFrame) -> str:
    """What would change the verdict on one claim.

    `whole`: its row of `numbers.conclusions`, `own`: its comparisons, `frame`: those of all claims of the study.
    """
    claim, closed = study.claims[whole.claim - 1], is_closed(own)
    family = int(((frame["family"] == claim.family) & (frame["test"] != "estimate")).sum())
    parts = [_missing(study, own), _open(claim, whole.verdict, own[~closed & (own["seeds"] > 0)], family)]
    parts += [_train(own[closed]), _stronger_cue(own[closed]), _control(own[closed])]
    return "; ".join(filter(None, parts))


def _missing(study: Study, own: pd.DataFrame) -> str:
    gone = int((own["seeds"] == 0).sum())
    if gone:
        return f"run what is missing ({gone} of {len(own)} comparisons): python -m masktune run {study.name}"
    unfinished = (own["seeds"] < own["declared_seeds"]).any()
    return f"the seeds that are missing: python -m masktune run {study.name}" if unfinished else ""


def _train(closed: pd.DataFrame) -> str:
    rows = closed[closed["gate"] == DID_NOT_TRAIN]
    pairs = [(label, row.gate_reason) for row in rows.itertuples() for label in (row.method, row.against)]
    labels = list(dict.fromkeys(label for label, reason in pairs if f"{label}: " in reason))
    return f"train it: {join_words(labels)} ({_count(len(rows), 'comparison')})" if labels else ""


def _stronger_cue(closed: pd.DataFrame) -> str:
    rows = closed[closed["gate"] == CONTROL_FAILED]
    return "" if rows.empty else f"a stronger cue on {_count(len(rows), 'set')}: {rows['gate_reason'].iloc[0]}"


def _control(closed: pd.DataFrame) -> str:
    """What a set asks for whose control is not declared, has not run, or has not trained."""
    control = closed.loc[closed["gate"] == NOT_TESTABLE, "control"]
    wanted = {
        NO_CONTROL: "a positive control that is declared beforehand",
        NOT_RUN: "the run of the positive control",
        DID_NOT_TRAIN: "a positive control that trains",
    }
    counts = {said: int((control == name).sum()) for name, said in wanted.items()}
    return "; ".join(f"{said} ({_count(number, 'comparison')})" for said, number in counts.items() if number)


def _open(claim: Claim, verdict: str, ran: pd.DataFrame, family: int) -> str:
    """What of the comparisons that could be judged."""
    level = LEVEL / max(family, 1)
    if ran.empty:
        return ""
    if claim.test == "estimate":
        return f"a test that is declared beforehand, of {seeds_needed(LEVEL)} seeds or more"
    if verdict == NOT_TESTABLE:
        return f"{seeds_needed(level, claim.sides)} seeds, with which the test can reach its level"
    if verdict in (REPRODUCED, OPPOSITE):
        nearest = min(_end(claim, row) for row in ran.itertuples())
        clears = f"the interval clears what is asked for by {number(nearest)} points or more"
        return f"nothing of this design: {clears}; another reading, model or world may differ"
    return _more_seeds(claim, ran[~ran["verdict"].isin((REPRODUCED, OPPOSITE))], level)


def _more_seeds(claim: Claim, undecided: pd.DataFrame, level: float) -> str:
    """The seeds with which the differences that are not shown would be, if they are as large as observed."""
    if undecided.empty:
        return "comparisons that agree in sign"
    rows = list(undecided.itertuples())
    found = [power.seeds_to_resolve(abs(_beyond(claim, row)), row.spread, level, claim.sides) for row in rows]
    known = sorted(seeds for seeds in found if seeds is not None)
    if not known:
        return f"more than {power.MOST_SEEDS:,} seeds: the differences are too small for their spread"
    span = f"{known[0]}" if known[0] == known[-1] else f"{known[0]} to {known[-1]}"
    more = f" or more than {power.MOST_SEEDS:,}" if len(known) < len(rows) else ""
    now = f"about {span}{more} seeds ({int(undecided['seeds'].max())} now) to show differences as observed"
    short = sum(_seeds_agree(claim, row) and _end(claim, row) <= 0 for row in rows)
    return now + (f", and more examples of {_count(short, 'set')}, on which the seeds agree" if short else "")


def _beyond(claim: Claim, row: Any) -> float:
    """By how many points a difference lies above what is asked for; below it where negative."""
    return row.difference + (claim.margin if claim.test == "non_inferiority" else 0.0)


def _end(claim: Claim, row: Any) -> float:
    """How far the nearer end of the interval is clear of what is asked for, in points; 0 or less where it is not."""
    if claim.test == "non_inferiority":
        half = row.difference - row.bound  # of the one-sided interval, which is symmetric
    else:
        half = row.difference - row.low if _beyond(claim, row) > 0 else row.high - row.difference
    return abs(_beyond(claim, row)) - half


def _seeds_agree(claim: Claim, row: Any) -> bool:
    """Whether the interval over seeds alone, the examples being fixed, is clear of what is asked for."""
    return row.seeds > 1 and abs(_beyond(claim, row)) > power.half_width(int(row.seeds)) * row.spread


def _count(number_of: int, noun: str) -> str:
    return f"{number_of} {noun}{'s' * (number_of != 1)}"
