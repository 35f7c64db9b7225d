"""From run folders to what tables and figures read: runs.parquet, the files in predictions/, histories.parquet."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masktune.errors import MaskTuneError
from masktune.files import replace_file, replace_folder
from masktune.records import canonical
from masktune.study.design import arms
from masktune.study.design.cells import NOT_SCIENTIFIC, Cell, Training
from masktune.study.design.study import Study
from masktune.study.paths import folder, runs_folder, studies
from masktune.study.store import layout, previous, runs, stored
from masktune.study.store.previous import RUNS

if TYPE_CHECKING:
    import pandas
    import pyarrow

PREDICTIONS = "predictions"
HISTORIES = "histories.parquet"
FILES = (RUNS, PREDICTIONS, HISTORIES)
TIMES = ("_runtime", "_per_second")  # endings of names in a training log: what runs.parquet says of a run's time
REPEATED = ("run_id", "set", "kind", "cluster_id", "group")
COSTS = (
    "load_seconds", "tokenise_seconds", "model_seconds", "prepare_seconds", "train_seconds", "curve_seconds",
    "evaluate_seconds", "steps", "train_examples", "train_tokens", "evaluated_examples", "parameters",
    "device_peak_bytes", "process_peak_bytes",
    "host_energy_joules", "host_energy_method", "device_energy_joules", "device_energy_method",
)  # fmt: skip
MADE_WITH = ("device", "precision", "threads", "source")
# Of Training what says by which arithmetic it is computed, or is for the evaluation alone.
NOT_TRAINED = (*NOT_SCIENTIFIC, "evaluation_lengths")
TRAINING = tuple(field.name for field in fields(Training) if field.name not in NOT_TRAINED)
THREADS = 4
AT_ONCE = 200  # runs that are read together


def gather(study: Study) -> "pandas.DataFrame":
    """Write the files of the study from its run folders, and return the table of runs.

    Every declared run has a row; one without results has the status "failed" (with its error), "damaged" (with what is
    wrong with its folder) or "missing". A run that was gathered before and has no folder here is kept as it was
    gathered. Stored runs that the study no longer declares are left out. The same runs give the same predictions and
    training logs byte for byte, in the order of the study, whether they come from folders or were gathered before.
    Raises MaskTuneError for a gathered file that cannot be read, and when runs of one task saw different data.
    """
    import pandas

    runs.check_writable(study.name)
    sources, target = _Sources.of(study), folder(study.name)
    replaced = _replace(target / PREDICTIONS, replace_folder), _replace(target / HISTORIES)
    with replaced[0] as predictions, replaced[1] as logs:
        collected = _collect(sources, predictions)
        _check_same_data(study.name, collected)
        _write_histories(collected, logs)
    if study.diversity is not None and (numbers := arms.kept_file(study)).is_file():
        with _replace(arms.gathered_file(study.name)) as path:
            path.write_bytes(numbers.read_bytes())
    table = pandas.DataFrame([run.row for run in collected])
    table = table.reindex(columns=[*table, *(name for name in MADE_WITH if name not in table)])
    with _replace(target / RUNS) as path:
        table.to_parquet(path, index=False, compression="zstd")
    return table


def find_kept(study: Study) -> dict[str, dict[str, Any]]:
    """The runs that gathering takes from what was gathered before, as no folder of them is here: the row of each by id.

    Raises MaskTuneError where a gathered file cannot be read, a run in it is not what was gathered, or the runs saw
    another embedded world than that of today: their ids do not tell.
    """
    sources = _Sources.of(study)
    waiting = (_Run({"run_id": run_id, "status": "missing"}) for _, _, run_id in sources.declared)
    kept = {run.row["run_id"]: run.row for run in map(sources.take_previous, waiting) if run.row["status"] == "done"}
    if previous.saw_another_world(kept.values()):
        raise MaskTuneError(
            f"what {folder(study.name)} holds was made in another version of the embedded world, and cannot be kept; "
            f"make it anew: python -m masktune run {study.name}"
        )
    return kept


def read(name: str) -> tuple["pandas.DataFrame", "pandas.DataFrame"]:
    """The runs and the predictions of a study as they were gathered.

    Raises MaskTuneError when that has not been done, and where a run that an older version gathered is no result.
    Columns of predictions that repeat few values (run_id, set, kind, cluster_id, group) are categorical.
    """
    import pandas
    import pyarrow.parquet

    answers, rows = _gathered_file(name, PREDICTIONS), _gathered_file(name, RUNS)
    with previous.reading(answers):
        tables = [pyarrow.parquet.read_table(file, read_dictionary=list(REPEATED)) for file in layout.files(answers)]
        table = pyarrow.concat_tables(tables)
    with previous.reading(rows):
        runs_table = pandas.read_parquet(rows)
    if "part" not in runs_table:
        raise MaskTuneError(f"{folder(name) / RUNS} is of an older version; run: python -m masktune gather {name}")
    frame = table.to_pandas(categories=list(REPEATED))
    _check_results(name, frame, table["logits"])
    return runs_table, frame


def _check_results(name: str, frame: "pandas.DataFrame", logits: "pyarrow.ChunkedArray") -> None:
    for start, stop in previous.find_stretches(frame["run_id"].cat.codes.to_numpy()):
        try:
            stored.check_result(logits.slice(start, stop - start), [])
        except stored.NoResult as error:
            run_id = frame["run_id"].iloc[start]
            raise MaskTuneError(f"run {run_id} is no result ({error}); run: python -m masktune gather {name}") from None


def read_histories(name: str) -> "pandas.DataFrame":
    """The training logs of all finished runs of a gathered study: run_id, step, epoch, and each number logged there."""
    import pandas

    with previous.reading(path := _gathered_file(name, HISTORIES)):
        return pandas.read_parquet(path)


def gathered() -> list[str]:
    """The names of the studies that have been gathered."""
    return [name for name in studies() if all((folder(name) / file).exists() for file in FILES)]


def files(name: str) -> list[Path]:
    """The files of a gathered study. Raises MaskTuneError where one is missing."""
    paths = [_gathered_file(name, file) for file in FILES]
    return [file for path in paths for file in (layout.files(path) if path.is_dir() else [path])]


def _gathered_file(name: str, file: str) -> Path:
    path = folder(name) / file
    if not path.exists():
        raise MaskTuneError(f"{path} does not exist; run: python -m masktune gather {name}")
    return path


@dataclass(frozen=True)
class _Run:
    """What is gathered of a declared run: its row, the entries of its training log, and until written its answers."""

    row: dict[str, Any]
    history: list[dict[str, Any]] = field(default_factory=list)
    answers: "pyarrow.Table | None" = None


@dataclass(frozen=True)
class _Sources:
    """Where the declared runs of a study come from: their folders, failure markers, and what was gathered before."""

    study: Study
    declared: list[tuple[Cell, int, str]]
    listed: set[str]
    marked: dict[str, dict[str, Any]]
    rows: dict[str, dict[str, Any]]
    histories: dict[str, list[dict[str, Any]]]
    predictions: "previous.Predictions | None"

    @classmethod
    def of(cls, study: Study) -> "_Sources":
        declared = [(cell, seed, cell.run_id(seed)) for cell in study.cells for seed in cell.seeds]
        ids, target = [run_id for _, _, run_id in declared], folder(study.name)
        listed, marked = set(runs.find_folders(study.name, ids)), runs.read_failures(study.name)
        here = listed | marked.keys()
        rows = previous.read_rows(target / RUNS, [run_id for run_id in ids if run_id not in here])
        logs = previous.read_histories(target / HISTORIES, rows)
        answers = previous.Predictions(target / PREDICTIONS) if rows else None
        return cls(study, declared, listed, marked, rows, logs, answers)

    def run(self, cell: Cell, seed: int, run_id: str) -> _Run:
        """A run from its folder, from its marker, or missing; one that was gathered before as far as its row goes."""
        row = _describe(cell, seed, run_id, self.study.parts)
        if run_id in self.listed:
            return self._read_folder(row, runs.run_folder(self.study.name, run_id))
        if (marker := self.marked.get(run_id)) is not None:
            row |= {"status": "failed", "error": marker["error"], "failed_seconds": marker.get("seconds")}
        return _Run(row)

    def _read_folder(self, row: dict[str, Any], path: Path) -> _Run:
        try:
            content = stored.open_run(path)
            answers, history = _read_predictions(content, path.name), content.record("history")
            stored.check_result(answers["logits"], history)
            answers = layout.round_logits(answers) if self.study.rounded_logits else answers
        except stored.Damaged as error:
            return _Run({**row, "status": "damaged", "error": f"{error}; {runs.AGAIN}"})
        except stored.NoResult as error:
            return _Run({**row, "status": "failed", "error": str(error)})
        return _Run({**row, "status": "done", **_results(content)}, _clean_history(history), answers)

    def take_previous(self, run: _Run) -> _Run:
        """The run as it was gathered before. What the study says of it is of today; what it gave, as it was then."""
        run_id = run.row["run_id"]
        if run.row["status"] != "missing" or run_id not in self.rows or self.predictions is None:
            return run
        before, history, answers = self.rows[run_id], self.histories.get(run_id, []), self.predictions.of(run_id)
        try:
            previous.check_gathered(before, answers, history)
        except stored.NoResult as error:
            return _Run({**run.row, "status": "failed", "error": str(error)})
        except stored.Damaged as error:
            name = self.study.name
            raise MaskTuneError(
                f"run {run_id} in {folder(name)}: {error}; restore {RUNS}, {PREDICTIONS} and {HISTORIES} as they were "
                f"gathered, or make it anew: python -m masktune run {name}"
            ) from None
        return _Run({**run.row, **before, **run.row, "status": "done"}, history, answers)


def _collect(sources: _Sources, path: Path) -> list[_Run]:
    """Write the predictions of all runs to files in the folder `path`, and return the runs without them."""
    collected = []
    with layout.writing(path, sources.study.rounded_logits) as writer:
        for run in _read(sources):
            collected.append(_Run(run.row, run.history))
            if run.answers is not None:
                writer.add(run.row["task"], run.answers)
    return collected


def _read(sources: _Sources) -> Iterator[_Run]:
    """The declared runs in the order of the study, some of them at a time."""
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(sources.declared), AT_ONCE):
            some = sources.declared[start : start + AT_ONCE]
            yield from map(sources.take_previous, pool.map(lambda run: sources.run(*run), some))


def _describe(cell: Cell, seed: int, run_id: str, parts: dict[str, str]) -> dict[str, Any]:
    """What the study says of a run."""
    return {
        "run_id": run_id, "data": cell.data, "model": cell.model.name, "checkpoint": cell.model.identity["checkpoint"],
        "adaptation": canonical(cell.model.identity.get("adaptation")),
        "task": cell.task, "method": cell.method, "label": cell.label, "part": parts[cell.label],
        **_rates(cell), **{f"training/{name}": getattr(cell.training, name) for name in TRAINING},
        "options": json.dumps(cell.options, sort_keys=True), "seed": seed,
        "data_options": json.dumps(cell.data_options, sort_keys=True),
        "pretraining": cell.model.pretraining_of(seed), "cell_id": cell.id,
        "status": "missing", "error": "", "failed_seconds": None,
    }  # fmt: skip


def _rates(cell: Cell) -> dict[str, float | None]:
    """The two numbers that every table asks for; none where the method has no such option."""
    from masktune import methods

    method = methods.build(cell.method, **cell.options)
    return {name: method.settings().get(name) for name in ("alpha", "mask_rate")}


def _results(content: stored.Stored) -> dict[str, Any]:
    metrics, cost, environment = (content.record(name) for name in ("metrics", "cost", "environment"))
    accuracy = {f"accuracy/{name}": value for name, value in metrics["accuracy"].items()}
    made_with = {name: environment.get(name) for name in MADE_WITH}
    made_with["processor"] = (cost.get("hardware") or {}).get("processor")
    trained = environment.get("language_model")
    made_with["language_model"] = None if trained is None else json.dumps(trained, sort_keys=True)
    made_with["digests"] = json.dumps(environment.get("data") or {}, sort_keys=True)
    return accuracy | {name: cost.get(name) for name in COSTS} | made_with


def _check_same_data(study: str, collected: Iterable[_Run]) -> None:
    """Runs of one task are compared with each other, so they must have seen the same data.

    Where the study says so, some have seen a part of the same train set, or a train set made otherwise.
    """
    first: dict[tuple, tuple[dict[str, Any], str]] = {}
    for row in (run.row for run in collected):
        for name, digest in previous.data_digests(row).items():
            asked = (row["training/train_examples"], row["data_options"]) if name == "train" else None
            known, before = first.setdefault((row["task"], name, asked), (row, digest))
            if digest != before:
                raise MaskTuneError(
                    f"runs {known['run_id']} and {row['run_id']} of task {row['task']!r} saw different data ({name}); "
                    f"rename the folder of the older one in {runs_folder(study)}, where it has one, and make it anew: "
                    f"python -m masktune run {study}"
                )


@contextmanager
def _replace(path: Path, replace: Callable[[Path], AbstractContextManager[Path]] = replace_file) -> Iterator[Path]:
    """A file next to `path`, or a folder by `replace_folder`, that takes its place at the end of the block."""
    try:
        with replace(path) as unfinished:
            yield unfinished
    except OSError as error:
        reason = error.strerror or error
        raise MaskTuneError(f"cannot write {path}: {reason}; free it or set MASKTUNE_RESULTS") from None


def _write_histories(collected: Iterable[_Run], path: Path) -> None:
    import pandas

    rows = [
        {"run_id": run.row["run_id"]} | {name: value for name, value in entry.items() if not name.endswith(TIMES)}
        for run in collected
        for entry in run.history
    ]
    pandas.DataFrame(rows, columns=None if rows else ["run_id", "step"]).to_parquet(path, index=False)


def _clean_history(history: Iterable[dict[str, Any]]) -> list[dict[str, float]]:
    """The entries of a training log; what is null was no number, as the cosine with no gradient, and is left out."""
    return [{name: float(value) for name, value in entry.items() if value is not None} for entry in history]


def _read_predictions(content: stored.Stored, run_id: str) -> "pyarrow.Table":
    """The predictions of a run in one piece, as they are gathered. Raises Damaged where a column is not there."""
    import pyarrow

    wanted, table = layout.schema(), content.predictions()
    try:
        table = table.add_column(0, "run_id", pyarrow.array([run_id] * len(table), pyarrow.string()))
        return table.select(wanted.names).cast(wanted).combine_chunks()
    except (KeyError, pyarrow.ArrowException) as error:
        raise stored.Damaged(f"{stored.PREDICTIONS} cannot be read ({' '.join(str(error).split())})") from None
