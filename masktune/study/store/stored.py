"""A run folder as it is read: what was stored, unchanged, and a result.

Whoever reads a run asks two things of it. Every file is the one whose sha256 is in DONE, and run.json is that of
the run that the folder is named after: else the run is damaged. And the run is a result: else it failed.

A result is a model that can be asked about a text: all its logits are finite, so are the losses of its training log,
and its logits are not the same for every example of every set. After divergence (a learning rate of 0.999) they are,
but for rounding, which differs with the shape of a batch: such a model no longer reads its input. No label and no
accuracy is looked at, so that a run which is merely bad stays a result.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masktune.errors import MaskTuneError
from masktune.files import digest

if TYPE_CHECKING:
    import numpy
    import pyarrow

RECORDS = ("run", "metrics", "environment", "cost", "history")
PREDICTIONS = "predictions.parquet"
FILES = (*(f"{name}.json" for name in RECORDS), PREDICTIONS)
DONE = "DONE"
ROUNDING = 1e-6  # a few units of rounding of a logit in 32 bits, as a share of the largest
READING = "reading/"  # with the name of a set, in a training log: its accuracy (a share) at the end of an epoch
# What Trainer logs together: where the first is present, the second must be a finite number.
LOGGED = {"learning_rate": "loss", "eval_accuracy": "eval_loss", "total_flos": "train_loss"}
REMEDY = "lower the learning rate, or clip gradients by max_grad_norm"


class Damaged(MaskTuneError):
    """A file of the run is not what was stored. The message begins with its name."""


class NoResult(MaskTuneError):
    """The run diverged: its numbers are not finite, or its model no longer reads its input."""


@dataclass(frozen=True)
class Stored:
    """The content of a run folder, by name of file, as it was stored."""

    content: Mapping[str, bytes]

    def record(self, name: str) -> Any:
        """The value of a JSON file by its name in RECORDS. Raises Damaged where it is no JSON."""
        return _parse(f"{name}.json", self.content[f"{name}.json"])

    def predictions(self, columns: Iterable[str] | None = None) -> "pyarrow.Table":
        """The stored predictions. Raises Damaged where they cannot be read."""
        import pyarrow.parquet

        try:
            file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(self.content[PREDICTIONS]), pre_buffer=False)
            return file.read(columns=None if columns is None else list(columns), use_threads=False)
        except (OSError, KeyError, pyarrow.ArrowException) as error:
            raise Damaged(f"{PREDICTIONS} cannot be read ({' '.join(str(error).split())})") from None


def open_run(path: Path) -> Stored:
    """Read the folder of a run. Raises Damaged where a file of it is not what was stored."""
    digests = _parse(DONE, _read_bytes(path, DONE))
    if not isinstance(digests, dict):
        raise Damaged(f"{DONE} holds no digests")
    content = {name: _read_bytes(path, name) for name in FILES}
    for name, data in content.items():
        if digest(data) != digests.get(name):
            raise Damaged(f"{name} is not what was stored")
    run = _parse("run.json", content["run.json"])
    if not isinstance(run, dict) or run.get("run_id") != path.name:
        raise Damaged("run.json is that of another run")
    return Stored(content)


def check_run(path: Path) -> None:
    """Raise Damaged or NoResult unless the folder holds a whole run that is a result."""
    run = open_run(path)
    check_result(run.predictions(["logits"])["logits"], run.record("history"))


def check_result(logits: "pyarrow.ChunkedArray", history: Iterable[Mapping[str, Any]]) -> None:
    """Raise NoResult unless the logits [examples, classes] and the losses of the training log are those of a result."""
    import numpy
    from pyarrow import compute

    for entry in history:
        _check_losses(entry)
    if not len(logits):
        raise NoResult("there are no predictions; give the task an evaluation set")
    numbers = logits.combine_chunks()
    values, example = numbers.flatten().to_numpy(zero_copy_only=False), compute.list_parent_indices(numbers).to_numpy()
    if lost := len(numpy.unique(example[~numpy.isfinite(values)])):
        raise NoResult(f"the logits of {lost} of {len(numbers)} examples are not finite: training diverged; {REMEDY}")
    if len(numbers) > 1 and _are_same(values, compute.list_value_length(numbers).to_numpy()):
        raise NoResult(
            f"the logits of all {len(numbers)} examples are the same, {numbers[0].as_py()}: training diverged until "
            f"the model no longer reads its input; {REMEDY}"
        )


def _are_same(values: "numpy.ndarray", sizes: "numpy.ndarray") -> bool:
    """Whether the logits of all examples are the same within rounding. `sizes`: how many each of them has."""
    if (sizes != sizes[0]).any():
        return False
    by_class = values.reshape(len(sizes), -1)
    return bool((by_class.max(axis=0) - by_class.min(axis=0) <= ROUNDING * max(1.0, abs(values).max())).all())


def _check_losses(entry: Mapping[str, Any]) -> None:
    """Of an entry of a training log. In JSON null replaces a number that is not finite."""
    names = {name for name in entry if name.startswith("loss") or name in LOGGED.values()}
    names |= {loss for other, loss in LOGGED.items() if entry.get(other) is not None}
    for name in sorted(names):
        value = entry.get(name)
        if value is None or not math.isfinite(value):
            raise NoResult(f"{name} is not finite at step {entry.get('step')}: training diverged; {REMEDY}")


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        return (path / name).read_bytes()
    except FileNotFoundError:
        raise Damaged(f"{name} is missing") from None
    except OSError as error:
        raise Damaged(f"{name} cannot be read ({error.strerror or error})") from None


def _parse(name: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise Damaged(f"{name} cannot be read ({error})") from None
