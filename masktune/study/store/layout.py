"""The file predictions.parquet: its columns, its pages, and logits that are rounded where a study asks for it.

It is published with the study, so it is made small: the ids of the examples repeat from run to run, and a page that
holds several runs stores them once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

if TYPE_CHECKING:
    import pyarrow

# It is the same bytes wherever the runs were read from.
RUNS_OF_A_ROW_GROUP = 200
ROWS_OF_A_ROW_GROUP = 2**21
LARGEST_PAGE = 2**25  # bytes, or rows: a page holds many runs
STEPS = 8  # of rounded logits, to their standard deviation
NAMES = ("run_id", "set", "kind", "example_id", "cluster_id", "group")
NUMBERS = ("label", "prediction")


def schema() -> "pyarrow.Schema":
    """The columns of predictions.parquet."""
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


class Writer:
    """Writes the predictions of one run after the other; a row group holds runs of one task."""

    def __init__(self, file: Any):
        self._file = file
        self._task = ""
        self._waiting: list[pyarrow.Table] = []

    def add(self, task: str, answers: "pyarrow.Table") -> None:
        """The next run, a table of `schema`."""
        if task != self._task or len(self._waiting) == RUNS_OF_A_ROW_GROUP:
            self.flush()
        self._task = task
        self._waiting.append(answers)

    def flush(self) -> None:
        """Write what is held."""
        import pyarrow

        if self._waiting:
            self._file.write_table(pyarrow.concat_tables(self._waiting), ROWS_OF_A_ROW_GROUP)
        self._waiting = []


@contextmanager
def writing(path: Path, rounded: bool) -> Iterator[Writer]:
    """A writer of the file at `path`; `rounded` says that the logits are, which few numbers then spell."""
    import pyarrow.parquet

    by_value = [*NAMES, *NUMBERS]
    options: dict[str, Any] = {"use_dictionary": [*by_value, "logits.list.element"]}
    if not rounded:
        options = {"use_dictionary": by_value, "column_encoding": {"logits.list.element": "BYTE_STREAM_SPLIT"}}
    options |= {"dictionary_pagesize_limit": LARGEST_PAGE, "data_page_size": LARGEST_PAGE}
    if "max_rows_per_page" in signature(pyarrow.parquet.ParquetWriter).parameters:  # before, nothing limited the rows
        options["max_rows_per_page"] = LARGEST_PAGE
    with pyarrow.parquet.ParquetWriter(path, schema(), compression="zstd", compression_level=9, **options) as file:
        writer = Writer(file)
        yield writer
        writer.flush()
