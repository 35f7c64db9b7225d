"""Is a change of the source neutral? Train some stored runs again and compare every logit with the stored one.

    python -m masktune neutral embedded --runs 6

Stored runs are those with a folder here, and those that were gathered before. Runs are drawn by the hash of their ids,
a label at a time, so that nobody chooses them and every label has its turn. They are trained in this process and stored
nowhere; what a method asks to know of each example is made again in a scratch cache, and so are the checkpoints if that
is asked for: else they are taken from the cache, and what is checked is the training from there.
"""

import contextlib
import math
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy
import torch

from masktune import cache
from masktune.errors import MaskTuneError
from masktune.files import digest
from masktune.study.design.cells import Cell
from masktune.study.design.study import Study
from masktune.study.paths import folder
from masktune.study.run import environment, training
from masktune.study.store import gather, neutral, previous, runs
from masktune.study.store.neutral import Neutral

if TYPE_CHECKING:
    import pyarrow

MADE_ON = ("processor", "device", "threads", "precision")  # what may change bits, and is no change of the source


@dataclass(frozen=True)
class StoredRun:
    """A run that is stored: which it is, by which source and on what it was made; `answers` reads its predictions."""

    cell: Cell
    seed: int
    source: str
    made_on: dict[str, object]
    answers: "Callable[[], pyarrow.Table]"

    @property
    def run_id(self) -> str:
        return self.cell.run_id(self.seed)

    @property
    def title(self) -> str:
        """How a message calls the run."""
        return f"run {self.run_id} ({self.cell.label}, {self.cell.model.name}, {self.cell.task}, seed {self.seed})"


def check(study: Study, count: int, make_checkpoints: bool = False) -> list[Neutral]:
    """Train `count` runs of every other source again and record the sources whose runs all come out the same.

    Raises MaskTuneError where nothing is stored by another source, and, recording nothing, at the first run that
    differs: which it is, how many logits differ and by how much.
    """
    changes = []
    for source, drawn in _draw(study, count).items():
        for stored in drawn:
            with _scratch(make_checkpoints):
                _compare(stored, _train(stored))
        ids, checkpoints = tuple(stored.run_id for stored in drawn), "made again" if make_checkpoints else "cached"
        today = training.read_source(drawn[0].cell)
        on = "; ".join(sorted({_describe(stored.made_on) for stored in drawn}))
        changes.append(Neutral(source, today, date.today().isoformat(), study.name, checkpoints, ids, on))
    for change in changes:
        neutral.add(change)
    return changes


def _draw(study: Study, count: int) -> dict[str, list[StoredRun]]:
    """By source, runs to train again; of sources that are known to give what today's gives, none."""
    by_source: dict[str, list[StoredRun]] = {}
    same, seen = neutral.representatives(neutral.read()), 0
    for stored in find_stored(study):
        seen += 1
        today = training.read_source(stored.cell)
        if same.get(stored.source, stored.source) != same.get(today, today):
            by_source.setdefault(stored.source, []).append(stored)
    if not seen:
        raise MaskTuneError(
            f"{study.name} has no stored run that says by which source it was made; run: python -m masktune run "
            f"{study.name}"
        )
    if not by_source:
        raise MaskTuneError(
            f"all {seen} stored runs of {study.name} are by the source of today, or by one that gives the same: there "
            "is nothing to check"
        )
    return {source: draw(members, count) for source, members in by_source.items()}


def draw(members: Iterable[StoredRun], count: int) -> list[StoredRun]:
    """At most `count` of the runs: by the hash of their ids, each label once, then each a second time, and so on."""
    taken: Counter[str] = Counter()
    ranked = []
    for stored in sorted(members, key=lambda stored: digest(stored.run_id)):
        ranked.append((taken[stored.cell.label], digest(stored.run_id), stored))
        taken[stored.cell.label] += 1
    return [stored for *_, stored in sorted(ranked, key=lambda row: row[:2])[:count]]


def find_stored(study: Study) -> Iterator[StoredRun]:
    """The runs of the study that are done and say by which source they were made."""
    declared = {cell.run_id(seed): (cell, seed) for cell in study.cells for seed in cell.seeds}
    here = runs.find_done(study.name, declared)
    target = folder(study.name)
    rows = previous.read_rows(target / previous.RUNS, [run_id for run_id in declared if run_id not in here])
    answers = previous.Predictions(target / gather.PREDICTIONS) if rows else None
    for run_id, (cell, seed) in declared.items():
        if run_id in here and (stored := runs.read(study.name, run_id)) is not None:
            made_with = stored.record("environment")
            made_with["processor"] = (stored.record("cost").get("hardware") or {}).get("processor")
            read = partial(_read, study.name, run_id)
        elif answers is not None and run_id in rows:
            made_with, read = rows[run_id], partial(answers.of, run_id)
        else:
            continue
        if made_with.get("source"):
            made_on = {name: made_with.get(name) for name in MADE_ON}
            yield StoredRun(cell, seed, made_with["source"], made_on, read)


def _read(study: str, run_id: str) -> "pyarrow.Table":
    stored = runs.read(study, run_id)
    if stored is None:
        raise MaskTuneError(f"run {run_id} of {study} is gone; try again")
    return stored.predictions()


def _train(stored: StoredRun) -> "pyarrow.Table":
    """The answers of the run as the code of today gives them, with as many threads."""
    own = torch.get_num_threads()
    try:
        torch.set_num_threads(threads_of(stored.made_on) or own)
        _, answers = training.train_seed(training.load_inputs(replace(stored.cell, seeds=(stored.seed,))), stored.seed)
    finally:
        torch.set_num_threads(own)
    return answers


def threads_of(made_on: Mapping[str, object]) -> int:
    """With how many threads a run was made; 0 where it does not say.

    A column of gathered rows in which some have no number holds the others as fractions.
    """
    threads = made_on.get("threads")
    return int(threads) if isinstance(threads, int | float) and not math.isnan(threads) else 0


def _compare(stored: StoredRun, again: "pyarrow.Table") -> None:
    """Raise MaskTuneError unless both are the same answers to the same examples to the bit."""
    kept = stored.answers()
    for column in ("set", "example_id", "label"):
        if kept[column].to_pylist() != again[column].to_pylist():
            raise MaskTuneError(f"{stored.title} answered other examples ({column}); the source changed the data")
    before, after = (logits_of(table) for table in (kept, again))
    if before.shape != after.shape:
        raise MaskTuneError(f"{stored.title} has {len(after):,} logits, stored are {len(before):,}; not recorded")
    if before.tobytes() != after.tobytes():
        different, most = before != after, numpy.abs(before - after).max()
        raise MaskTuneError(
            f"{stored.title} differs: {different.sum():,} of {before.size:,} logits, by {most:.3g} at most; "
            f"the change is not neutral and nothing is recorded{_elsewhere(stored)}"
        )


def logits_of(answers: "pyarrow.Table") -> numpy.ndarray:
    """All logits of a run, float32, one example after the other."""
    return answers["logits"].combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(numpy.float32)


def _describe(made_on: Mapping[str, object]) -> str:
    """`cpu, AMD EPYC`."""
    return ", ".join(str(made_on[name]) for name in ("device", "processor") if made_on.get(name))


def _elsewhere(stored: StoredRun) -> str:
    """What a message says where the run was made on another processor or GPU: the bits may differ for that alone."""
    here = environment.hardware()
    now = {"processor": here["processor"], "device": here["gpu"] or "cpu"}
    other = {name: stored.made_on[name] for name, value in now.items() if stored.made_on[name] not in (None, value)}
    said = " and ".join(f"{name} {made!r}, here {now[name]!r}" for name, made in other.items())
    return f" (it was made on another machine, {said}: check there)" if said else ""


@contextlib.contextmanager
def _scratch(make_checkpoints: bool) -> Iterator[None]:
    """An empty cache for the time of the block, with the checkpoints of the usual one unless they are made again."""
    kept, before = cache.root() / "checkpoints", os.environ.get("MASKTUNE_CACHE")
    with tempfile.TemporaryDirectory(prefix="masktune-neutral-") as scratch:
        if not make_checkpoints:
            kept.mkdir(parents=True, exist_ok=True)
            (Path(scratch) / kept.name).symlink_to(kept.resolve(), target_is_directory=True)
        os.environ["MASKTUNE_CACHE"] = scratch
        try:
            yield
        finally:
            if before is None:
                del os.environ["MASKTUNE_CACHE"]
            else:
                os.environ["MASKTUNE_CACHE"] = before
