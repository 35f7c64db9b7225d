"""What Mask-tuning costs in training time of fine-tuning, from the runs that are stored."""

import pandas as pd
import pytest
from analysis.claims.conftest import observed, row, shown, store

from masktune.analysis import claims
from masktune.analysis.claims import observations, verdicts

pytestmark = pytest.mark.slow


def store_runs(results, seconds, precisions=None):
    """Runs with these training times by task: fine-tuning's and Mask-tuning's of each seed."""
    methods = {"fine-tuning": "fine_tuning", "Mask-tuning": "mask_tuning"}
    runs = [
        {"label": label, "method": methods[label], "model": "roberta", "task": task, "seed": seed, "status": "done",
         "train_seconds": taken, "train_examples": 100, "precision": (precisions or {}).get(task)}
        for task, pairs in seconds.items() for seed, pair in enumerate(pairs)
        for label, taken in zip(methods, pair, strict=True)
    ]  # fmt: skip
    pd.DataFrame(runs).to_parquet(results / "embedded" / "runs.parquet")


def test_cost_is_the_mean_of_paired_ratios_of_training_times(results):
    store(results, "embedded", row("sentiment", "contrast"), row("inference", "heuristics"))
    store_runs(results, {"sentiment": [(10.0, 10.0), (10.0, 40.0)], "inference": [(10.0, 5.0), (20.0, 10.0)]})
    cell = observed().loc["Q3", "embedded"]
    assert cell[["ratio", "lowest", "highest"]].tolist() == pytest.approx([1.0, 0.5, 2.0])
    assert cell["verdict"] == verdicts.MEASURED
    assert shown("Q3", "Embedded world") == (
        "RoBERTa: 1.00 times (0.50 to 2.00), 2 seeds; measured: in a precision that was not stored, code that was not "
        "stored"
    )


def test_cost_is_never_averaged_over_runs_that_were_made_differently(results):
    store(results, "embedded", row("sentiment", "contrast"), row("inference", "heuristics"))
    times = {"sentiment": [(10.0, 21.0)] * 2, "inference": [(10.0, 30.0)]}
    store_runs(results, times, {"sentiment": "bf16", "inference": "fp32"})
    assert shown("Q3", "Embedded world") == (
        "RoBERTa: 2.10 times, 2 seeds; measured: in bf16, code that was not stored; separately, 3.00 times in fp32, "
        "code that was not stored"
    )
    caption = claims.tables.observations(observations.observe()).caption
    assert caption.endswith("Study embedded: The runs were not all made alike: 4 in bf16, 2 in fp32.")


def test_cost_is_that_of_the_runs_that_are_stored(results):
    """The table of claims may be older or newer than the runs."""
    store(results, "embedded", row("sentiment", "contrast"), row("inference", "heuristics"))
    store_runs(results, {"sentiment": [(10.0, 15.0)], "paraphrase": [(10.0, 90.0)]})
    cell = observed().loc["Q3", "embedded"]
    assert (cell["ratio"], cell["comparisons"]) == (pytest.approx(1.5), 1)
    store_runs(results, {"paraphrase": [(10.0, 90.0)]})
    assert observed().loc["Q3", "embedded"]["verdict"] == verdicts.NOT_RUN
