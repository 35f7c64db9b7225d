"""Methods compared: baselines with fine-tuning, controls with Mask-tuning, and whether gains add up.

Every number is a contrast of right and wrong answers on the seeds that all of its methods share, with the interval over
seeds x clusters of `statistics.crossed`. With few seeds these are estimates, and nothing is tested.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from masktune import methods
from masktune.analysis.accuracy import numbers as accuracy
from masktune.analysis.answers import Block
from masktune.statistics import crossed
from masktune.study.design.study import Study

NUMBERS = ["seeds", "examples", "difference", "low", "high"]
CONTRASTS = [*accuracy.PLACE, "first", "second", "accuracy", "clusters", *NUMBERS, "bound", "probability_greater"]
CONTRASTS += accuracy.SECONDARY
ADDITIVITY = [*accuracy.PLACE, "other", "alone", "added", "sum", "both", *NUMBERS]


def labels(study: Study, *parts: str) -> list[str]:
    """The labels of these parts of a study, in its order."""
    return [label for label, part in study.parts.items() if part in parts]


def combinations(study: Study, first: str) -> dict[str, str]:
    """What the study combines `first` with: the label of the other method alone -> that of both."""
    return {other: f"{first} + {other}" for other in study.parts if f"{first} + {other}" in study.parts}


def answered_by(blocks: Iterable[Block], labels: Iterable[str]) -> list[Block]:
    """The blocks that at least one of these labels has answered: a model that none of them ran on is left out."""
    chosen = set(labels)
    return [block for block in blocks if chosen & {answers.method for answers in block.answers}]


def contrasts(blocks: Iterable[Block], pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Second minus first on every set for each pair of labels (first, second); `accuracy` is the second's, per cent.

    On a lopsided set `balanced` and `auroc` are the differences of these metrics; NaN on others.
    """
    rows = [
        {**block.place, "first": first, "second": second, "accuracy": 100 * float(pair[1].mean())}
        | accuracy.compare(block, *pair, block.pretrainings(first, second))
        | accuracy.secondary_differences(block, first, second)
        for block in _headlines(blocks)
        for first, second in pairs
        if (pair := block.pair(first, second)) is not None
    ]
    return pd.DataFrame(rows, columns=CONTRASTS)


def against(blocks: Iterable[Block], first: str, others: Iterable[str]) -> pd.DataFrame:
    """Each of the others minus the first, see `contrasts`."""
    return contrasts(blocks, [(first, other) for other in others if other != first])


def additivity(blocks: Iterable[Block], plain: str, first: str, pairs: Mapping[str, str]) -> pd.DataFrame:
    """Whether the gains of `first` and of another method over `plain` add up when the two are combined.

    `pairs`: other -> the label of both. In points: `alone` the gain of the other, `added` that of `first`, `sum` of the
    two, `both` the gain of the combination; `difference` is both - sum, 0 where gains add up, with its 95 % interval.
    """
    rows = []
    for block in _headlines(blocks):
        for other, both in pairs.items():
            answers = _on_shared_seeds(block, plain, first, other, both)
            if answers is not None:
                started = block.pretrainings(plain, first, other, both)
                rows.append({**block.place, "other": other, **_interaction(block, answers, started)})
    return pd.DataFrame(rows, columns=ADDITIVITY)


def _on_shared_seeds(block: Block, *labels: str) -> list[np.ndarray] | None:
    """Right or wrong [S, n] of each method on the seeds that all of them have; None without any."""
    known = {answers.method: answers for answers in block.answers}
    if not set(labels) <= set(known):
        return None
    seeds = block.shared_seeds(*labels)
    correct = ((known[label].seeds, block.correct(known[label]).astype(float)) for label in labels)
    return [rows[[own.index(seed) for seed in seeds]] for own, rows in correct] if seeds else None


def _interaction(block: Block, answers: Sequence[np.ndarray], started: np.ndarray) -> dict[str, Any]:
    plain, first, other, both = answers
    mean = crossed.crossed_mean(both - first - other + plain, block.clusters, started)
    estimate = mean.estimate()
    alone, added, together = (100 * float((each - plain).mean()) for each in (other, first, both))
    return {
        "alone": alone, "added": added, "sum": alone + added, "both": together,
        "seeds": mean.seeds, "examples": len(block.labels),
        "difference": 100 * mean.mean, "low": 100 * estimate.low, "high": 100 * estimate.high,
    }  # fmt: skip


def _headlines(blocks: Iterable[Block]) -> Iterable[Block]:
    return (block for block in blocks if block.kind in accuracy.HEADLINES)


def cards(study: Study, labels: Iterable[str]) -> pd.DataFrame:
    """The card of each method of a study: label, loss, passes over the batch in a step, needs, reference."""
    declared = {variant.label: (row.method, variant.options) for row in study.grid for variant in row.variants}
    rows = [{**methods.card(declared[label][0], **declared[label][1]), "label": label} for label in labels]
    return pd.DataFrame(rows)[["label", "loss", "forward", "backward", "needs", "reference"]]
