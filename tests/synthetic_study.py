"""Synthetic gathered studies: frames as `gather` writes them, from known probabilities of being right."""

import hashlib
import json

import numpy as np
import pandas as pd
from scipy.stats import norm

from masktune.study.design.cells import Training
from masktune.study.store import gather

SETS = {
    "sentiment": [
        ("validation", "in_distribution", 0.93),
        ("contrast", "out_of_distribution", 0.70),
        ("contrast_original", "companion", 0.92),
        ("counterfactual", "out_of_distribution", 0.76),
        ("counterfactual_original", "companion", 0.92),
    ],
    "inference": [
        ("validation", "in_distribution", 0.91),
        ("heuristics", "out_of_distribution", 0.58),
        ("adversarial", "out_of_distribution", 0.36),
    ],
    "paraphrase": [("validation", "in_distribution", 0.92), ("swaps", "out_of_distribution", 0.45)],
}
METHODS = [
    ("fine-tuning", "fine_tuning", {}, np.nan, np.nan),
    ("Mask-tuning", "mask_tuning", {"alpha": 0.6, "mask_rate": 0.05}, 0.6, 0.05),
]

TRAINING = Training(epochs=2.0, learning_rate=2e-3, batch_size=16)


def _run(model, task, method, seed, status="done"):
    label, name, options, alpha, mask_rate = method
    run_id = f"{abs(hash_of(model, task, label, seed)):016x}"
    error = "MaskTuneError: the disk is full" if status == "failed" else ""
    return {
        "run_id": run_id, "data": "embedded", "model": model, "task": task, "method": name, "label": label,
        "part": "main", "adaptation": "null",
        **{f"training/{name}": getattr(TRAINING, name) for name in gather.TRAINING},
        "alpha": alpha, "mask_rate": mask_rate, "options": json.dumps(options), "seed": seed, "status": status,
        "error": error, "train_seconds": 10.0,
        "cell_id": f"{hash_of(model, task, label):016x}", "train_examples": 1000,
    }  # fmt: skip


def hash_of(*parts):
    return int(hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:15], 16)


def _answers(run, gain, examples):
    """One run's answers on every set of its task: each example has a difficulty that all runs share."""
    frames = []
    for name, kind, level in SETS[run["task"]]:
        classes = 3 if run["task"] == "inference" and name != "heuristics" else 2
        labels = np.arange(examples) % classes
        stem = name.removesuffix("_original")
        if stem in ("contrast", "counterfactual"):
            labels = labels if kind == "companion" else 1 - labels
        difficulty = np.random.default_rng(hash_of(run["task"], name)).normal(size=examples)
        noise = np.random.default_rng(hash_of(run["run_id"], name)).normal(size=examples)
        seed_effect = np.random.default_rng(hash_of(run["task"], run["seed"], name)).normal() * 0.12
        shift = gain * (kind == "out_of_distribution")
        right = difficulty + noise < np.sqrt(2) * (norm.ppf(level) + seed_effect + shift)
        predictions = np.where(right, labels, (labels + 1) % classes)
        logits = np.eye(classes, dtype=np.float32)[predictions] * 2 + 0.1
        groups = [""] * examples
        if name == "heuristics":
            groups = [("overlap", "subsequence", "constituent")[i // 2 % 3] + f"/{labels[i]}" for i in range(examples)]
        frames.append(
            pd.DataFrame(
                {
                    "run_id": run["run_id"],
                    "set": name,
                    "kind": kind,
                    "example_id": [f"{name}-{i:04d}" for i in range(examples)],
                    "cluster_id": [f"{stem}-{i:04d}" for i in range(examples)],
                    "group": groups,
                    "label": labels,
                    "prediction": predictions,
                    "logits": list(logits),
                }  # fmt: skip
            )
        )
    return frames


def make(
    models=("bert",), tasks=("sentiment", "inference", "paraphrase"), seeds=6, examples=60, gain=0.12, methods=None
):
    """A gathered study: (runs, predictions)."""
    runs, frames = [], []
    for model in models:
        for task in tasks:
            for method in methods or METHODS:
                for seed in range(seeds):
                    run = _run(model, task, method, seed)
                    answers = _answers(run, gain if method[1] == "mask_tuning" else 0.0, examples)
                    for frame in answers:
                        run[f"accuracy/{frame['set'][0]}"] = float((frame["label"] == frame["prediction"]).mean())
                    runs.append(run)
                    frames += answers
    return pd.DataFrame(runs), pd.concat(frames, ignore_index=True)


def with_failures(runs, predictions, failed=1, missing=1):
    """The same study with the last runs failed or missing."""
    runs = runs.copy()
    position = len(runs)
    for status, count, error in (("failed", failed, "MaskTuneError: the disk is full"), ("missing", missing, "")):
        for _ in range(count):
            position -= 1
            runs.loc[runs.index[position], ["status", "error"]] = [status, error]
    gone = runs.loc[runs["status"] != "done", "run_id"]
    return runs, predictions[~predictions["run_id"].isin(gone)].reset_index(drop=True)


def store(folder, runs, predictions):
    """Write a study as `gather` does: results/<study>/runs.parquet, predictions/, histories.parquet."""
    (folder / gather.PREDICTIONS).mkdir(parents=True, exist_ok=True)
    runs.to_parquet(folder / gather.RUNS, index=False)
    predictions.to_parquet(folder / gather.PREDICTIONS / "00.parquet", index=False)
    logs = [(run, step, 1.0 / step) for run in runs.loc[runs["status"] == "done", "run_id"] for step in (1, 2)]
    pd.DataFrame(logs, columns=["run_id", "step", "loss"]).to_parquet(folder / gather.HISTORIES, index=False)


def ablations(seeds=3, examples=24):
    """A study of one task that varies masking rate, alpha with it, and the fill: (runs, predictions)."""
    rates = [
        (f"masking rate (mask_rate {rate})", "mask_tuning", {"mask_rate": rate}, 0.6, rate) for rate in (0.01, 0.15)
    ]
    pairs = [
        (f"rate {rate}, alpha 0.2", "mask_tuning", {"alpha": 0.2, "mask_rate": rate}, 0.2, rate)
        for rate in (0.01, 0.15)
    ]
    clean = ("fill (fill original)", "mask_tuning", {"fill": "original"}, 0.6, 0.05)
    methods = [*METHODS, *rates, *pairs, clean]
    runs, predictions = make(tasks=("inference",), seeds=seeds, examples=examples, methods=methods)
    runs.loc[~runs["label"].isin(("fine-tuning", "Mask-tuning")), "part"] = "ablation"
    return runs, predictions


def store_gradients(folder, runs):
    """Logs of the gradients of Mask-tuning's two terms in place of those that `store` wrote."""
    measured = [
        {"run_id": run, "step": float(step), "loss_classification": 0.5, "loss_mlm": 2.0, "norm_mlm": 9.0 / step,
         "norm_classification": 1.5, "cosine_mlm_classification": 0.1}
        for run in runs.loc[runs["method"] == "mask_tuning", "run_id"] for step in (1, 2, 3, 6)
    ]  # fmt: skip
    pd.DataFrame(measured).to_parquet(folder / gather.HISTORIES)


def declared(study, *parts, **given):
    """A gathered study with the methods of these parts of a declared one beside the two of METHODS."""
    rows = {variant.label: (row.method, variant.options) for row in study.grid for variant in row.variants}
    labels = [label for label, part in study.parts.items() if part in parts]
    others = [(label, *rows[label], np.nan, np.nan) for label in labels]
    runs, predictions = make(methods=[*METHODS, *others], **given)
    return runs.assign(part=runs["label"].map(study.parts)), predictions
