"""From run folders to the files that tables and figures read: runs.parquet, predictions.parquet, histories.parquet."""

import json
import os
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masktune.errors import MaskTuneError
from masktune.study import carried, diversity, runs
from masktune.study.cells import Cell, Training, canonical
from masktune.study.design import Study
from masktune.study.places import folder

if TYPE_CHECKING:
    import pandas
    import pyarrow

RUNS = "runs.parquet"
PREDICTIONS = "predictions.parquet"
HISTORIES = "histories.parquet"
FILES = (RUNS, PREDICTIONS, HISTORIES)
REPEATED = ("run_id", "set", "kind", "cluster_id", "group")
COSTS = (
    "load_seconds", "tokenise_seconds", "model_seconds", "prepare_seconds", "train_seconds", "curve_seconds",
    "evaluate_seconds", "steps", "train_examples", "train_tokens", "evaluated_examples", "parameters",
    "device_peak_bytes", "process_peak_bytes",
    "host_energy_joules", "host_energy_method", "device_energy_joules", "device_energy_method",
)  # fmt: skip
NOT_TRAINED = ("precision", "evaluation_lengths")  # of Training what changes nothing of what is learned
TRAINING = tuple(field.name for field in fields(Training) if field.name not in NOT_TRAINED)
FILES_AT_ONCE = 200
THREADS = 4


def gather(study: Study) -> "pandas.DataFrame":
    """Write the files of the study from its run folders, and return the table of runs.

    Every declared run has a row; one without results has the status "failed" (with its error) or "missing". A run that
    was gathered before and has no folder here is kept as it was gathered. Stored runs that the study no longer declares
    are left out. Raises MaskTuneError for a damaged file, and when runs of one task saw different data.
    """
    import pandas

    declared = [(cell, seed, cell.run_id(seed)) for cell in study.cells for seed in cell.seeds]
    found = _Found.of(study.name, [run_id for _, _, run_id in declared])
    with ThreadPoolExecutor(THREADS) as pool:
        rows = list(pool.map(lambda run: _row(*run, study.parts, found), declared))
    _check_same_data(rows)
    table = pandas.DataFrame(rows)
    target = folder(study.name)
    runs.check_writable(study.name)
    stored = [run_id for _, _, run_id in declared if run_id in found.done]
    _write(target / PREDICTIONS, partial(_write_predictions, study.name, stored, list(found.gathered)))
    _write(target / HISTORIES, partial(_write_histories, study.name, stored, list(found.gathered)))
    if study.diversity is not None and (kept := diversity.kept(study)).is_file():
        _write(diversity.gathered(study.name), lambda path: path.write_bytes(kept.read_bytes()))
    _write(target / RUNS, lambda path: table.to_parquet(path, index=False, compression="zstd"))
    return table


def read(name: str) -> tuple["pandas.DataFrame", "pandas.DataFrame"]:
    """(runs, predictions) of a study as they were gathered. Raises MaskTuneError when that has not been done.

    Columns of predictions that repeat few values (run_id, set, kind, cluster_id, group) are categorical.
    """
    import pandas
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(_gathered(name, PREDICTIONS), read_dictionary=list(REPEATED))
    found = pandas.read_parquet(_gathered(name, RUNS))
    if "part" not in found:
        raise MaskTuneError(f"{folder(name) / RUNS} is of an older version; run: python -m masktune gather {name}")
    return found, table.to_pandas()


def histories(name: str) -> "pandas.DataFrame":
    """The training logs of all finished runs of a gathered study: run_id, step, epoch, and each number logged there."""
    import pandas

    return pandas.read_parquet(_gathered(name, HISTORIES))


def files(name: str) -> list[Path]:
    """The files of a gathered study. Raises MaskTuneError where one is missing."""
    return [_gathered(name, file) for file in FILES]


def _gathered(name: str, file: str) -> Path:
    path = folder(name) / file
    if not path.is_file():
        raise MaskTuneError(f"{path} does not exist; run: python -m masktune gather {name}")
    return path


@dataclass(frozen=True)
class _Found:
    """Of the runs of a study: those that are done, those that failed, and what was gathered of those that are gone."""

    done: set[str]
    failed: dict[str, dict[str, Any]]
    gathered: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, study: str, run_ids: list[str]) -> "_Found":
        done, failed = runs.done(study, run_ids), runs.failures(study)
        gone = [run_id for run_id in run_ids if run_id not in done and run_id not in failed]
        return cls(done, failed, carried.rows(folder(study) / RUNS, gone))

    def status(self, run_id: str) -> str:
        if run_id in self.done or run_id in self.gathered:
            return "done"
        return "failed" if run_id in self.failed else "missing"


def _row(cell: Cell, seed: int, run_id: str, parts: dict[str, str], found: _Found) -> dict[str, Any]:
    failure = found.failed.get(run_id, {})
    row = {
        "run_id": run_id, "data": cell.data, "model": cell.model.name, "checkpoint": cell.model.identity["checkpoint"],
        "adaptation": canonical(cell.model.identity.get("adaptation")),
        "task": cell.task, "method": cell.method, "label": cell.label, "part": parts[cell.label],
        **_rates(cell), **{f"training/{name}": getattr(cell.training, name) for name in TRAINING},
        "options": json.dumps(cell.options, sort_keys=True), "seed": seed, "cell_id": cell.id,
        "status": found.status(run_id), "error": failure.get("error", ""), "failed_seconds": failure.get("seconds"),
    }  # fmt: skip
    if run_id in found.done:
        return row | _results(runs.run_folder(cell.study, run_id))
    # What the study says of a run is of today; what it gave, as it was gathered.
    return found.gathered.get(run_id, {}) | row


def _rates(cell: Cell) -> dict[str, float | None]:
    """The two numbers that every table asks for; none where the method has no such option."""
    from masktune import methods

    method = methods.build(cell.method, **cell.options)
    return {name: method.settings().get(name) for name in ("alpha", "mask_rate")}


def _results(path: Path) -> dict[str, Any]:
    metrics, cost, environment = (runs.read_json(path / f"{name}.json") for name in ("metrics", "cost", "environment"))
    accuracy = {f"accuracy/{name}": value for name, value in metrics["accuracy"].items()}
    made_with = {name: environment.get(name) for name in ("device", "precision", "threads")}
    made_with["processor"] = (cost.get("hardware") or {}).get("processor")
    made_with["digests"] = json.dumps(environment.get("data") or {}, sort_keys=True)
    return accuracy | {name: cost.get(name) for name in COSTS} | made_with


def _check_same_data(rows: Iterable[dict[str, Any]]) -> None:
    """Runs of one task are compared with each other, so they must have seen the same data: part of the same train set,
    where the study says so.
    """
    first: dict[tuple, tuple[dict[str, Any], str]] = {}
    for row in rows:
        for name, digest in carried.digests(row).items():
            size = row["training/train_examples"] if name == "train" else None
            known, before = first.setdefault((row["task"], name, size), (row, digest))
            if digest != before:
                raise MaskTuneError(
                    f"runs {known['run_id']} and {row['run_id']} of task {row['task']!r} saw different data; "
                    "delete the older ones from the runs folder and run the study again"
                )


def _write(path: Path, write: Callable[[Path], None]) -> None:
    """Write beside `path` and rename: a reader sees the old file or the new one."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        write(beside)
        os.replace(beside, path)
    except OSError as error:
        reason = error.strerror or error
        raise MaskTuneError(f"cannot write {path}: {reason}; free it or set MASKTUNE_RESULTS") from None
    finally:
        beside.unlink(missing_ok=True)


def _write_predictions(study: str, run_ids: list[str], gone: list[str], path: Path) -> None:
    import pyarrow.parquet

    schema = _schema()
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer, ThreadPoolExecutor(THREADS) as pool:
        if gone:
            writer.write_table(carried.predictions(folder(study) / PREDICTIONS, gone, schema))
        for start in range(0, len(run_ids), FILES_AT_ONCE):
            group = run_ids[start : start + FILES_AT_ONCE]
            tables = pool.map(partial(_predictions, study, schema=schema), group)
            writer.write_table(pyarrow.concat_tables(tables))


def _write_histories(study: str, run_ids: list[str], gone: list[str], path: Path) -> None:
    import pandas

    rows = carried.histories(folder(study) / HISTORIES, gone) if gone else []
    rows += [
        {"run_id": run_id, **{key: _number(value) for key, value in entry.items()}}
        for run_id in run_ids
        for entry in runs.read_json(runs.run_folder(study, run_id) / "history.json")
    ]
    pandas.DataFrame(rows, columns=None if rows else ["run_id", "step"]).to_parquet(path, index=False)


def _number(value: float | None) -> float:
    """A logged number; null stands for one that is not finite, the loss of a run that diverged."""
    return float("nan") if value is None else float(value)


def _predictions(study: str, run_id: str, schema: "pyarrow.Schema") -> "pyarrow.Table":
    import pyarrow.parquet

    path = runs.run_folder(study, run_id) / runs.PREDICTIONS
    try:
        table = pyarrow.parquet.ParquetFile(path, pre_buffer=False).read(use_threads=False)
        table = table.add_column(0, "run_id", pyarrow.array([run_id] * len(table)))
        return table.select(schema.names).cast(schema)
    except (OSError, KeyError, pyarrow.ArrowInvalid) as error:
        line = " ".join(str(error).split())
        raise MaskTuneError(f"{path} cannot be read ({line}); delete its folder and run the study again") from None


def _schema() -> "pyarrow.Schema":
    import pyarrow

    texts = ("run_id", "set", "kind", "example_id", "cluster_id", "group")
    numbers = {"label": pyarrow.int16(), "prediction": pyarrow.int16(), "logits": pyarrow.list_(pyarrow.float32())}
    return pyarrow.schema([*((name, pyarrow.string()) for name in texts), *numbers.items()])
