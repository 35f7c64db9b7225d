"""The two readings of Mask-tuning that have a name, and the evidence for the one that users get."""

import json
from pathlib import Path

import pandas as pd
import pytest

from masktune import MaskTuning, methods

RUNS = Path(__file__).parents[2] / "results" / "embedded" / "runs.parquet"


def test_the_paper_has_the_defaults_and_the_name():
    assert MaskTuning.paper() == MaskTuning() == methods.build("mask_tuning")
    assert MaskTuning.recommended() == methods.build("mask_tuning", reduction="maskable")


def accuracies(method: MaskTuning) -> pd.Series:
    """Accuracy in distribution of the stored runs of a method, mean over the seeds, by model and task."""
    runs = pd.read_parquet(RUNS).query("status == 'done' and method == 'mask_tuning' and part == 'main'")
    chosen = runs[[json.loads(options) == method.options() for options in runs["options"]]]
    return chosen.groupby(["model", "task"])["accuracy/validation"].mean()


def test_in_distribution_the_recommended_reading_is_at_least_as_accurate_as_the_papers():
    """With every model on every task. `accuracy/validation` is the only column of accuracy that is read."""
    recommended, paper = accuracies(MaskTuning.recommended()), accuracies(MaskTuning.paper())
    assert len(paper) == 9 and recommended.index.equals(paper.index)
    assert (recommended >= paper).all()
    assert "accuracy in distribution alone" in MaskTuning.recommended.__doc__


@pytest.mark.slow
def test_a_trainer_without_a_method_trains_with_the_recommended_reading(tmp_path, checkpoints):
    from tiny_runs import classifier
    from transformers import AutoTokenizer, TrainingArguments

    from masktune import MaskTuningTrainer

    run = MaskTuningTrainer(
        classifier(checkpoints["bert"]),
        TrainingArguments(str(tmp_path), use_cpu=True, report_to="none"),
        processing_class=AutoTokenizer.from_pretrained(checkpoints["bert"]),
    )
    assert run.method == MaskTuning.recommended()
