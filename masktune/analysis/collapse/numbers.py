"""The accuracy that a method loses at each place of a study, the declared slopes of that loss, and the two gradients.

The loss is the accuracy of the other row minus that of the method, in points: above 0 the method is worse. A slope is
its change with ten times as many steps. `study.design.claims` says what is declared, `statistics.slopes` fits it. The
places differ in the steps of training and in those that the language model was adapted for; each language model was
adapted once, so that no interval here says what another adaptation would give.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from masktune.analysis.accuracy.numbers import HEADLINES, PLACE, compare
from masktune.analysis.answers import Block
from masktune.analysis.gradients.numbers import along
from masktune.statistics.intervals import mean_over_seeds
from masktune.statistics.slopes import slopes
from masktune.statistics.tests import sign_flip
from masktune.study.design.claims import ADAPTATION, LEVEL, TRAINING, Slopes, smallest_p
from masktune.study.design.comparisons import Place, places
from masktune.study.design.study import Study

AT = ["training_steps", "adaptation_steps"]
LOSSES = [*PLACE, *AT, "method", "against", "seeds", "examples", "clusters", "loss", "low", "high"]
SLOPES = [
    "task", "kind", "method", "against", "over", "basis", "seeds", "declared_seeds", "fewest_places", "places", "slope",
    "low", "high", "p", "smallest_p",
]  # fmt: skip
RATIOS = ["task", "model", *AT, "share", "seeds", "ratio", "lowest", "highest"]
PARTS = 10  # of training, in each of which the gradients are summarised
# Seeds that have every place, which the hypothesis is about; and every seed whose places tell the slopes.
WHOLE, PARTLY = "all places", "the places that are there"


def _empty(columns: list[str]) -> Any:
    return field(default_factory=lambda: pd.DataFrame(columns=columns))


@dataclass(frozen=True)
class Collapse:
    """What the declared slopes of a study come to; empty where it declares none.

    `losses`: a row for each place and set, with the interval over seeds x clusters. `slopes`: a row for each quantity
    and basis. `ratios`: gradient norms of the masked-LM term over those of classification, a row for each place and
    PARTS of training. `total`: how many places are declared.
    """

    declared: tuple[Slopes, ...] = ()
    total: int = 0
    losses: pd.DataFrame = _empty(LOSSES)
    slopes: pd.DataFrame = _empty(SLOPES)
    ratios: pd.DataFrame = _empty(RATIOS)


def evaluate(study: Study, blocks: Sequence[Block], runs: pd.DataFrame, histories: pd.DataFrame) -> Collapse:
    """What the slopes of a study come to on its runs. `histories`: training logs, see `gather.read_histories`."""
    if not study.slopes:
        return Collapse()
    known, steps = places(study, study.slopes[0]), _training_steps(runs)
    lost = [row for place in known for row in _losses(place, blocks, steps)]
    fitted = [row for one in study.slopes for task in study.tasks for row in _slopes(study, one, task, blocks, steps)]
    ratios = _ratios(known, along(runs, histories), steps)
    return Collapse(
        study.slopes,
        len(known),
        pd.DataFrame(lost, columns=LOSSES),
        pd.DataFrame(fitted, columns=SLOPES),
        pd.DataFrame(ratios, columns=RATIOS),
    )


def _training_steps(runs: pd.DataFrame) -> dict[tuple[str, str], float]:
    """By task and label the steps of its finished runs: the train set is the same for every model."""
    done = runs[runs["status"] == "done"]
    if "steps" not in done:
        return {}
    return done.dropna(subset=["steps"]).groupby(["task", "label"])["steps"].max().to_dict()


def _where(place: Place, steps: dict[tuple[str, str], float]) -> dict[str, float]:
    """The steps of training, NaN where no run has finished, and of adaptation, 0 where there was none."""
    known = [steps[place.task, label] for label in (place.method, place.against) if (place.task, label) in steps]
    return dict(zip(AT, (max(known, default=np.nan), place.adaptation or 0), strict=True))


# ---- the loss at each place


def _losses(place: Place, blocks: Iterable[Block], steps: dict[tuple[str, str], float]) -> Iterator[dict[str, Any]]:
    for block in _blocks_of(place, blocks):
        pair = block.pair(place.method, place.against)
        if pair is not None and block.kind in HEADLINES:
            found = compare(block, *pair, block.pretrainings(place.method, place.against))
            rest = {name: found[name] for name in ("seeds", "examples", "clusters", "low", "high")}
            labels = {"method": place.method, "against": place.against}
            yield {**block.place, **_where(place, steps), **labels, **rest, "loss": found["difference"]}


def _blocks_of(place: Place, blocks: Iterable[Block]) -> Iterator[Block]:
    return (block for block in blocks if (block.task, block.model) == (place.task, place.model))


def _loss_by_seed(place: Place, blocks: Iterable[Block], kind: str) -> pd.Series:
    """The loss of each seed that both rows finished, the mean over the sets of a kind. Points, by seed."""
    by_set = []
    for block in _blocks_of(place, blocks):
        if block.kind == kind:
            pair = block.pair(place.method, place.against)
            seeds = block.shared_seeds(place.method, place.against)
            lost = [] if pair is None else 100 * (pair[1].mean(axis=1) - pair[0].mean(axis=1))
            by_set.append(pd.Series(lost, seeds, dtype=float))
    return pd.concat(by_set, axis=1).mean(axis=1, skipna=False) if by_set else pd.Series(dtype=float)


# ---- the declared slopes


def _slopes(
    study: Study, declared: Slopes, task: str, blocks: Sequence[Block], steps: dict[tuple[str, str], float]
) -> Iterator[dict[str, Any]]:
    """A row for each quantity: of the seeds with all places, and where these are not all, of what is there."""
    known = [place for place in places(study, declared) if place.task == task]
    if not known:
        return
    seeds = sorted({seed for place in known for seed in place.seeds})
    lost = [_loss_by_seed(place, blocks, declared.kind).reindex(seeds) for place in known]
    values = np.column_stack([one.to_numpy(dtype=float) for one in lost])
    logs = np.array([_logarithms(declared, _where(place, steps)) for place in known])
    fits, there = slopes(logs, values), np.isfinite(values).sum(axis=1)
    chosen = {WHOLE: there == len(known), PARTLY: np.isfinite(fits).all(axis=1)}
    named = {"task": task, "kind": declared.kind, "method": declared.method, "against": declared.against}
    for basis, rows in chosen.items():
        if basis == WHOLE or not chosen[WHOLE].all():
            fewest = int(there[rows].min()) if rows.any() else 0
            counts = {"declared_seeds": len(seeds), "places": len(known), "fewest_places": fewest}
            for column, quantity in enumerate(declared.over):
                found = _estimate(fits[rows, column], tested=basis == WHOLE)
                yield {**named, "over": quantity, "basis": basis, **counts, **found}


def _logarithms(declared: Slopes, where: dict[str, float]) -> list[float]:
    """log10 of what a place has of each quantity."""
    training, adaptation = (where[name] for name in AT)
    counted = {TRAINING: training, ADAPTATION: adaptation or declared.unadapted_as or np.nan}
    return [float(np.log10(counted[quantity])) for quantity in declared.over]


def _estimate(fits: np.ndarray, tested: bool) -> dict[str, float]:
    """The mean slope of these seeds with its t interval; a two-sided p where it is tested and they are enough."""
    if not len(fits):
        return {"seeds": 0, "slope": np.nan, "low": np.nan, "high": np.nan, "p": np.nan, "smallest_p": 1.0}
    mean, smallest = mean_over_seeds(fits), smallest_p(len(fits))
    p = sign_flip(fits) if tested and smallest <= LEVEL else np.nan
    return {"seeds": mean.seeds, "slope": mean.mean, "low": mean.low, "high": mean.high, "p": p, "smallest_p": smallest}


# ---- the gradients


def _ratios(
    known: Iterable[Place], measured: pd.DataFrame, steps: dict[tuple[str, str], float]
) -> Iterator[dict[str, Any]]:
    """For each place and part of training the median ratio: first over the steps of a seed, then over seeds."""
    for place in known:
        own = measured[(measured[["task", "model", "label"]] == [place.task, place.model, place.method]).all(axis=1)]
        at = _where(place, steps)
        part = np.ceil(PARTS * own["step"] / at["training_steps"]).clip(1, PARTS) / PARTS
        by_seed = own.assign(share=part).groupby(["share", "seed"])["norm_ratio"].median()
        for share, ratios in by_seed.groupby("share"):
            yield {
                "task": place.task, "model": place.model, **at, "share": share, "seeds": len(ratios),
                "ratio": ratios.median(), "lowest": ratios.min(), "highest": ratios.max(),
            }  # fmt: skip
