"""Stored tables of claims, and what is observed of the paper's claims from them."""

import numpy as np
import pandas as pd
import pytest

from masktune.analysis import claims
from masktune.analysis.claims import observations, verdicts
from masktune.study.design.claims import smallest_p


def row(task, name, model="roberta", difference=2.0, **changes):
    """A line of a stored table of claims: a clear gain of Mask-tuning over 10 seeds."""
    return {
        "claim": 1, "family": "headline", "test": "superiority", "task": task, "model": model, "set": name,
        "kind": "out_of_distribution", "method": "Mask-tuning", "against": "fine-tuning", "declared_seeds": 10,
        "seeds": 10, "examples": 400, "difference": difference, "low": difference - 1, "high": difference + 1,
        "bound": difference - 0.8, "p": 0.002, "smallest_p": smallest_p(10), "corrected_p": 0.03,
        "probability_greater": 0.9, "verdict": verdicts.REPRODUCED, "reason": "", "margin": np.nan, **changes,
    }  # fmt: skip


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A working folder without results, beside which the project's studies are known."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


def store(results, study, *rows):
    folder = results / study / "tables"
    folder.mkdir(parents=True)
    pd.DataFrame(rows, columns=claims.numbers.COLUMNS).to_csv(folder / "claims.csv", index=False)


def observed():
    return observations.observe().set_index(["name", "setting"])


def shown(claim, column):
    return claims.tables.observations(observations.observe()).shown.set_index("Claim").loc[claim, column]
