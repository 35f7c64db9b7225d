"""The folder of one run: written whole or not at all, and recognised as done by its last file.

results/<study>/runs/<run_id>/
    run.json             what defines the run: identity, labels, options and training in full, seed
    metrics.json         {"accuracy": {set: share}, "n": {set: examples}}
    predictions.parquet  set kind example_id cluster_id group label prediction logits
    environment.json     code, packages, device, precision, data digests
    cost.json            seconds of each phase, steps, examples, tokens, parameters, peak memory, energy with the method
                         by which it was got, hardware; null where not measured
    history.json         the training log
    DONE                 the sha256 of each of the others, written last
results/<study>/runs/<run_id>.failed.json   the error of a seed that failed, until it succeeds
"""

import contextlib
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masktune.errors import MaskTuneError
from masktune.study.cells import Cell
from masktune.study.places import folder, runs_folder

if TYPE_CHECKING:
    import pyarrow

RECORDS = ("run", "metrics", "environment", "cost", "history")
PREDICTIONS = "predictions.parquet"
DONE = "DONE"


def run_folder(study: str, run_id: str) -> Path:
    """The folder of one run."""
    return runs_folder(study) / run_id


def is_done(study: str, run_id: str) -> bool:
    """Whether the run is stored whole. One look at the file system: `verify` reads the files."""
    return (run_folder(study, run_id) / DONE).is_file()


def done(study: str, run_ids: Iterable[str]) -> set[str]:
    """Those of the runs that are done; one listing of the folder, whatever the number of runs."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        stored = set(os.listdir(runs_folder(study)))
        return {run_id for run_id in run_ids if run_id in stored and is_done(study, run_id)}
    return set()


def check_writable(study: str) -> None:
    """Make the folder of runs. Raises MaskTuneError, naming it, where that or writing into it is not possible."""
    path = runs_folder(study)
    with _one_line_errors(path):
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass


def write(study: str, run_id: str, records: dict[str, Any], predictions: "pyarrow.Table") -> Path:
    """Store a run: `records` holds a JSON value for each name in RECORDS. Returns its folder.

    Everything goes to a temporary folder beside the final one, DONE last, and is renamed. Of two writers of one run the
    first to finish stands. Raises MaskTuneError where the folder cannot be written.
    """
    import pyarrow.parquet

    path = run_folder(study, run_id)
    check_writable(study)
    with _one_line_errors(path.parent):
        temporary = Path(tempfile.mkdtemp(prefix=f".{run_id}.", dir=path.parent))
        try:
            for name in RECORDS:
                _write_json(temporary / f"{name}.json", records[name])
            pyarrow.parquet.write_table(predictions, temporary / PREDICTIONS, compression="zstd")
            _write_json(temporary / DONE, _digests(temporary))
            temporary.chmod(0o755)
            _put(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    _failure_file(study, run_id).unlink(missing_ok=True)
    return path


def _put(temporary: Path, path: Path) -> None:
    """Rename onto `path`, unless a whole run lies there; a folder without DONE is a remnant and gives way."""
    if path.is_dir() and not (path / DONE).is_file():
        remnant = temporary.with_name(f"{temporary.name}.remnant")
        os.rename(path, remnant)
        shutil.rmtree(remnant)
    try:
        os.rename(temporary, path)
    except OSError:
        if not (path / DONE).is_file():
            raise


def verify(study: str, run_id: str) -> None:
    """Compare every file of a run with the digests in DONE. Raises MaskTuneError naming the file that differs."""
    path = run_folder(study, run_id)
    expected = read_json(path / DONE)
    found = _digests(path)
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            how = "is missing" if name not in found else "is not what was stored"
            raise MaskTuneError(f"run {run_id}: {name} {how}; delete the folder {path} and run the study again")


def read_json(path: Path) -> Any:
    """The value of a stored JSON file. Raises MaskTuneError when it is missing or damaged."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise MaskTuneError(f"{path} cannot be read ({error}); delete its folder and run the study again") from None


def mark_failed(cell: Cell, seed: int, line: str, seconds: float | None = None) -> None:
    """Leave the error of a seed, in one line, beside the run folders, so that gather and status list it.

    `seconds` is the time that it took until it failed, None where nobody knows.
    """
    run_id = cell.run_id(seed)
    record = {"run_id": run_id, "cell_id": cell.id, "seed": seed, "label": cell.label, "error": line}
    record["seconds"] = seconds
    path = _failure_file(cell.study, run_id)
    with _one_line_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{run_id}.", dir=path.parent)
        os.close(handle)
        _write_json(Path(temporary), record)
        os.replace(temporary, path)


def failures(study: str) -> dict[str, dict[str, Any]]:
    """The marker of every failed run by its id. A run that is done has not failed, whatever lies beside it."""
    found = {path.name.split(".")[0]: read_json(path) for path in sorted(runs_folder(study).glob("*.failed.json"))}
    return {run_id: record for run_id, record in found.items() if not is_done(study, run_id)}


def error_line(error: BaseException) -> str:
    """An error in one line that holds no path of this machine: stored results are published."""
    text = " ".join(str(error).split())
    for place in (os.getcwd(), tempfile.gettempdir(), str(Path.home())):
        if len(place) > 1:
            text = text.replace(place, "...")
    return f"{type(error).__name__}: {text}"[:500]


def _failure_file(study: str, run_id: str) -> Path:
    return runs_folder(study) / f"{run_id}.failed.json"


def _digests(path: Path) -> dict[str, str]:
    files = (file for file in sorted(path.iterdir()) if file.name != DONE)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(_finite(value), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _finite(value: Any) -> Any:
    """JSON knows no NaN and no infinity (the loss of a diverged run): null stands for them."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextlib.contextmanager
def _one_line_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        advice = "free it or set MASKTUNE_RESULTS to another folder"
        raise MaskTuneError(f"cannot write to {path}: {reason}; {advice}") from None


__all__ = ["check_writable", "done", "error_line", "failures", "folder", "is_done", "mark_failed", "read_json",
           "run_folder", "verify", "write"]  # fmt: skip
