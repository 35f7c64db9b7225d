"""The files in predictions/: their columns, their pages, and logits that are rounded where a study asks for it.

They are published with the study, so they are made small: the ids of the examples repeat from run to run, and a page
that holds several runs stores them once. A long study has several files, none too large to be published.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from errno import ENOENT
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

if TYPE_CHECKING:
    import pyarrow

# They are the same bytes wherever the runs were read from.
RUNS_OF_A_ROW_GROUP = 200
ROWS_OF_A_FILE = 2**21
LARGEST_PAGE = 2**25  # bytes, or rows: a page holds many runs
STEPS = 8  # of rounded logits, to their standard deviation
NAMES = ("run_id", "set", "kind", "example_id", "cluster_id", "group")
NUMBERS = ("label", "prediction")


def schema() -> "pyarrow.Schema":
    """The columns of the files in predictions/."""
    import pyarrow

    numbers = ((name, pyarrow.int16()) for name in NUMBERS)
    return pyarrow.schema(
        [*((name, pyarrow.string()) for name in NAMES), *numbers, ("logits", pyarrow.list_(pyarrow.float32()))]
    )


def round_logits(answers: "pyarrow.Table") -> "pyarrow.Table":
    """The predictions of a run with each logit as its difference from that of class 0, in steps that the run shares.

    A step is the power of two that is at most an eighth of the differences' standard deviation, and a difference
    becomes the middle of its step: zero is the edge of two, so whether class 0 wins stays as it was. Probabilities do
    not depend on what is subtracted from all logits of an example.
    """
    import pyarrow

    lists = answers["logits"].combine_chunks()
    logits = lists.flatten().to_numpy().reshape(len(lists), -1).astype(numpy.float64)
    differences = logits - logits[:, :1]
    if spread := differences[:, 1:].std():  # none where every example has the same answer: few numbers already
        step = 2.0 ** numpy.floor(numpy.log2(spread / STEPS))
        differences[:, 1:] = (numpy.floor(differences[:, 1:] / step) + 0.5) * step
    rounded = pyarrow.ListArray.from_arrays(lists.offsets, pyarrow.array(differences.ravel(), pyarrow.float32()))
    return answers.set_column(answers.schema.get_field_index("logits"), "logits", rounded)


def files(folder: Path) -> list[Path]:
    """The files of a folder of predictions, in their order. Raises FileNotFoundError where there is none."""
    if not (found := sorted(folder.glob("[!.]*.parquet"))):
        raise FileNotFoundError(ENOENT, "no Parquet file in it", str(folder))
    return found


class Writer:
    """Writes the predictions of one run after the other to numbered files; a row group holds runs of one task.

    `open_file` opens the file of a number.
    """

    def __init__(self, open_file: "Callable[[int], pyarrow.parquet.ParquetWriter]"):
        self._open_file = open_file
        self._number = 0
        self._file = open_file(0)
        self._rows = 0  # of this file, with those that wait
        self._task = ""
        self._waiting: list[pyarrow.Table] = []

    def add(self, task: str, answers: "pyarrow.Table") -> None:
        """The next run, a table of `schema`."""
        if self._rows and self._rows + len(answers) > ROWS_OF_A_FILE:
            self.close()
            self._number += 1
            self._file, self._rows = self._open_file(self._number), 0
        elif task != self._task or len(self._waiting) == RUNS_OF_A_ROW_GROUP:
            self._flush()
        self._task = task
        self._rows += len(answers)
        self._waiting.append(answers)

    def close(self) -> None:
        """Write what is held, and close the file."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        import pyarrow

        if self._waiting:
            table = pyarrow.concat_tables(self._waiting)
            self._file.write_table(table, max(len(table), 1))
        self._waiting = []


@contextmanager
def writing(folder: Path, rounded: bool) -> Iterator[Writer]:
    """A writer of files in `folder`; `rounded` says that the logits are, which few numbers then spell."""
    import pyarrow.parquet

    by_value = [*NAMES, *NUMBERS]
    options: dict[str, Any] = {"use_dictionary": [*by_value, "logits.list.element"]}
    if not rounded:
        options = {"use_dictionary": by_value, "column_encoding": {"logits.list.element": "BYTE_STREAM_SPLIT"}}
    options |= {"dictionary_pagesize_limit": LARGEST_PAGE, "data_page_size": LARGEST_PAGE}
    if "max_rows_per_page" in signature(pyarrow.parquet.ParquetWriter).parameters:  # before, nothing limited the rows
        options["max_rows_per_page"] = LARGEST_PAGE
    options |= {"compression": "zstd", "compression_level": 9}

    writer = Writer(lambda number: pyarrow.parquet.ParquetWriter(folder / f"{number:02}.parquet", schema(), **options))
    with closing(writer):
        yield writer
