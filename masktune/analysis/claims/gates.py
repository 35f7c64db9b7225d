"""The declared gates of a study on its stored runs: what trained, which sets can tell, which remedies help.

`statistics.gates` judges; `study.design.gates` says what was asked for; `verdicts` says what follows for a claim.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from masktune.analysis.accuracy.numbers import PLACE, compare
from masktune.analysis.answers import Answers, Block
from masktune.analysis.claims.verdicts import CONTROL_FAILED, DID_NOT_TRAIN, NOT_TESTABLE
from masktune.analysis.formatting import interval
from masktune.methods import METHODS
from masktune.methods.base import ClassificationLoss
from masktune.statistics import crossed
from masktune.statistics.gates import FAILED, can_tell, did_train, final_loss, gains
from masktune.study.design.claims import Claim
from masktune.study.design.comparisons import Comparison
from masktune.study.design.gates import Gates
from masktune.study.design.study import Study

LOSS = "loss_classification"
CONTROL, REMEDY = "control", "remedy"
ROW = ["method", "model", "task"]
NO_GATES, NO_CONTROL, NO_REMEDIES, NOT_RUN = "no gates declared", "no control", "none declared", "not run"
WITHOUT = {
    NO_CONTROL: "no positive control is declared for this model and task",
    NOT_RUN: "the positive control of the set has not run",
    DID_NOT_TRAIN: "the positive control of the set did not train",
}
TRAINED = [
    "task", "model", "method", "seeds", "accuracy", "low", "high", "asked_accuracy", "seeds_below", "loss", "classes",
    "loss_share", "asked_loss", "trained", "reason",
]  # fmt: skip
CONTRASTS = [
    *PLACE, "role", "method", "against", "seeds", "examples", "clusters", "difference", "low", "high", "asked",
    "passed",
]  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What the gates of a study came to; empty without gates.

    `trained`: a row for each model x task x method. `contrasts`: a row for each set out of distribution with its
    control, and with each remedy; `passed` is what it shows, which is nothing where one of its two rows did not train.
    `missing`: contrasts (role, model, task, method) that are declared and have no pair of finished runs.
    """

    declared: Gates | None = None
    trained: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=TRAINED))
    contrasts: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=CONTRASTS))
    missing: frozenset[tuple[str, str, str, str]] = frozenset()

    def columns(self, claim: Claim, at: Comparison) -> dict[str, str]:
        """What the gates say of one comparison: a text for each, and `gate`, the verdict that follows, with a reason.

        A verdict on robustness needs two rows that trained, on a set that can tell. In distribution only `against` has
        to have trained: that the other has lost its accuracy there is just what the claim asks about, and a row that
        did not train has lost it. There is no cue to tell apart either, so that the control is not asked. Where a
        study declares a control, a set that has none, or whose control has not run or not trained, is not known to
        tell: no verdict.
        """
        if self.declared is None:
            return {"trained": NO_GATES, "control": NO_GATES, "remedies": NO_GATES, "gate": "", "gate_reason": ""}
        inside = at.kind == "in_distribution"
        failures = {label: self._failure(label, at) for label in (claim.method, claim.against)}
        failed = {label: reason for label, reason in failures.items() if reason}
        closing = {label: reason for label, reason in failed.items() if label == claim.against or not inside}
        control = self._control(at)
        gate = DID_NOT_TRAIN if closing else "" if inside else self._gate_of_control(control)
        reasons = "; ".join(f"{label}: {reason}" for label, reason in closing.items())
        return {
            "trained": f"not {' and '.join(failed)}" if failed else "both",
            "control": "" if inside else control, "remedies": "" if inside else self._remedies(at),
            "gate": gate, "gate_reason": reasons or (self._why_not(at) if gate else ""),
        }  # fmt: skip

    def mark(self, accuracies: pd.DataFrame) -> pd.DataFrame:
        """A table of task, model and method with a column more, `trained`; as it is where no gate is declared."""
        if self.declared is None:
            return accuracies
        known = self.trained[["task", "model", "method", "trained"]]
        return accuracies.merge(known, on=["task", "model", "method"], how="left")

    def _failure(self, label: str, at: Comparison) -> str:
        """Why a row did not train; empty where it did, and where it has no runs."""
        own = self.trained[_at(self.trained, at.model, at.task) & (self.trained["method"] == label)]
        return "; ".join(own.loc[~own["trained"].astype(bool), "reason"])

    def _rows(self, at: Comparison, role: str) -> pd.DataFrame:
        frame = self.contrasts
        return frame[_at(frame, at.model, at.task) & (frame["set"] == at.set) & (frame["role"] == role)]

    def _control(self, at: Comparison) -> str:
        rows = self._rows(at, CONTROL)
        if len(rows):
            return str(rows["passed"].iloc[0])
        return NOT_RUN if any(key[:3] == (CONTROL, at.model, at.task) for key in self.missing) else NO_CONTROL

    def _gate_of_control(self, control: str) -> str:
        """The verdict that follows from a control: without one that ran the question stays open."""
        if self.declared is None or self.declared.control is None:
            return ""
        return CONTROL_FAILED if control.startswith(FAILED) else NOT_TESTABLE if control in WITHOUT else ""

    def _why_not(self, at: Comparison) -> str:
        control = self._control(at)
        if control in WITHOUT:
            return WITHOUT[control]
        row = self._rows(at, CONTROL).iloc[0]
        gained = interval(row.difference, row.low, row.high, sign=True)
        return f"{row.method} gains {gained} points here, {row.asked:g} asked for"

    def _remedies(self, at: Comparison) -> str:
        rows = self._rows(at, REMEDY)
        if len(rows):
            untold = int(rows["passed"].eq(DID_NOT_TRAIN).sum())
            note = f", {untold} {DID_NOT_TRAIN}" if untold else ""
            return f"{int(rows['passed'].eq('gains').sum())} of {len(rows)} gain{note}"
        return NOT_RUN if any(key[:3] == (REMEDY, at.model, at.task) for key in self.missing) else NO_REMEDIES


def _at(frame: pd.DataFrame, model: str, task: str) -> pd.Series:
    return (frame["model"] == model) & (frame["task"] == task)


def evaluate(study: Study, blocks: Sequence[Block], runs: pd.DataFrame, histories: pd.DataFrame) -> Outcome:
    """What the gates of a study come to on its runs. `histories`: training logs, see `gather.read_histories`."""
    if study.gates is None:
        return Outcome()
    losses = final_losses(runs, histories)
    trained = pd.DataFrame(list(_trained_rows(study.gates, blocks, losses)), columns=TRAINED)
    untrained = set(trained.loc[~trained["trained"].astype(bool), ROW].itertuples(index=False, name=None))
    compared = pd.DataFrame(list(_contrast_rows(study.gates, blocks, untrained)), columns=CONTRASTS)
    here = set(compared[["role", "model", "task", "method"]].itertuples(index=False, name=None))
    declared = {
        (role, model, task, method)
        for role, method, against in _pairs(study.gates)
        for label, model, task in study.declared_seeds
        if label == method and (against, model, task) in study.declared_seeds
    }
    return Outcome(study.gates, trained, compared, frozenset(declared - here))


# ---- did it train?


def final_losses(runs: pd.DataFrame, histories: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """The classification loss at the end of training in nats, the mean over finished runs, by (label, model, task).

    Of methods that classify by cross-entropy against the labels alone: the loss of one that knows a bias model is
    another number when the model guesses, and when it is right (soft targets have an entropy of their own).
    """
    if LOSS not in histories:
        return {}
    logged = histories.dropna(subset=[LOSS]).groupby("run_id")
    by_run = {run_id: final_loss(own["step"].to_numpy(), own[LOSS].to_numpy()) for run_id, own in logged}
    done = runs[(runs["status"] == "done") & runs["run_id"].isin(by_run) & runs["method"].map(_is_cross_entropy)]
    losses = done["run_id"].map(by_run).astype(float)  # without a run the column would be one of texts
    means = losses.groupby([done["label"], done["model"], done["task"]], observed=True).mean()
    return {(str(label), str(model), str(task)): float(loss) for (label, model, task), loss in means.items()}


def _is_cross_entropy(method: str) -> bool:
    return not any(issubclass(METHODS[name], ClassificationLoss) for name in method.split("+"))


def _trained_rows(
    gates: Gates, blocks: Sequence[Block], losses: dict[tuple[str, str, str], float]
) -> Iterator[dict[str, Any]]:
    inside: dict[tuple[str, str], list[Block]] = {}
    for block in blocks:
        if block.kind == "in_distribution":
            inside.setdefault((block.model, block.task), []).append(block)
    for (model, task), own in inside.items():
        for label in dict.fromkeys(answers.method for block in own for answers in block.answers):
            loss = losses.get((label, model, task), float("nan"))
            yield {"task": task, "model": model, "method": label, **_trained_row(gates, task, own, label, loss)}


def _trained_row(gates: Gates, task: str, blocks: list[Block], label: str, loss: float) -> dict[str, Any]:
    """Accuracy in distribution is the mean over the sets in distribution, where a task has several."""
    own = [(block, answers) for block in blocks for answers in block.answers if answers.method == label]
    by_set = [pd.Series(100 * block.correct(answers).mean(axis=1), index=answers.seeds) for block, answers in own]
    by_seed = pd.concat(by_set, axis=1).mean(axis=1)
    accuracies, started = by_seed.to_numpy(), own[0][1].started_from(by_seed.index)
    estimate, classes = crossed.mean_over_seeds(accuracies, started).within(0, 100), _classes(own[0][1])
    asked, share = gates.trained.accuracy[task], gates.trained.loss
    trained, reason = did_train(accuracies, loss, classes, asked, share)
    return {
        "seeds": estimate.seeds, "accuracy": estimate.mean, "low": estimate.low, "high": estimate.high,
        "asked_accuracy": asked, "seeds_below": int((accuracies < asked).sum()), "loss": loss, "classes": classes,
        "loss_share": loss / np.log(classes), "asked_loss": share, "trained": trained, "reason": reason,
    }  # fmt: skip


def _classes(answers: Answers) -> int:
    """How many classes the classifier has."""
    return len(answers.frames[0]["logits"].iloc[0])


# ---- can the set tell, and do known remedies help?


def _pairs(gates: Gates) -> Iterator[tuple[str, str, str]]:
    """(role, method, against) of the control and of each remedy."""
    if gates.control is not None:
        yield CONTROL, gates.control.label, gates.control.against
    if gates.remedies is not None:
        yield from ((REMEDY, label, gates.remedies.against) for label in gates.remedies.labels)


def _contrast_rows(
    gates: Gates, blocks: Iterable[Block], untrained: set[tuple[str, str, str]]
) -> Iterator[dict[str, Any]]:
    """`untrained`: the rows (label, model, task) that did not learn their task; a contrast with one shows nothing."""
    for block in blocks:
        if block.kind != "out_of_distribution":
            continue
        for role, method, against in _pairs(gates):
            pair = block.pair(against, method)
            if pair is None:
                continue
            found = compare(block, *pair, block.pretrainings(against, method))
            asked, shows = _judged(gates, role, found)
            if any((label, block.model, block.task) in untrained for label in (method, against)):
                shows = DID_NOT_TRAIN
            named = {"role": role, "method": method, "against": against}
            yield {**block.place, **named, **found, "asked": asked, "passed": shows}


def _judged(gates: Gates, role: str, found: dict[str, Any]) -> tuple[float, str]:
    """The gain that is asked for, in points, and what the difference shows of the set or of the remedy."""
    if role == CONTROL and gates.control is not None:
        return gates.control.gain, can_tell(found["difference"], found["low"], gates.control.gain)
    return 0.0, "gains" if gains(found["low"]) else "does not gain"
