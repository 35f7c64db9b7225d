"""How much of the workers' time was training and evaluation, and not starting, loading, drawing or waiting."""

import json
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from masktune import cache
from masktune.study import runs
from masktune.study.places import grid_file

PURE = ("train_seconds", "curve_seconds", "evaluate_seconds")


@contextmanager
def recorded(study: str, workers: int, run_ids: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Time the block, in which `workers` make these runs, and append the record to results/<study>/grid.json.

    An interrupted block is recorded too, with the runs that it made. The record is filled when the block is left:
    date, workers, runs (those made), wall_seconds, pure_seconds (training and evaluation of all runs made together),
    made_seconds (that of the models that they start from, made once and kept in the cache).
    """
    record: dict[str, Any] = {"date": date.today().isoformat(), "workers": workers}
    start, moment = time.perf_counter(), time.time()
    try:
        yield record
    finally:
        record["wall_seconds"] = round(time.perf_counter() - start, 3)
        made = runs.done(study, run_ids)
        record |= {"runs": len(made), "pure_seconds": round(sum(_pure(study, run_id) for run_id in made), 3)}
        record["made_seconds"] = round(cache.seconds_since("checkpoints", moment), 3)
        _append(study, record)


def read(study: str) -> list[dict[str, Any]]:
    """The records of a study, the oldest first; [] where none was kept."""
    return runs.read_json(grid_file(study)) if grid_file(study).is_file() else []


def share(records: Iterable[dict[str, Any]]) -> float | None:
    """Training and evaluation over wall seconds times workers, of all records together; None where no time has passed.

    Older records do not say what making models took: it counts as nothing.
    """
    records = list(records)
    available = sum(record["wall_seconds"] * record["workers"] for record in records)
    pure = sum(record["pure_seconds"] + record.get("made_seconds", 0) for record in records)
    return pure / available if available else None


def _pure(study: str, run_id: str) -> float:
    cost = runs.read_json(runs.run_folder(study, run_id) / "cost.json")
    return sum(cost.get(phase) or 0.0 for phase in PURE)


def _append(study: str, record: dict[str, Any]) -> None:
    path = grid_file(study)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    beside.write_text(json.dumps([*read(study), record], indent=1) + "\n", encoding="utf-8")
    os.replace(beside, path)
