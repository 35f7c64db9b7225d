"""Sentences on the claims: what each declared one comes to, and the reader's predictions against the verdicts."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from masktune.analysis.claims.tables import count_judged, verdict_with_reason
from masktune.analysis.claims.verdicts import VERDICTS
from masktune.errors import one_of


def conclusions(frame: pd.DataFrame) -> list[str]:
    """What each declared claim comes to."""
    sentences = [
        f"{row.statement[0].upper()}{row.statement[1:]}: {verdict_with_reason(row.verdict, row.reason)}"
        + (f"; {_counts(row)}." if row.tested else ".")
        for row in frame.itertuples()
    ]
    return sentences or ["This study declares no claims."]


def _counts(row: Any) -> str:
    opposite = f", its opposite on at least {row.opposite_on}" if row.opposite_on else ""
    return f"it holds on at least {row.holds_on} of {count_judged(row)} comparisons{opposite}"


def against_prediction(observations: pd.DataFrame, setting: str, prediction: Mapping[str, str]) -> list[str]:
    """For each claim of the paper that the reader predicted: the verdict expected, and the one a kind of study gave."""
    seen = observations[observations["setting"] == setting].set_index("name")["verdict"]
    for name, verdict in prediction.items():
        one_of(name, list(seen.index), "claim")
        one_of(verdict, VERDICTS, "verdict")
    return [
        f"{name}: predicted {expected}, found {seen[name]}{', as predicted' * (seen[name] == expected)}."
        for name, expected in prediction.items()
    ] or ["No verdict was predicted."]
