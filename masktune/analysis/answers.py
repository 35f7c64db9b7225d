"""From stored frames to arrays: a block holds the answers of every method and seed on one evaluation set.

A block is one model x task x evaluation set. Everything the tables say is a function of blocks, and blocks are a
function of `runs` (a row a run) and `predictions` (a row an answer) alone.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import softmax

from masktune.analysis import names
from masktune.errors import MaskTuneError

_KIND_ORDER = tuple(names.KINDS)
NO_NUMBER = "an accuracy or a logit of it is no finite number"
LOPSIDED = 0.05  # the commonest answer scores more than chance by more than this: accuracy alone then misleads


@dataclass(frozen=True)
class Answers:
    """What one method answered: `predictions` [S, n] for `seeds` [S]; `logits` [S, n, number of classes] on demand.

    `pretrainings` [S] says which pre-training each seed started from; none are given where all had the same.
    """

    method: str
    seeds: tuple[int, ...]
    predictions: np.ndarray
    frames: tuple[pd.DataFrame, ...]
    pretrainings: tuple[int, ...] = ()

    def started_from(self, seeds: Iterable[int]) -> np.ndarray:
        """The pre-training of each of these seeds."""
        known = dict(zip(self.seeds, self.pretrainings, strict=False))
        return np.array([known.get(seed, 0) for seed in seeds])

    @property
    def logits(self) -> np.ndarray:
        flat = np.concatenate([np.concatenate(frame["logits"].to_numpy()) for frame in self.frames])
        return flat.reshape(*self.predictions.shape, -1).astype(float)


@dataclass(frozen=True)
class Block:
    """One model x task x set: `labels`, `clusters`, `groups` [n], and the answers of each method."""

    model: str
    task: str
    name: str
    kind: str
    labels: np.ndarray
    clusters: np.ndarray
    groups: np.ndarray
    answers: tuple[Answers, ...]

    @property
    def place(self) -> dict[str, str]:
        """The columns that say where a row of a table belongs."""
        return {"task": self.task, "model": self.model, "set": self.name, "kind": self.kind}

    def correct(self, answers: Answers) -> np.ndarray:
        """Right or wrong. bool [S, n]."""
        return answers.predictions == self.labels

    def confidences(self, answers: Answers) -> np.ndarray:
        """The probability that each run gave to its own answer. [S, n].

        Classes that the set does not distinguish (HANS: neutral and contradiction) count together.
        """
        probabilities = softmax(answers.logits, axis=-1)
        last = int(max(self.labels.max(), answers.predictions.max()))
        folded = np.concatenate([probabilities[..., :last], probabilities[..., last:].sum(-1, keepdims=True)], axis=-1)
        return np.take_along_axis(folded, answers.predictions[..., None], axis=-1)[..., 0]

    def select_methods(self, methods: Collection[str]) -> "Block":
        """The same block with the answers of these methods alone."""
        return replace(self, answers=tuple(answers for answers in self.answers if answers.method in methods))

    @property
    def chance(self) -> float:
        """The accuracy of guessing among the classes of the set."""
        return 1 / len(np.unique(self.labels))

    @property
    def majority(self) -> float:
        """The accuracy of always giving the commonest answer."""
        return float(np.unique(self.labels, return_counts=True)[1].max() / len(self.labels))

    @property
    def is_lopsided(self) -> bool:
        """Whether a constant answer scores so much more than chance that accuracy alone misleads."""
        return self.majority - self.chance > LOPSIDED

    def pair(self, first: str, second: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Right or wrong of two methods on the seeds that both finished, bool [S, n] each; None without any."""
        by_method = {answers.method: answers for answers in self.answers}
        if first not in by_method or second not in by_method:
            return None
        one, other = by_method[first], by_method[second]
        shared = self.shared_seeds(first, second)
        if not shared:
            return None
        first_right, second_right = (
            self.correct(answers)[[answers.seeds.index(seed) for seed in shared]] for answers in (one, other)
        )
        return first_right, second_right

    def shared_seeds(self, *methods: str) -> list[int]:
        """The seeds that all of these methods finished, in order."""
        finished = [set(answers.seeds) for answers in self.answers if answers.method in methods]
        return sorted(set.intersection(*finished)) if len(finished) == len(set(methods)) else []

    def pretrainings(self, *methods: str) -> np.ndarray:
        """Which pre-training each of the shared seeds started from, the same for all these methods. [S]."""
        answers = next(answers for answers in self.answers if answers.method in methods)
        return answers.started_from(self.shared_seeds(*methods))


def fail_runs_without_numbers(runs: pd.DataFrame, predictions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same runs and predictions; a run with an accuracy or a logit that is no finite number counts as failed."""
    answered = set(predictions[["run_id", "set"]].drop_duplicates().itertuples(index=False, name=None))
    broken = set(predictions.loc[_not_finite(predictions["logits"]), "run_id"])
    for column in (column for column in runs if column.startswith("accuracy/")):
        name, none = column.removeprefix("accuracy/"), ~np.isfinite(runs[column].astype(float))
        broken |= {run for run in runs.loc[none, "run_id"] if (run, name) in answered}
    if not broken:
        return runs, predictions
    failed = runs["run_id"].isin(broken) & (runs["status"] == "done")
    runs = runs.assign(status=runs["status"].mask(failed, "failed"), error=runs["error"].mask(failed, NO_NUMBER))
    return runs, predictions[~predictions["run_id"].isin(broken)]


def _not_finite(logits: pd.Series) -> np.ndarray:
    """Which answers have a logit that is no finite number. bool [n]."""
    if logits.empty:
        return np.zeros(0, dtype=bool)
    sizes = logits.str.len().to_numpy()
    wrong = ~np.isfinite(np.concatenate(logits.to_numpy()))
    return np.add.reduceat(wrong, np.cumsum(sizes) - sizes) > 0 if wrong.any() else np.zeros(len(logits), dtype=bool)


def blocks(runs: pd.DataFrame, predictions: pd.DataFrame) -> list[Block]:
    """All blocks of the finished runs, ordered by task, model, kind and set.

    Raises MaskTuneError when two runs answered different examples of one set, which no comparison survives.
    """
    done = runs[runs["status"] == "done"]
    order = names.methods_in_order(runs)
    collected = []
    for (task, model), members in done.groupby(["task", "model"], sort=False, observed=True):
        own = predictions[predictions["run_id"].isin(members["run_id"])]
        for name, rows in own.groupby("set", sort=False, observed=True):
            collected.append(_block(str(model), str(task), str(name), members, rows, order))
    models = list(dict.fromkeys(runs["model"]))
    tasks = [*names.TASKS, *dict.fromkeys(runs["task"])]
    key = lambda block: (tasks.index(block.task), models.index(block.model), _KIND_ORDER.index(block.kind))  # noqa: E731
    return sorted(collected, key=key)


def _block(model: str, task: str, name: str, runs: pd.DataFrame, answers: pd.DataFrame, order: list[str]) -> Block:
    by_run = {
        run_id: rows.sort_values("example_id", kind="stable")
        for run_id, rows in answers.groupby("run_id", sort=False, observed=True)
    }
    reference = next(iter(by_run.values()))
    for run_id, rows in by_run.items():
        _same_examples(reference, rows, str(run_id), name)
    by_method = tuple(
        _answers(label, members, by_run) for label in order if len(members := _runs_of(runs, label, by_run))
    )
    return Block(
        model=model,
        task=task,
        name=name,
        kind=str(reference["kind"].iloc[0]),
        labels=reference["label"].to_numpy(dtype=int),
        clusters=np.asarray(reference["cluster_id"].astype(object)),
        groups=np.asarray(reference["group"].astype(object)),
        answers=by_method,
    )


def _runs_of(runs: pd.DataFrame, label: str, by_run: dict) -> pd.DataFrame:
    """The runs of one method that answered the set, by seed."""
    return runs[(runs["label"] == label) & runs["run_id"].isin(list(by_run))].sort_values("seed")


def _answers(label: str, members: pd.DataFrame, by_run: dict[str, pd.DataFrame]) -> Answers:
    frames = tuple(by_run[run_id] for run_id in members["run_id"])
    predictions = np.stack([frame["prediction"].to_numpy(dtype=int) for frame in frames])
    started = tuple(map(int, members["pretraining"])) if "pretraining" in members else ()
    return Answers(label, tuple(int(seed) for seed in members["seed"]), predictions, frames, started)


def _same_examples(reference: pd.DataFrame, rows: pd.DataFrame, run_id: str, name: str) -> None:
    same = len(rows) == len(reference) and all(
        np.array_equal(rows[column].astype(object), reference[column].astype(object))
        for column in ("example_id", "label")
    )
    if not same:
        raise MaskTuneError(
            f"run {run_id!r} answered other examples of {name!r} than the first run ({len(rows)} rows, not "
            f"{len(reference)}); rename its folder, run the study again and gather"
        )
