"""What runs stored of the language models that they start from, a row for each of them.

A language model that is trained here is measured along its training on texts that are held out (pretraining.curve); a
published checkpoint that is used as it is has no such record.
"""

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

from masktune.models.spec import ModelSpec
from masktune.pretraining import curve
from masktune.study.design.study import Study

SOURCES = ["model", "checkpoint", "revision", "source", "licence", "saw"]
PLACE = ["model", "task", "adaptation", "pretraining"]
TRAINED = [
    *PLACE, "steps", "texts", "held_out_texts", "loss_before", "loss", "accuracy_before", "accuracy", "last_gain",
    "levelled_off",
]  # fmt: skip
CURVES = [*PLACE, "training", "step", "loss", "accuracy"]
ALL_TASKS = "all"  # of a language model that is not adapted to one


def sources(study: Study) -> pd.DataFrame:
    """Each model of the study: its checkpoint, and what the study says of its source, licence and upstream training."""
    return pd.DataFrame([_source(model) for model in study.models], columns=SOURCES)


def _source(model: ModelSpec) -> dict[str, str]:
    own = ("random weights, trained here", "that of this package", "the unlabelled text of the embedded world")
    told = {name: getattr(model, name) or (own[place] if model.is_embedded else "not declared")
            for place, name in enumerate(("source", "licence", "saw"))}  # fmt: skip
    return {"model": model.name, "checkpoint": model.checkpoint, "revision": model.revision or "", **told}


def trained(runs: pd.DataFrame) -> pd.DataFrame:
    """Each language model that was trained here and that a finished run starts from.

    `task` is ALL_TASKS where it is not adapted to one. Held-out loss in nats per masked token, accuracy in per cent of
    the masked tokens, both before training and after it; `last_gain` is what the last quarter of training took off the
    loss, `levelled_off` whether that is little (`masktune.pretraining.curve`).
    """
    return pd.DataFrame([_trained(place, record) for place, record in _records(runs)], columns=TRAINED)


def _trained(place: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    points = record["curve"]
    first, last = points[0], points[-1]
    return {
        **place, "steps": last["step"], "texts": record["texts"], "held_out_texts": record["held_out_texts"],
        "loss_before": first["loss"], "loss": last["loss"],
        "accuracy_before": 100 * first["accuracy"], "accuracy": 100 * last["accuracy"],
        "last_gain": curve.last_gain(points), "levelled_off": curve.has_levelled_off(points),
    }  # fmt: skip


def curves(runs: pd.DataFrame) -> pd.DataFrame:
    """The held-out loss (nats) and accuracy (per cent) of each of them along its training: a row a measurement.

    `training` numbers them: there are two at one place where the same was trained twice and came out otherwise.
    """
    rows = [
        {**place, "training": training, "step": each["step"], "loss": each["loss"], "accuracy": 100 * each["accuracy"]}
        for training, (place, record) in enumerate(_records(runs))
        for each in record["curve"]
    ]
    return pd.DataFrame(rows, columns=CURVES)


def _records(runs: pd.DataFrame) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(place, record) of each language model, in the order of the runs; one of several tasks once."""
    if "language_model" not in runs:
        return
    done = runs[(runs["status"] == "done") & runs["language_model"].notna()]
    adapted = done["adaptation"] != "null"
    placed = done.assign(task=done["task"].where(adapted, ALL_TASKS))
    for row in placed.drop_duplicates([*PLACE, "language_model"])[[*PLACE, "language_model"]].to_dict("records"):
        record = json.loads(row.pop("language_model"))
        yield row, record
