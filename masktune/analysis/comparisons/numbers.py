"""Methods beside one another: baselines against fine-tuning, controls against Mask-tuning, and whether gains add up.

Everything here is a contrast of right and wrong answers on the seeds that all of its methods share, with the interval
over seeds x clusters of `crossed`. With few seeds these are estimates, and nothing is tested.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from masktune import methods
from masktune.analysis import names
from masktune.analysis.accuracy import numbers as tables
from masktune.analysis.answers import Block
from masktune.analysis.table import (
    CROSSED,
    MINUS,
    VARIES,
    Table,
    beside,
    beside_note,
    count,
    interval,
    named,
    number,
    titled,
)
from masktune.statistics import crossed
from masktune.study.spec.study import Study

NUMBERS = ["seeds", "examples", "difference", "low", "high"]
CONTRASTS = [*tables.PLACE, "first", "second", "accuracy", "clusters", *NUMBERS, "bound", "probability_greater"]
CONTRASTS += tables.BESIDE
ADDITIVITY = [*tables.PLACE, "other", "alone", "added", "sum", "both", *NUMBERS]


def labels(study: Study, *parts: str) -> list[str]:
    """The labels of these parts of a study, in its order."""
    return [label for label, part in study.parts.items() if part in parts]


def combined(study: Study, first: str) -> dict[str, str]:
    """What the study combines `first` with: the label of the other method alone -> that of both."""
    return {other: f"{first} + {other}" for other in study.parts if f"{first} + {other}" in study.parts}


def where(blocks: Iterable[Block], chosen: Iterable[str]) -> list[Block]:
    """The blocks in which at least one of these labels has answered: a model that none of them ran on is left out."""
    chosen = set(chosen)
    return [block for block in blocks if chosen & {answers.method for answers in block.answers}]


def contrasts(blocks: Iterable[Block], pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Second minus first on every set for each pair of labels (first, second); `accuracy` is the second's, per cent.

    On a lopsided set `balanced` and `auroc` are the same differences of these; NaN on others.
    """
    rows = [
        {**block.place, "first": first, "second": second, "accuracy": 100 * float(pair[1].mean())}
        | tables.compare(block, *pair)
        | tables.beside_differences(block, first, second)
        for block in _headlines(blocks)
        for first, second in pairs
        if (pair := block.paired(first, second)) is not None
    ]
    return pd.DataFrame(rows, columns=CONTRASTS)


def against(blocks: Iterable[Block], first: str, others: Iterable[str]) -> pd.DataFrame:
    """Each of the others minus the first, see `contrasts`."""
    return contrasts(blocks, [(first, other) for other in others if other != first])


def additivity(blocks: Iterable[Block], plain: str, first: str, pairs: Mapping[str, str]) -> pd.DataFrame:
    """Whether the gains of `first` and of another method over `plain` add up when both are used.

    `pairs`: other -> the label of both. In points: `alone` the gain of the other, `added` that of `first`, `sum` of the
    two, `both` the gain of the combination; `difference` is both - sum, 0 where gains add up, with its 95 % interval.
    """
    rows = []
    for block in _headlines(blocks):
        for other, both in pairs.items():
            answers = _shared(block, plain, first, other, both)
            if answers is not None:
                rows.append({**block.place, "other": other, **_interaction(block, *answers)})
    return pd.DataFrame(rows, columns=ADDITIVITY)


def _shared(block: Block, *chosen: str) -> list[np.ndarray] | None:
    """Right or wrong [S, n] of each method on the seeds that all of them have; None without any."""
    known = {answers.method: answers for answers in block.answers}
    if not set(chosen) <= set(known):
        return None
    seeds = sorted(set.intersection(*(set(known[name].seeds) for name in chosen)))
    correct = ((known[name].seeds, block.correct(known[name]).astype(float)) for name in chosen)
    return [rows[[own.index(seed) for seed in seeds]] for own, rows in correct] if seeds else None


def _interaction(
    block: Block, plain: np.ndarray, first: np.ndarray, other: np.ndarray, both: np.ndarray
) -> dict[str, Any]:
    mean = crossed.crossed_mean(both - first - other + plain, block.clusters)
    estimate = mean.estimate()
    alone, added, together = (100 * float((answers - plain).mean()) for answers in (other, first, both))
    return {
        "alone": alone, "added": added, "sum": alone + added, "both": together,
        "seeds": mean.seeds, "examples": len(block.labels),
        "difference": 100 * mean.mean, "low": 100 * estimate.low, "high": 100 * estimate.high,
    }  # fmt: skip


def _headlines(blocks: Iterable[Block]) -> Iterable[Block]:
    return (block for block in blocks if block.kind in tables.HEADLINES)


def costs(study: Study, chosen: Iterable[str]) -> pd.DataFrame:
    """The card of each method of a study: label, reference, loss, passes over the batch in a step."""
    rows = {variant.label: (row.method, variant.options) for row in study.grid for variant in row.variants}
    cards = [{**methods.card(rows[label][0], **rows[label][1]), "label": label} for label in chosen]
    return pd.DataFrame(cards)[["label", "loss", "forward", "backward", "needs", "reference"]]


# ---- laid out for reading


def table(frame: pd.DataFrame, name: str, title: str) -> Table:
    """Contrasts with a row for each pair and a column for each set, those out of distribution last."""
    numbers = ("difference", "low", "high", *tables.BESIDE)
    rows = frame[list(numbers)].itertuples(index=False)
    texts = [interval(*row[:3], sign=True) + beside(*row[3:], sign=True) for row in rows]
    cells = frame.assign(text=texts, column=_columns(frame))
    wide = cells.pivot_table(index=["second", "first"], columns="column", values="text", aggfunc="first", sort=False)
    order = list(dict.fromkeys(cells.sort_values("kind", kind="stable")["column"]))
    wide = wide[order].fillna("\N{EN DASH}").reset_index().rename_axis(columns=None)
    wide.insert(0, "Difference", wide["second"] + f" {MINUS} " + wide["first"])
    caption = (
        f"Differences in points of accuracy [{CROSSED}]; {count(frame['seeds'], 'paired seed')}, "
        f"{count(frame['examples'], 'example')} a set. {VARIES}. Not corrected for the number of comparisons."
        f"{beside_note(frame)}"
    )
    return Table(name, title, caption, frame, wide.drop(columns=["second", "first"]))


def _columns(frame: pd.DataFrame) -> list[str]:
    """Task and set of each row, as a reader sees them."""
    models = f", {names.model(frame['model'].iloc[0])}" if frame["model"].nunique() > 1 else ""
    return [
        f"{names.task(task)}: {names.evaluation_set(name)}{models}"
        for task, name in zip(frame["task"], frame["set"], strict=True)
    ]


def additivity_table(frame: pd.DataFrame, first: str) -> Table:
    """Gains alone, their sum and the gain of both, a row for each combination and set."""
    shown = named(frame[[*tables.PLACE, "other"]])
    for name in ("alone", "added", "sum", "both"):
        shown[name] = [number(value, sign=True) for value in frame[name]]
    shown["gap"] = [
        interval(*row, sign=True) for row in zip(frame["difference"], frame["low"], frame["high"], strict=True)
    ]
    shown["seeds"] = frame["seeds"]
    caption = (
        "Gains over fine-tuning in points of accuracy: of the other method alone, of "
        f"{first} alone, their sum, and of both together; then both minus the sum [{CROSSED}], which is 0 where gains "
        f"add up. {count(frame['seeds'], 'paired seed')}, {count(frame['examples'], 'example')} a set. {VARIES}."
    )
    titles = {
        "other": "With",
        "alone": "Alone",
        "added": first,
        "sum": "Sum",
        "both": "Both",
        "gap": f"Both {MINUS} sum [95 %]",
    }
    return Table("additivity", "Do the gains add up?", caption, frame, titled(shown, titles))


def cost_table(frame: pd.DataFrame) -> Table:
    """The cards of the methods that are compared."""
    titles = {name: name.capitalize() for name in frame}
    caption = (
        "Passes over the batch in a training step, forward and backward, at most; what a method finds out about each "
        "train example beforehand is not among them. Plain fine-tuning has one of each."
    )
    return Table("cards", "The methods", caption, frame, frame.rename(columns={**titles, "label": "Method"}))


# ---- in words


def sentences(frame: pd.DataFrame) -> list[str]:
    """For each pair what it comes to out of distribution and in distribution."""
    found = []
    for (first, second), part in frame.groupby(["first", "second"], sort=False):
        sides = [
            _side(part[part["kind"] == kind], names.KINDS[kind]) for kind in ("out_of_distribution", "in_distribution")
        ]
        found.append(f"**{second}** {MINUS} {first}: " + "; ".join(side for side in sides if side) + ".")
    return found or ["No two methods of this comparison have finished runs on the same seeds."]


def _side(part: pd.DataFrame, kind: str) -> str:
    if part.empty:
        return ""
    above, below = int((part["low"] > 0).sum()), int((part["high"] < 0).sum())
    spread = f" (from {number(part['difference'].min(), True)} to {number(part['difference'].max(), True)})"
    return (
        f"{kind} {number(part['difference'].mean(), True)} points on the mean of {count(pd.Series([len(part)]), 'set')}"
        f"{spread if len(part) > 1 else ''}, the interval above zero on {above} and below on {below}"
    )


def additivity_sentences(frame: pd.DataFrame, first: str) -> list[str]:
    """For each combination whether its gain out of distribution is the sum of the two."""
    found = []
    for other, part in frame[frame["kind"] == "out_of_distribution"].groupby("other", sort=False):
        less, more = int((part["high"] < 0).sum()), int((part["low"] > 0).sum())
        means = {name: number(part[name].mean(), True) for name in ("alone", "added", "sum", "both", "difference")}
        found.append(
            f"**{other}**: alone {means['alone']} points, {first} alone {means['added']}, the sum {means['sum']}; both "
            f"together {means['both']}, which is {means['difference']} from the sum (means of "
            f"{count(pd.Series([len(part)]), 'set')} out of distribution). The interval of that gap lies below zero on "
            f"{less} and above on {more} of them."
        )
    return found or ["No combination of this study has finished on the seeds of its parts."]
