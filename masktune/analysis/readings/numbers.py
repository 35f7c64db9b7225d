"""The declared comparisons of a study, read elsewhere than at the end of training.

A study that reads its runs at each epoch (`readings = "epochs"`) has the accuracy of every set there; one that trains a
row for several lengths has it at the end of each. `matched` reads the one row where it is as accurate in distribution
as the other at its end: a method that trained less is not compared with one that trained more. `when_read` reads both
at their best epoch by validation in distribution. What a study declares is the last epoch; these are beside it, and
nothing is tested. Accuracies are in per cent, differences in points, intervals those of t over paired seeds: the
examples are fixed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from masktune.analysis.accuracy.numbers import PLACE
from masktune.data import EVALUATION
from masktune.statistics.crossed import mean_over_seeds
from masktune.statistics.intervals import Estimate
from masktune.statistics.matched import read_where
from masktune.study.design.comparisons import Comparison, comparisons
from masktune.study.design.study import Study
from masktune.study.store.stored import READING

ACCURACY = "accuracy/"
LENGTH = "training/epochs"
# With those of training, what two runs share that differ in their length alone.
SETTINGS = {
    "data", "model", "checkpoint", "adaptation", "task", "method", "alpha", "mask_rate", "options", "data_options",
    "pretraining", "seed",
}  # fmt: skip
MATCHED = [
    *PLACE, "method", "against", "seeds", "difference", "low", "high", "matched", "matched_low", "matched_high",
    "beyond", "inside", "against_inside", "against_epoch",
]  # fmt: skip
WHEN_READ = [
    *PLACE, "method", "against", "seeds", "epochs", "last", "last_low", "last_high", "best", "best_low", "best_high",
    "best_epoch", "against_best_epoch",
]  # fmt: skip


@dataclass(frozen=True)
class Course:
    """The readings of one run: `epochs` [E], accuracy in distribution [E], and of each set [E]; its pre-training.

    `family`: a number for the row and seed, where each reading is the end of a training of its own, in which the
    learning rate fell to zero.
    """

    epochs: np.ndarray
    inside: np.ndarray
    sets: dict[str, np.ndarray]
    pretraining: int = 0
    family: int | None = None

    @property
    def best(self) -> int:
        """The reading with the highest accuracy in distribution, the first of several."""
        return int(np.argmax(self.inside))


Courses = dict[tuple[str, str, str], dict[int, Course]]


def courses(study: Study, runs: pd.DataFrame, histories: pd.DataFrame) -> Courses:
    """The readings of every finished run by (label, model, task) and seed.

    Accuracy in distribution is the mean over the sets in distribution, where a task has several. A run that was read
    once, next to others that were read at each epoch, has its last reading; where all were, see `_of_lengths`.
    """
    columns = [column for column in histories if str(column).startswith(READING)]
    done = runs[runs["status"] == "done"]
    if not columns:
        return _of_lengths(study, done)
    found: Courses = {}
    read = histories.dropna(subset=columns, how="all").sort_values(["run_id", "step"])
    by_run = dict(list(read.groupby("run_id", sort=False)))
    for run, (_, stored) in zip(done.itertuples(), done.iterrows(), strict=True):
        if run.run_id in by_run:
            sets, epochs = _sets(by_run[run.run_id], columns), by_run[run.run_id]["epoch"].to_numpy(dtype=float)
        else:
            sets, epochs = _last(stored), np.array([float(stored.get(LENGTH, np.nan))])
        _add(found, study, run, epochs, sets)
    return found


def _of_lengths(study: Study, done: pd.DataFrame) -> Courses:
    """For each run the ends of the shorter trainings of its row and seed, and its own: none where no length varies."""
    found: Courses = {}
    if LENGTH not in done or done[LENGTH].nunique() < 2:
        return found
    same = [column for column in done if column in SETTINGS or str(column).startswith("training/")]
    families = done.groupby([column for column in same if column != LENGTH], dropna=False, sort=False)
    for family, (_, rows) in enumerate(families):
        own = rows.sort_values(LENGTH)
        ends = [_last(stored) for _, stored in own.iterrows()]
        for number, run in enumerate(own.itertuples(), 1):
            known = [name for name in ends[0] if all(name in end for end in ends)]
            sets = {name: np.concatenate([end[name] for end in ends[:number]]) for name in known}
            _add(found, study, run, own[LENGTH].to_numpy(dtype=float)[:number], sets, family)
    return found


def _add(
    found: Courses, study: Study, run: Any, epochs: np.ndarray, sets: dict[str, np.ndarray], family: int | None = None
) -> None:
    inside = [sets[name] for name, kind in _kinds(study, run.task) if kind == "in_distribution" and name in sets]
    if inside:
        course = Course(epochs, np.mean(inside, axis=0), sets, int(getattr(run, "pretraining", 0)), family)
        found.setdefault((run.label, run.model, run.task), {})[int(run.seed)] = course


def _last(run: pd.Series) -> dict[str, np.ndarray]:
    """The accuracy in per cent of each set at the end of a run. [1] each."""
    measured = run[[column for column in run.index if str(column).startswith(ACCURACY)]].dropna()
    return {str(column).removeprefix(ACCURACY): np.array([100 * float(value)]) for column, value in measured.items()}


def _sets(entries: pd.DataFrame, columns: list[str]) -> dict[str, np.ndarray]:
    known = [column for column in columns if entries[column].notna().all()]
    return {column.removeprefix(READING): 100 * entries[column].to_numpy(dtype=float) for column in known}


def _kinds(study: Study, task: str) -> list[tuple[str, str]]:
    return list(EVALUATION[study.data][task].items())


def matched(study: Study, known: Courses) -> pd.DataFrame:
    """A row for each declared comparison out of distribution: at the last epoch, and at equal accuracy in distribution.

    `against` is read where its accuracy in distribution is that of `method` at its end. `inside` and `against_inside`
    are the two accuracies at the end; `beyond` counts the pairs in which `against` never has that accuracy, and its
    nearest reading is taken; `against_epoch` is the mean epoch at which it is read.
    """
    rows = [
        {**_named(*named), **_matched(named[0], pairs)}
        for named, shared in _pairs(study, known)
        if named[0].kind == "out_of_distribution" and (pairs := [pair for pair in shared if _has_course(*pair)])
    ]
    return pd.DataFrame(rows, columns=MATCHED)


def _has_course(method: Course, against: Course) -> bool:
    """Whether `against` can be read elsewhere than at its end: not where the two are one row at two lengths."""
    return against.family is None or (len(against.epochs) > 1 and against.family != method.family)


def _matched(at: Comparison, pairs: list[tuple[Course, Course]]) -> dict[str, Any]:
    read = [read_where(against.inside, against.sets[at.set], method.inside[-1]) for method, against in pairs]
    ends = np.array([[method.sets[at.set][-1], against.sets[at.set][-1]] for method, against in pairs])
    epochs = [
        np.interp(one.position, range(len(against.epochs)), against.epochs)
        for one, (_, against) in zip(read, pairs, strict=True)
    ]
    started = np.array([method.pretraining for method, _ in pairs])
    return {
        "seeds": len(pairs), **_estimate("difference", mean_over_seeds(ends[:, 0] - ends[:, 1], started), ""),
        **_estimate("matched", mean_over_seeds(ends[:, 0] - [one.value for one in read], started), "matched_"),
        "beyond": sum(one.beyond for one in read), "inside": float(np.mean([method.inside[-1] for method, _ in pairs])),
        "against_inside": float(np.mean([against.inside[-1] for _, against in pairs])),
        "against_epoch": float(np.mean(epochs)),
    }  # fmt: skip


def when_read(study: Study, known: Courses) -> pd.DataFrame:
    """A row for each declared comparison of runs that were read at each epoch: at the last, and each at its best.

    In distribution the best epoch is chosen on the set that is scored, so that its accuracy there flatters both rows.
    """
    several = {
        row: {seed: course for seed, course in own.items() if len(course.epochs) > 1 and course.family is None}
        for row, own in known.items()
    }
    rows = [{**_named(*named), **_when_read(named[0], pairs)} for named, pairs in _pairs(study, several)]
    return pd.DataFrame(rows, columns=WHEN_READ)


def _when_read(at: Comparison, pairs: list[tuple[Course, Course]]) -> dict[str, Any]:
    def gaps(best: bool) -> np.ndarray:
        return np.array(
            [method.sets[at.set][method.best if best else -1] - against.sets[at.set][against.best if best else -1]
             for method, against in pairs]
        )  # fmt: skip

    started = np.array([method.pretraining for method, _ in pairs])
    return {
        "seeds": len(pairs), "epochs": max(len(course.epochs) for pair in pairs for course in pair),
        **_estimate("last", mean_over_seeds(gaps(False), started), "last_"),
        **_estimate("best", mean_over_seeds(gaps(True), started), "best_"),
        "best_epoch": float(np.mean([method.epochs[method.best] for method, _ in pairs])),
        "against_best_epoch": float(np.mean([against.epochs[against.best] for _, against in pairs])),
    }  # fmt: skip


def _pairs(study: Study, known: Courses) -> Iterator[tuple[tuple[Comparison, str, str], list[tuple[Course, Course]]]]:
    """Every declared comparison once, with the readings of both rows on the seeds that have them."""
    declared = {
        (at.model, at.task, at.set, claim.method, claim.against): (at, claim.method, claim.against)
        for claim in study.claims
        for at in comparisons(study, claim)
    }
    for at, method, against in declared.values():
        first, second = (known.get((label, at.model, at.task), {}) for label in (method, against))
        shared = [(first[seed], second[seed]) for seed in at.seeds if seed in first and seed in second]
        pairs = [pair for pair in shared if all(at.set in course.sets for course in pair)]
        if pairs:
            yield (at, method, against), pairs


def _named(at: Comparison, method: str, against: str) -> dict[str, str]:
    return {"task": at.task, "model": at.model, "set": at.set, "kind": at.kind, "method": method, "against": against}


def _estimate(name: str, estimate: Estimate, prefix: str) -> dict[str, float]:
    return {name: estimate.mean, f"{prefix}low": estimate.low, f"{prefix}high": estimate.high}
