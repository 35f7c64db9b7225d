"""The folder of one run: written whole or not at all, and done while its files match the digests in DONE.

results/<study>/runs/<run_id>/
    run.json             what defines the run: identity, labels, options and training in full, seed
    metrics.json         {"accuracy": {set: share}, "n": {set: examples}}
    predictions.parquet  set kind example_id cluster_id group label prediction logits
    environment.json     code, packages, device, precision, data digests
    cost.json            seconds of each phase, steps, examples, tokens, parameters, peak memory, energy with the method
                         by which it was got, hardware; null where not measured
    history.json         the training log, with the readings of each epoch where the study asks for them
    DONE                 the sha256 of each of the others, written last
results/<study>/runs/<run_id>.failed.json   the error of a seed that failed, until it succeeds
results/<study>/runs/<run_id>.damaged/      what was found changed and put aside when the run was made again
"""

import contextlib
import itertools
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masktune.errors import MaskTuneError
from masktune.files import digest, folder_beside, write_file
from masktune.study.design.cells import Cell
from masktune.study.paths import runs_folder
from masktune.study.store import stored
from masktune.study.store.stored import DONE, PREDICTIONS, RECORDS, Damaged, NoResult, Stored

if TYPE_CHECKING:
    import pyarrow

THREADS = 4
AGAIN = "run the study again: it puts the folder aside and makes the run anew"


@dataclass(frozen=True)
class State:
    """The runs of a study: those done, the marker of each that failed, what is wrong with each damaged one."""

    done: set[str]
    failed: dict[str, dict[str, Any]]
    damaged: dict[str, str]

    def of(self, run_id: str) -> str:
        """The state of a run: "done", "damaged", "failed" or "missing"."""
        return next((name for name in ("done", "damaged", "failed") if run_id in getattr(self, name)), "missing")


def run_folder(study: str, run_id: str) -> Path:
    """The folder of one run."""
    return runs_folder(study) / run_id


def is_done(study: str, run_id: str) -> bool:
    """Whether the run lies there, by one look at the file system, while it is being made: `inspect` reads the files."""
    return (run_folder(study, run_id) / DONE).is_file()


def find_folders(study: str, run_ids: Iterable[str]) -> list[str]:
    """Those of the runs that have a folder, whatever is in it; one listing, whatever the number of runs."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        there = set(os.listdir(runs_folder(study)))
        return [run_id for run_id in run_ids if run_id in there]
    return []


def inspect(study: str, run_ids: Iterable[str]) -> State:
    """The state of each of the runs; every file of those that lie there is read."""
    there = find_folders(study, run_ids)
    with ThreadPoolExecutor(THREADS) as pool:
        problems = pool.map(lambda run_id: find_problem(run_folder(study, run_id)), there)
        return summarise(study, dict(zip(there, problems, strict=True)))


def summarise(study: str, problems: Mapping[str, MaskTuneError | None]) -> State:
    """The state of runs: `problems` gives each one that has a folder its error, None where it is done."""
    done = {run_id for run_id, error in problems.items() if error is None}
    damaged = {run_id: f"{error}; {AGAIN}" for run_id, error in problems.items() if isinstance(error, Damaged)}
    diverged = {run_id: {"error": str(error)} for run_id, error in problems.items() if isinstance(error, NoResult)}
    return State(done, read_failures(study) | diverged, damaged)


def find_problem(path: Path) -> MaskTuneError | None:
    """What is wrong with the folder of a run; None where it holds a whole run that is a result."""
    try:
        stored.check_run(path)
    except (Damaged, NoResult) as error:
        return error
    return None


def find_done(study: str, run_ids: Iterable[str]) -> set[str]:
    """Those of the runs that lie there as they were stored, and are results."""
    return inspect(study, run_ids).done


def read(study: str, run_id: str) -> Stored | None:
    """A run that is done, None where it is missing or failed. Raises MaskTuneError naming the file that is damaged."""
    path = run_folder(study, run_id)
    problem = find_problem(path) if path.exists() else None
    if isinstance(problem, Damaged):
        raise MaskTuneError(f"run {run_id}: {problem}; {AGAIN}")
    return stored.open_run(path) if path.exists() and problem is None else None


def put_aside(path: Path) -> Path:
    """Rename what cannot be used, so that nothing is lost: <name>.damaged next to it, or .damaged-2 and so on."""
    names = (f"{path.name}.damaged{f'-{number}' * (number > 1)}" for number in itertools.count(1))
    aside = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    with _one_line_errors(path):
        os.rename(path, aside)
    return aside


def make_room(study: str, run_ids: Iterable[str]) -> None:
    """Put aside what lies in the place of runs that are not done, before they are made."""
    for run_id in find_folders(study, run_ids):
        put_aside(run_folder(study, run_id))


def check_writable(study: str) -> None:
    """Make the folder of runs. Raises MaskTuneError, naming it, where that or writing into it is not possible."""
    path = runs_folder(study)
    with _one_line_errors(path):
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass


def write(study: str, run_id: str, records: dict[str, Any], predictions: "pyarrow.Table") -> Path:
    """Store a run: `records` holds a JSON value for each name in RECORDS. Returns its folder.

    Everything goes to a temporary folder next to the final one, DONE last, and is renamed. Of two writers of one run
    the first to finish wins. Raises NoResult where the run diverged (`stored.check_result`), MaskTuneError where the
    folder cannot be written.
    """
    import pyarrow.parquet

    stored.check_result(predictions["logits"], records["history"])
    records = {**records, "run": {**records["run"], "run_id": run_id}}
    path = run_folder(study, run_id)
    check_writable(study)
    with _one_line_errors(path.parent), folder_beside(path) as unfinished:
        for name in RECORDS:
            write_file(unfinished / f"{name}.json", _json(records[name]))
        pyarrow.parquet.write_table(predictions, unfinished / PREDICTIONS, compression="zstd")
        seal(unfinished)
        _put(unfinished, path)
    _failure_file(study, run_id).unlink(missing_ok=True)
    return path


def seal(path: Path) -> None:
    """Write DONE: the digest of every other file of the folder."""
    write_file(path / DONE, _json(_digests(path)))


def _put(unfinished: Path, path: Path) -> None:
    """Rename onto `path`, unless a whole run lies there; anything else gives way."""
    if path.is_dir() and find_problem(path) is not None:
        with contextlib.suppress(MaskTuneError):  # another writer may have been faster
            put_aside(path)
    try:
        os.rename(unfinished, path)
    except OSError:
        if find_problem(path) is not None:
            raise


def verify(study: str, run_id: str) -> None:
    """Raise MaskTuneError unless the run is stored as it was written, naming the file that differs."""
    if (problem := find_problem(run_folder(study, run_id))) is not None:
        raise MaskTuneError(f"run {run_id}: {problem}; {AGAIN}")


def read_json(path: Path) -> Any:
    """The value of a JSON file of a run. Raises MaskTuneError when it is missing or damaged."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise MaskTuneError(f"run {path.parent.name}: {path} cannot be read ({error}); {AGAIN}") from None


def mark_failed(cell: Cell, seed: int, line: str, seconds: float | None = None) -> None:
    """Leave the error of a seed, in one line, next to the run folders, so that gather and status list it.

    `seconds` is the time that it took until it failed, None where nobody knows.
    """
    run_id = cell.run_id(seed)
    record = {"run_id": run_id, "cell_id": cell.id, "seed": seed, "label": cell.label, "error": line}
    record["seconds"] = seconds
    path = _failure_file(cell.study, run_id)
    with _one_line_errors(path.parent):
        write_file(path, _json(record))


def read_failures(study: str) -> dict[str, dict[str, Any]]:
    """The marker of every failed run by its id. A run that lies there has not failed, whatever lies next to it."""
    markers = {path.name.split(".")[0]: _read_marker(path) for path in sorted(runs_folder(study).glob("*.failed.json"))}
    return {run_id: record for run_id, record in markers.items() if not is_done(study, run_id)}


def _read_marker(path: Path) -> dict[str, Any]:
    """What a marker says. A broken one still says that the run failed."""
    try:
        record = json.loads(path.read_bytes())
        return {**record, "error": str(record["error"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"error": f"it failed; {path.name} should say why and cannot be read; run the study again"}


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
    return {file.name: digest(file.read_bytes()) for file in files}


def _json(value: Any) -> str:
    return json.dumps(_finite(value), indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """JSON knows no NaN and no infinity (the loss of a diverged run): null replaces them."""
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
