"""The folder of a training: what it is of, its finished runs, and what is written from them.

    training.json       the settings, and what decides the result: files, checkpoint, method
    runs/METHOD/seed-N  a finished run: run.json, logits.npz, and the model where it may still be chosen
    model               the chosen model, a plain transformers classifier with its card
    report.html, results.json

A run is written beside its place and renamed when it is whole. A command that would make other runs than those that are
there is refused.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from masktune import files
from masktune.errors import MaskTuneError
from masktune.own.settings import Settings, difference

RECORD = "training.json"
LOCK = ".in-use"
RUN, LOGITS, MODEL = "run.json", "logits.npz", "model"


@dataclass(frozen=True)
class Run:
    """One finished training: `logits` [n, C] of each part but the train part, from the epoch that validated best.

    `score` is what that epoch reached on the validation part, `curve` the score and loss by epoch, `losses` the train
    loss by share of an epoch; `perturbed` says what a method made of train texts, where it makes anything of them.
    """

    method: str
    seed: int
    epoch: int
    score: float
    curve: list[dict[str, float]]
    losses: list[dict[str, float]]
    seconds: float
    precision: str
    logits: dict[str, np.ndarray]
    perturbed: dict[str, Any] | None = None


class Folder:
    """The folder of one training. Made if it is not there; `claimed` holds it against a second process."""

    def __init__(self, place: str | Path):
        self.place = Path(place).expanduser()

    @property
    def model(self) -> Path:
        """Where the chosen model goes."""
        return self.place / MODEL

    @property
    def report(self) -> Path:
        """The page of the results."""
        return self.place / "report.html"

    @property
    def results(self) -> Path:
        """The numbers of the page."""
        return self.place / "results.json"

    def run(self, method: str, seed: int) -> Path:
        """Where a run goes."""
        return self.place / "runs" / method / f"seed-{seed}"

    def check(self) -> None:
        """Raise MaskTuneError for a place that is taken by something else. Writes nothing."""
        if self.place.exists() and not self.place.is_dir():
            raise MaskTuneError(f"--output {self.place} is a file; name a new folder")
        if self.place.is_dir() and not (self.place / RECORD).is_file() and any(self.place.glob("[!.]*")):
            raise MaskTuneError(f"--output {self.place} holds other files; name a new folder, or one of this command")

    @contextmanager
    def claimed(self, settings: Settings, identity: Mapping[str, Any]) -> Iterator[None]:
        """Within the block this process alone writes here. What an interrupted one left is removed.

        Raises MaskTuneError where the folder holds runs of other settings, data or checkpoints, and where another
        process is at work.
        """
        self.check()
        self.place.mkdir(parents=True, exist_ok=True)
        with (self.place / LOCK).open("w") as lock:
            _lock(lock, self.place)
            try:
                self._keep(settings, identity)
                for left in self.place.glob("runs/*/.seed-*"):
                    shutil.rmtree(left, ignore_errors=True)
                yield
            finally:
                (self.place / LOCK).unlink(missing_ok=True)

    def _keep(self, settings: Settings, identity: Mapping[str, Any]) -> None:
        record = self.place / RECORD
        own = json.loads(json.dumps(identity))  # as it will be read: tuples are lists
        if record.is_file():
            try:
                before = json.loads(record.read_text())["identity"]
            except (ValueError, KeyError, TypeError):
                raise MaskTuneError(f"{record} cannot be read; remove {self.place}, or name another --output") from None
            changed = difference(before, own)
            if changed:
                raise MaskTuneError(
                    f"{self.place} holds another training ({changed}); name another --output, or remove that folder"
                )
        content = {"command": settings.command(), "settings": asdict(settings), "identity": own}
        files.write_file(record, json.dumps(content, indent=1) + "\n")

    def is_done(self, method: str, seed: int) -> bool:
        """Whether the run is there."""
        return (self.run(method, seed) / RUN).is_file()

    def read(self, method: str, seed: int) -> Run:
        """A finished run. Raises MaskTuneError for one that is damaged."""
        folder = self.run(method, seed)
        try:
            record = json.loads((folder / RUN).read_text())
            with np.load(folder / LOGITS) as stored:
                return Run(**record, logits={name: stored[name] for name in stored.files})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise MaskTuneError(
                f"{folder} is damaged ({error}); remove it, and the same command makes it anew"
            ) from None


def write_run(folder: Path, run: Run) -> None:
    """Store what a run gave in an empty folder."""
    record = {name: value for name, value in asdict(run).items() if name != "logits"}
    np.savez(folder / LOGITS, **run.logits)  # type: ignore[arg-type]  # numpy's own option has another type
    (folder / RUN).write_text(json.dumps(record, indent=1) + "\n")


def _lock(file: Any, place: Path) -> None:
    """Hold the file until it is closed, where the system has such locks."""
    with suppress(ImportError):
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MaskTuneError(
                f"another masktune train writes to {place}; wait for it, or name another --output"
            ) from None
