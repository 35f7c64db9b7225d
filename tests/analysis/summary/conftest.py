"""A project of one study with made-up tables, as `results.build` stores them."""

import json

import pandas as pd
import pytest

from masktune.analysis import claims
from masktune.analysis.claims import verdicts
from masktune.analysis.summary.records import Record
from masktune.study.design.load import load_study
from masktune.study.plan.listing import describe_claim

TOML = """
name = "toy"
title = "A toy"
question = "Does it work?"
data = "embedded"
tasks = ["inference"]
seeds = 10
[models.bert]
checkpoint = "embedded:bert"
[gates]
declared = "2026-11-26"
trained = { accuracy = 85, loss = 0.9 }
control = { label = "cue-free", against = "fine-tuning", gain = 15 }
remedies = { labels = ["experts"], against = "fine-tuning" }
[[grid]]
label = "fine-tuning"
method = "fine_tuning"
[[grid]]
label = "Mask-tuning"
method = "mask_tuning"
[[grid]]
label = "cue-free"
method = "fine_tuning"
data_options = { cue_rate = 0.3333 }
[[grid]]
label = "experts"
method = "product_of_experts"
bias_model = "overlap"
[[claims]]
method = "Mask-tuning"
against = "fine-tuning"
kind = "out_of_distribution"
test = "superiority"
[[claims]]
method = "experts"
against = "fine-tuning"
kind = "out_of_distribution"
test = "estimate"
family = "ablation"
"""
SETS = ("heuristics", "adversarial")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A working folder with the study "toy" alone, and nothing run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MASKTUNE_RESULTS", raising=False)
    monkeypatch.setattr("masktune.analysis.summary.records.studies", lambda: ["toy"])
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "toy.toml").write_text(TOML)
    return tmp_path


@pytest.fixture
def record(project) -> Record:
    return Record(load_study("toy"))


def runs_of(study, **changes) -> pd.DataFrame:
    """Every declared run, finished."""
    curve = [{"step": 0, "loss": 8.0, "accuracy": 0.0}, {"step": 9, "loss": 2.5, "accuracy": 0.4}]
    head = json.dumps({"curve": curve, "texts": 9, "held_out_texts": 3})
    rows = [
        {
            "run_id": cell.run_id(seed), "status": "done", "data": "embedded", "model": cell.model.name,
            "task": cell.task, "label": cell.label, "steps": 300, "train_seconds": 36.0, "curve_seconds": 0.0,
            "evaluate_seconds": 9.0, "device": "cpu", "processor": "Abacus", "threads": 1, "adaptation": "null",
            "pretraining": 0, "language_model": head, **changes,
        }
        for cell in study.cells
        for seed in cell.seeds
    ]  # fmt: skip
    return pd.DataFrame(rows)


def compared(study, number, name, difference, verdict, **changes) -> dict:
    claim = study.claims[number - 1]
    return {
        "claim": number, "family": claim.family, "test": claim.test, "task": "inference", "model": "bert", "set": name,
        "kind": "out_of_distribution", "method": claim.method, "against": claim.against, "declared_seeds": 10,
        "seeds": 10, "examples": 360, "difference": difference, "low": difference - 1, "high": difference + 1,
        "accuracy": 70 + difference, "against_accuracy": 70.0, "trained": "both", "control": "passed", "gate": "",
        "gate_reason": "", "verdict": verdict, "reason": "", **changes,
    }  # fmt: skip


def concluded(study, number, difference, verdict, judged) -> dict:
    claim = study.claims[number - 1]
    return {
        "claim": number, "statement": describe_claim(claim), "family": claim.family, "test": claim.test,
        "comparisons": 2, "judged": judged, "tested": 2, "holds_on": 0, "opposite_on": 0,
        "fewest_seeds": 8, "seeds": 10,
        "difference": difference, "lowest": difference, "highest": difference, "verdict": verdict, "reason": "",
    }  # fmt: skip


def store(project, difference, verdict, trained=True, passed="passed", gate="", **run_changes) -> None:
    """Finished runs, and tables in which Mask-tuning differs by so much on both sets."""
    study = load_study("toy")
    folder = project / "results" / "toy" / "tables"
    folder.mkdir(parents=True)
    runs_of(study, **run_changes).to_parquet(folder.parent / "runs.parquet")
    gate = gate if trained else verdicts.DID_NOT_TRAIN
    rows = [compared(study, 1, name, difference, verdict, gate=gate) for name in SETS]
    rows += [compared(study, 2, name, 5.0, verdicts.NOT_TESTABLE) for name in SETS]
    save(folder, "claims", rows, claims.numbers.COLUMNS)
    rows = [concluded(study, 1, difference, verdict, 2 * trained), concluded(study, 2, 5.0, verdicts.NOT_TESTABLE, 2)]
    save(folder, "conclusions", rows, claims.numbers.CONCLUSIONS)
    at = {"task": "inference", "model": "bert"}
    rows = [{**at, "method": label, "trained": trained or label != "Mask-tuning"} for label in study.labels]
    save(folder, "trained", rows, claims.gates.TRAINED)
    contrasts = (("control", "cue-free", passed), ("remedy", "experts", "gains"))
    rows = [
        {**at, "set": name, "role": role, "method": method, "difference": 20.0, "asked": 15.0, "passed": said}
        for name in SETS
        for role, method, said in contrasts
    ]
    save(folder, "gates", rows, claims.gates.CONTRASTS)


def save(folder, name, rows, columns=None) -> None:
    pd.DataFrame(rows, columns=columns).to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")
