"""Runs that were gathered before and whose folders are not here: made on another machine, or in another clone.

What is gathered is what is published, so gathering again keeps it: a study can be run a task at a time, wherever there
is time for it. A run is known by its id, which says what was run; a folder of it that is here takes precedence.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masktune import data
from masktune.errors import MaskTuneError
from masktune.study.store import layout, stored

if TYPE_CHECKING:
    import numpy
    import pyarrow

RUNS = "runs.parquet"


def read_rows(path: Path, run_ids: Collection[str] | None = None) -> dict[str, dict[str, Any]]:
    """Those of the runs (None: of all) that the gathered table at `path` holds as done: its row of each, by its id."""
    if (run_ids is not None and not run_ids) or not path.is_file():
        return {}
    import pandas

    chosen = [] if run_ids is None else [("run_id", "in", list(run_ids))]
    with reading(path):
        table = pandas.read_parquet(path, filters=[*chosen, ("status", "==", "done")])
    table = table.astype(object).where(table.notna(), None)
    return {row["run_id"]: row for row in table.to_dict("records")}


class Predictions:
    """The gathered predictions in the folder `path`, run by run.

    One row group is held at a time: ask in the order of the files.
    """

    def __init__(self, path: Path):
        import pyarrow.parquet

        self.path, self.schema = path, layout.schema()
        self._places: dict[str, list[tuple[int, int, int]]] = {}
        self._group: tuple[int, pyarrow.Table | None] = (-1, None)
        with reading(path):
            files = [pyarrow.parquet.ParquetFile(file) for file in layout.files(path)]
            self._groups = [(file, number) for file in files for number in range(file.num_row_groups)]
            for place, (file, number) in enumerate(self._groups):
                column = file.read_row_group(number, ["run_id"])["run_id"].combine_chunks().dictionary_encode()
                for start, stop in find_stretches(column.indices.to_numpy()):
                    self._places.setdefault(column[start].as_py(), []).append((place, start, stop - start))

    def of(self, run_id: str) -> "pyarrow.Table":
        """The predictions of one run in one piece; of none where the files have none of it."""
        import pyarrow

        with reading(self.path):
            places = self._places.get(run_id, ())
            slices = [self._read(place).slice(start, count) for place, start, count in places]
            table = pyarrow.concat_tables(slices) if slices else self.schema.empty_table()
            return table.select(self.schema.names).cast(self.schema).combine_chunks()

    def _read(self, place: int) -> "pyarrow.Table":
        if self._group[0] != place:
            file, number = self._groups[place]
            self._group = (place, file.read_row_group(number))
        return self._group[1]


def find_stretches(codes: "numpy.ndarray") -> Iterator[tuple[int, int]]:
    """Where each stretch of equal numbers begins and ends."""
    import numpy

    ends = [*(numpy.flatnonzero(numpy.diff(codes)) + 1).tolist(), len(codes)]
    return ((start, end) for start, end in zip([0, *ends], ends, strict=False) if end > start)


def read_histories(path: Path, run_ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """The gathered training logs of the runs by their id; of an entry what it says: what is null was not logged."""
    if not run_ids:
        return {}
    import pandas

    with reading(path):
        table = pandas.read_parquet(path, filters=[("run_id", "in", list(run_ids))])
    logs: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_dict("records"):
        entry = {name: value for name, value in row.items() if value == value and value is not None}
        logs.setdefault(entry.pop("run_id"), []).append(entry)
    return logs


def check_gathered(row: dict[str, Any], predictions: "pyarrow.Table", history: list[dict[str, Any]]) -> None:
    """Raise NoResult where what was gathered of a run is no result, Damaged where it contradicts itself."""
    if not len(predictions):
        raise stored.Damaged(f"{stored.PREDICTIONS} has nothing of it")
    stored.check_result(predictions["logits"], history)
    frame = predictions.select(["set", "label", "prediction"]).to_pandas()
    right = (frame["label"] == frame["prediction"]).groupby(frame["set"]).mean().to_dict()
    said = {name.removeprefix("accuracy/"): value for name, value in row.items() if name.startswith("accuracy/")}
    for name in sorted(right.keys() | {name for name, value in said.items() if value is not None}):
        if right.get(name) != said.get(name):
            raise stored.Damaged(f"the accuracy of {name}, {said.get(name)}, is not that of its predictions")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """MaskTuneError, naming the file, where a gathered file cannot be read in the block."""
    import pyarrow

    try:
        yield
    except (OSError, KeyError, ValueError, pyarrow.ArrowException) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        others = "" if path.name == RUNS else f" and {RUNS} next to it"
        raise MaskTuneError(
            f"{path} cannot be read ({reason}); restore that file, or rename it{others}, so that only runs with a "
            f"folder here are gathered, and run: python -m masktune gather {path.parent.name}"
        ) from None


def saw_another_world(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the evaluation sets of a run, one of each task, are not those that the embedded world has today.

    `rows` are gathered ones. The train set is left out: a row of the study may ask for another one.
    """
    seen = {row["task"]: digests for row in rows if row["data"] == "embedded" and (digests := data_digests(row))}
    return any(_differ(task, digests) for task, digests in seen.items())


def _differ(task: str, digests: Mapping[str, str]) -> bool:
    seen = {name: digest for name, digest in digests.items() if name != "train"}
    today = data.load("embedded", task).digests if seen else {}
    return any(today.get(name, digest) != digest for name, digest in seen.items())


def data_digests(row: Mapping[str, Any]) -> dict[str, str]:
    """The digest of each set of data that a run saw; none where an older version gathered it."""
    return json.loads(row.get("digests") or "{}")
