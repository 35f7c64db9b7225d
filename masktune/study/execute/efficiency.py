"""How much of the workers' time was training and evaluation, and not starting, loading, drawing or waiting."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from masktune import cache
from masktune.files import write_file
from masktune.study.paths import grid_file
from masktune.study.store import runs

NUMBERS = ("workers", "runs", "wall_seconds", "pure_seconds")
PURE = ("train_seconds", "curve_seconds", "evaluate_seconds")


@contextmanager
def record_call(study: str, workers: int, run_ids: Iterable[str], done_before: int = 0) -> Iterator[dict[str, Any]]:
    """Time the block, in which `workers` make these runs, and append the record to results/<study>/grid.json.

    A record is one call on its own: a run that several calls made is in the record of each. An interrupted
    block is recorded too, with the runs that it made. The record is filled when the block is left: date, workers, found
    (the runs that were done before), runs (those made), wall_seconds, pure_seconds (training and evaluation of all runs
    made together), made_seconds (that of the models that they start from, made once and kept in the cache).
    """
    record: dict[str, Any] = {"date": date.today().isoformat(), "workers": workers, "found": done_before}
    start, moment = time.perf_counter(), time.time()
    try:
        yield record
    finally:
        record["wall_seconds"] = round(time.perf_counter() - start, 3)
        made = runs.find_done(study, run_ids)
        record |= {"runs": len(made), "pure_seconds": round(sum(_pure(study, run_id) for run_id in made), 3)}
        record["made_seconds"] = round(cache.seconds_since("checkpoints", moment), 3)
        _append(study, record)


def read(study: str) -> list[dict[str, Any]]:
    """The records of a study, the oldest first; [] where none was kept, or none that can be read."""
    return _records(study)[0]


def largest(records: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The call that made most runs, the latest of several; None where no call made any."""
    made = [record for record in records if record["runs"]]
    return max(reversed(made), key=lambda record: record["runs"], default=None)


def share(record: dict[str, Any]) -> float | None:
    """Training and evaluation over wall seconds times workers, of one call; None where no time has passed.

    Older records do not say what making models took: it counts as nothing.
    """
    available = record["wall_seconds"] * record["workers"]
    return (record["pure_seconds"] + record.get("made_seconds", 0)) / available if available else None


def _records(study: str) -> tuple[list[dict[str, Any]], bool]:
    """The records that can be read, and whether that is all there is."""
    try:
        content = json.loads(grid_file(study).read_bytes())
    except FileNotFoundError:
        return [], True
    except (OSError, ValueError):
        return [], False
    records = [record for record in content if _is_record(record)] if isinstance(content, list) else []
    return records, records == content


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), int | float) for name in NUMBERS)


def _pure(study: str, run_id: str) -> float:
    cost = runs.read_json(runs.run_folder(study, run_id) / "cost.json")
    return sum(cost.get(phase) or 0.0 for phase in PURE)


def _append(study: str, record: dict[str, Any]) -> None:
    path, (records, whole) = grid_file(study), _records(study)
    if not whole:
        # It must not stop a study that has run, and is kept for whoever wants to mend it.
        runs.put_aside(path)
    write_file(path, json.dumps([*records, record], indent=1) + "\n")
