"""The declared claims of a study against its stored runs: estimates, tests and verdicts, a row for each comparison.

`claims.verdicts` says how a verdict is found.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from masktune.analysis.accuracy.numbers import PLACE, compare, paired_secondary_metrics
from masktune.analysis.answers import Block
from masktune.analysis.claims import gates
from masktune.analysis.claims.verdicts import is_closed, judge_claim, judge_comparisons
from masktune.statistics.tests import gains, inferiority, non_inferiority, sign_flip
from masktune.study.design.claims import LEVEL, Claim, smallest_p
from masktune.study.design.comparisons import Comparison, comparisons
from masktune.study.design.study import Study
from masktune.study.plan import listing

COLUMNS = [
    "claim", "family", "test", *PLACE, "method", "against", "margin", "declared_seeds", "seeds", "examples",
    "difference", "low", "high", "bound", "p", "opposite_p", "smallest_p", "corrected_p", "corrected_opposite_p",
    "probability_greater", "accuracy", "against_accuracy", "constant", "balanced", "against_balanced", "auroc",
    "against_auroc", "clusters", "spread", "trained", "control", "remedies", "gate", "gate_reason", "verdict", "reason",
]  # fmt: skip
CONCLUSIONS = [
    "claim", "statement", "family", "test", "comparisons", "judged", "tested", "holds_on", "opposite_on",
    "fewest_seeds", "seeds", "difference", "lowest", "highest", "verdict", "reason",
]  # fmt: skip


def evaluate(study: Study, blocks: Iterable[Block], outcome: gates.Outcome | None = None) -> pd.DataFrame:
    """A row for each comparison of each claim, method - against, in points. What was not run has a row too.

    `outcome`: what the study's gates came to; without it none of them closes. `spread` is the standard deviation of the
    paired differences over seeds.
    `opposite_p` is that of the opposite (`claims.verdicts` says which); accuracies of both methods over their paired
    seeds and that of a constant answer are in per cent, balanced accuracy and AUROC on lopsided sets alone.
    """
    outcome = outcome or gates.Outcome()
    by_place = {(block.model, block.task, block.name): block for block in blocks}
    rows = [
        {"claim": number, **_row(claim, at, by_place), **outcome.columns(claim, at)}
        for number, claim in enumerate(study.claims, 1)
        for at in comparisons(study, claim)
    ]
    return judge_comparisons(pd.DataFrame(rows, columns=COLUMNS))


def _row(claim: Claim, at: Comparison, by_place: dict[tuple[str, str, str], Block]) -> dict[str, Any]:
    """What is observed of one comparison; `reason` says why nothing is."""
    row = {
        "family": claim.family, "test": claim.test, "task": at.task, "model": at.model, "set": at.set, "kind": at.kind,
        "method": claim.method, "against": claim.against, "declared_seeds": len(at.seeds), "seeds": 0,
        "margin": claim.margin if claim.test == "non_inferiority" else np.nan, "reason": "",
    }  # fmt: skip
    block = by_place.get((at.model, at.task, at.set))
    pair = block.pair(claim.against, claim.method) if block else None
    if block is None or pair is None:
        started = any(place[:2] == (at.model, at.task) for place in by_place)
        return {**row, "reason": "set not present" if block is None and started else "runs missing"}
    estimated = compare(block, *pair, block.pretrainings(claim.against, claim.method))
    return {**row, **estimated, **p_values(claim, *pair), **_levels(block, claim, *pair), **_spread(*pair)}


def _spread(against: np.ndarray, method: np.ndarray) -> dict[str, float]:
    """How much the paired differences vary between seeds, in points; NaN of one seed."""
    by_seed = 100 * (method.mean(axis=1) - against.mean(axis=1))
    return {"spread": float(by_seed.std(ddof=1)) if len(by_seed) > 1 else np.nan}


def p_values(claim: Claim, against: np.ndarray, method: np.ndarray) -> dict[str, float]:
    """p value of a claim, and of its opposite, on right or wrong [S, n] of both; NaN where its seeds are too few."""
    gained = gains(against, method)
    floor = smallest_p(len(gained), claim.sides) if claim.sides else np.nan
    if not floor <= LEVEL:
        return {"p": np.nan, "opposite_p": np.nan, "smallest_p": floor}
    if claim.test == "non_inferiority":
        margin = round(claim.margin / 100 * method.shape[1], 9)  # in examples: a whole number where it is one
        both = non_inferiority(gained, margin), inferiority(gained, margin)
    else:
        both = (sign_flip(gained),) * 2
    return {"p": both[0], "opposite_p": both[1], "smallest_p": floor}


def _levels(block: Block, claim: Claim, against: np.ndarray, method: np.ndarray) -> dict[str, float]:
    """How accurate both are, and the secondary metrics of a lopsided set."""
    sides = {"accuracy": (against, method), **paired_secondary_metrics(block, claim.against, claim.method)}
    scale = {"accuracy": 100}
    levels = {
        f"{prefix}{name}": scale.get(name, 1) * float(np.mean(values[side]))
        for name, values in sides.items()
        for side, prefix in enumerate(("against_", ""))
    }
    return {**levels, "constant": 100 * block.majority}


def conclusions(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each claim: on at least how many of its comparisons it holds at 5 %, on how many its opposite does."""
    rows = [
        {
            "claim": number, "statement": listing.describe_claim(claim), "family": claim.family, "test": claim.test,
            **conclusion(frame[frame["claim"] == number]),
        }
        for number, claim in enumerate(study.claims, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=CONCLUSIONS)


def conclusion(rows: pd.DataFrame) -> dict[str, Any]:
    """What comparisons, rows of `evaluate`, say together: their differences and `verdicts.judge_claim`.

    Differences and seeds, at least and at most, are those of the comparisons that could be judged, where there are any.
    """
    closed = is_closed(rows)
    judged = rows[~closed]
    shown = rows if judged.empty else judged
    seeds = shown.loc[shown["seeds"] > 0, "seeds"]
    return {
        "comparisons": len(rows), "tested": int(judged["p"].notna().sum()),
        "fewest_seeds": 0 if seeds.empty else int(seeds.min()), "seeds": 0 if seeds.empty else int(seeds.max()),
        "difference": shown["difference"].mean(), "lowest": shown["difference"].min(),
        "highest": shown["difference"].max(), **judge_claim(rows),
    }  # fmt: skip
