"""Accuracies and paired differences as frames of one number a row, computed from blocks: stored runs and predictions.

Accuracies are in per cent, differences in points. `low` and `high` are the ends of 95 % intervals. `accuracy.tables`
lays the frames out for reading.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from masktune.analysis import names
from masktune.analysis.answers import Answers, Block
from masktune.statistics import crossed, intervals, metrics, tests
from masktune.study.design.claims import LEVEL, smallest_p

PLACE = ["task", "model", "set", "kind"]
HEADLINES = ("in_distribution", "out_of_distribution")
SECONDARY = ("balanced", "auroc")


def seeds(blocks: Iterable[Block]) -> pd.DataFrame:
    """Every run's accuracy on every set, with its 95 % Wilson interval over examples: what the figures draw."""
    rows = [
        _seed_row(block, answers, i) for block in blocks for answers in block.answers for i in range(len(answers.seeds))
    ]
    return _frame(rows, [*PLACE, "method", "seed", "examples", "accuracy", "low", "high"])


def _seed_row(block: Block, answers: Answers, i: int) -> dict[str, Any]:
    value = metrics.accuracy(answers.predictions[i], block.labels)
    low, high = intervals.wilson(value, len(block.labels))
    return {
        **block.place, "method": answers.method, "seed": answers.seeds[i], "examples": len(block.labels),
        "accuracy": 100 * value, "low": 100 * low, "high": 100 * high,
    }  # fmt: skip


def main(blocks: Iterable[Block]) -> pd.DataFrame:
    """Mean accuracy over seeds of each model, task, set and method, and the accuracy of a constant answer (`majority`).

    `balanced` accuracy and `auroc` of a lopsided set, means over seeds in per cent; NaN on others.
    """
    rows = [_main_row(block, answers) for block in blocks for answers in block.answers if block.kind in HEADLINES]
    columns = ["method", "seeds", "examples", "accuracy", "low", "high", "lowest", "highest", "chance", "majority"]
    return _frame(rows, [*PLACE, *columns, *SECONDARY])


def _main_row(block: Block, answers: Answers) -> dict[str, Any]:
    accuracies = 100 * block.correct(answers).mean(axis=1)
    estimate = crossed.mean_over_seeds(accuracies, answers.started_from(answers.seeds)).within(0, 100)
    return {
        **block.place, "method": answers.method, "seeds": estimate.seeds, "examples": len(block.labels),
        "accuracy": estimate.mean, "low": estimate.low, "high": estimate.high,
        "lowest": accuracies.min(), "highest": accuracies.max(),
        "chance": 100 * block.chance, "majority": 100 * block.majority,
        **{name: values.mean() for name, values in secondary_metrics(block, answers).items()},
    }  # fmt: skip


def secondary_metrics(block: Block, answers: Answers) -> dict[str, np.ndarray]:
    """Balanced accuracy and AUROC of each seed in per cent [S], which a lopsided set needs; NaN on others."""
    if not block.is_lopsided:
        return dict.fromkeys(SECONDARY, np.full(len(answers.seeds), np.nan))
    return {"balanced": 100 * balanced_accuracy(block, answers), "auroc": 100 * auroc(block, answers)}


def balanced_accuracy(block: Block, answers: Answers) -> np.ndarray:
    """Balanced accuracy of each seed, a share [S]."""
    return np.array([metrics.balanced_accuracy(row, block.labels) for row in answers.predictions])


def auroc(block: Block, answers: Answers) -> np.ndarray:
    """AUROC of the second class against the first for each seed [S]; NaN on a set that has not two classes."""
    if len(np.unique(block.labels)) != 2:
        return np.full(len(answers.seeds), np.nan)
    logits = answers.logits
    scores = logsumexp(logits[..., 1:], axis=-1) - logits[..., 0]
    return np.array([metrics.auroc(row, block.labels) for row in scores])


def paired_secondary_metrics(block: Block, first: str, second: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """`secondary_metrics` of two methods on the seeds that both have finished."""
    sides = [answers for label in (first, second) for answers in block.answers if answers.method == label]
    shared = sorted(set.intersection(*(set(side.seeds) for side in sides)))
    values = [secondary_metrics(block, side) for side in sides]
    at = [[side.seeds.index(seed) for seed in shared] for side in sides]
    return {name: (values[0][name][at[0]], values[1][name][at[1]]) for name in SECONDARY}


def differences(blocks: Iterable[Block], runs: pd.DataFrame) -> pd.DataFrame:
    """Each other method minus plain fine-tuning (`names.pairs_in_order`), on the seeds that both have.

    Points, with intervals and a test. `low` to `high` is the interval over pre-trainings x seeds x clusters of
    `crossed_mean`, `bootstrap_low` to `bootstrap_high` that of MultiBERTs' bootstrap. `p` is empty where the number of
    seeds alone keeps the sign-flip test from reaching 0.05; `smallest_p` says how low it can go; it takes the
    pre-trainings as given. Not corrected for the number of comparisons. `mcnemar_better` and `mcnemar_worse` count the
    seeds at which McNemar's test alone would call this one pair of runs different. On a lopsided set `balanced` and
    `auroc` are the same differences of these, with 95 % t intervals over seeds; else NaN.
    """
    compared = names.pairs_in_order(runs)
    headlines = (block for block in blocks if block.kind in HEADLINES)
    rows = [row for block in headlines for row in _difference_rows(block, compared)]
    columns = ["first", "second", "seeds", "examples", "clusters", "difference", "low", "high", "bootstrap_low"]
    columns += ["bootstrap_high", "p", "smallest_p", "probability_greater", "mcnemar_better", "mcnemar_worse"]
    columns += [f"{name}{end}" for name in SECONDARY for end in ("", "_low", "_high")]
    return _frame(rows, [*PLACE, *columns])


def _difference_rows(block: Block, compared: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    pairs = {labels: pair for labels in compared if (pair := block.pair(*labels)) is not None}
    if not pairs:
        return
    gaps = [np.subtract(other, one, dtype=float) for one, other in pairs.values()]
    started = [block.pretrainings(*labels) for labels in pairs]
    bootstrap = crossed.bootstrap_means(gaps, block.clusters, pretrainings=started)
    for ((first, second), pair), own, means in zip(pairs.items(), started, bootstrap, strict=True):
        low, high = crossed.bootstrap_interval(means)
        yield {
            **block.place, "first": first, "second": second, **compare(block, *pair, own),
            "bootstrap_low": 100 * low, "bootstrap_high": 100 * high, **p_values(*pair), **_single(*pair),
            **secondary_differences(block, first, second),
        }  # fmt: skip


def p_values(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Two-sided `p` of second against first, right or wrong [S, n] each; NaN where `smallest_p` lies above 0.05."""
    smallest = smallest_p(len(first))
    p = tests.sign_flip(tests.gains(first, second)) if smallest <= LEVEL else np.nan
    return {"p": p, "smallest_p": smallest}


def secondary_differences(block: Block, first: str, second: str) -> dict[str, float]:
    """Second minus first in the secondary metrics: points, with 95 % t intervals over paired seeds."""
    columns: dict[str, float] = {}
    for name, (one, other) in paired_secondary_metrics(block, first, second).items():
        gap = crossed.mean_over_seeds(other - one, block.pretrainings(first, second))
        columns |= {name: gap.mean, f"{name}_low": gap.low, f"{name}_high": gap.high}
    return columns


def compare(
    block: Block, first: np.ndarray, second: np.ndarray, pretrainings: np.ndarray | None = None
) -> dict[str, Any]:
    """What is estimated of second - first, right or wrong [S, n] each: n, points, interval, P(second higher).

    `pretrainings` [S] are those that the seeds started from (`Block.pretrainings`). `bound` is the end of the one-sided
    95 % interval, below the true difference.
    """
    mean = crossed.paired_difference(first, second, block.clusters, pretrainings)
    estimate, by_seed = mean.estimate(), [side.mean(axis=1) for side in (first, second)]
    return {
        "seeds": mean.seeds, "examples": len(block.labels), "clusters": len(np.unique(block.clusters)),
        "difference": 100 * mean.mean, "low": 100 * estimate.low, "high": 100 * estimate.high,
        "bound": 100 * mean.lower_bound(),
        "probability_greater": tests.probability_greater(by_seed[1], by_seed[0]),
    }  # fmt: skip


def _single(first: np.ndarray, second: np.ndarray) -> dict[str, int]:
    """At how many seeds McNemar's test of that one pair of runs finds the second better, and worse."""
    sides = [np.sign(other.sum() - one.sum()) for one, other in zip(first, second, strict=True)
             if tests.mcnemar(one, other) <= LEVEL]  # fmt: skip
    return {"mcnemar_better": sides.count(1), "mcnemar_worse": sides.count(-1)}


def details(blocks: Iterable[Block]) -> pd.DataFrame:
    """What accuracy alone hides: pairs, single classes, ranking, named groups, calibration. In per cent."""
    blocks = list(blocks)
    rows = [
        row
        for block in blocks
        for measure in (_consistency, _classes, _ranking, _groups, _calibration)
        for row in measure(block, blocks)
    ]
    columns = ["measure", "part", "method", "seeds", "examples", "value", "low", "high"]
    return _frame(rows, [*PLACE, *columns])


def _consistency(block: Block, blocks: list[Block]) -> Iterator[dict[str, Any]]:
    """Pair consistency of an edited set with its companion, the original halves."""
    companion = _companion(block, blocks) if block.kind == "out_of_distribution" else None
    if companion is None:
        return
    originals = {answers.method: answers for answers in companion.answers}
    clusters = np.concatenate([block.clusters, companion.clusters])
    for answers in block.answers:
        if answers.method in originals and originals[answers.method].seeds == answers.seeds:
            both = np.hstack([block.correct(answers), companion.correct(originals[answers.method])])
            values = [metrics.pair_consistency(row, clusters) for row in both]
            yield _detail(block, answers, "pair consistency", "both halves right", len(np.unique(clusters)), values)


def _companion(block: Block, blocks: list[Block]) -> Block | None:
    """The companion whose clusters are those of the set; its name begins with the set's."""
    for other in blocks:
        same_place = (other.model, other.task, other.kind) == (block.model, block.task, "companion")
        if same_place and other.name.startswith(block.name) and set(other.clusters) == set(block.clusters):
            return other
    return None


def _classes(block: Block, _: list[Block]) -> Iterator[dict[str, Any]]:
    """Per-class accuracy, and their mean where the set is lopsided."""
    if not _moved_by_a_threshold(block):
        return
    for answers in block.answers:
        by_seed = [metrics.class_accuracy(row, block.labels) for row in answers.predictions]
        for label in by_seed[0]:
            count = int((block.labels == label).sum())
            values = np.array([shares[label] for shares in by_seed])
            yield _detail(block, answers, "class accuracy", names.class_name(block.task, label), count, values)
        if block.is_lopsided:
            values = balanced_accuracy(block, answers)
            yield _detail(block, answers, "balanced accuracy", "mean of classes", len(block.labels), values)


def _ranking(block: Block, _: list[Block]) -> Iterator[dict[str, Any]]:
    """AUROC of the second class against the first, on the same sets."""
    if not _moved_by_a_threshold(block) or len(np.unique(block.labels)) != 2:
        return
    for answers in block.answers:
        yield _detail(block, answers, "AUROC", "no threshold", len(block.labels), auroc(block, answers))


def _moved_by_a_threshold(block: Block) -> bool:
    """Whether a threshold alone can move accuracy: on a lopsided set, and on paraphrases out of distribution."""
    paraphrases = block.task == "paraphrase" and block.kind == "out_of_distribution"
    return paraphrases or (block.is_lopsided and block.kind in HEADLINES)


def _groups(block: Block, _: list[Block]) -> Iterator[dict[str, Any]]:
    """Accuracy on each named group of a set: heuristic x true label."""
    if block.kind != "out_of_distribution":
        return
    for answers in block.answers:
        correct = block.correct(answers)
        for group in (name for name in dict.fromkeys(sorted(block.groups)) if name):
            members = block.groups == group
            values = correct[:, members].mean(axis=1)
            yield _detail(block, answers, "group accuracy", names.group(group), int(members.sum()), values)


def _calibration(block: Block, _: list[Block]) -> Iterator[dict[str, Any]]:
    """Expected calibration error of the answers as they are given."""
    if block.kind not in HEADLINES:
        return
    for answers in block.answers:
        pairs = zip(block.confidences(answers), block.correct(answers), strict=True)
        values = [metrics.calibration_error(*pair) for pair in pairs]
        yield _detail(block, answers, "calibration error", f"{metrics.BINS} bins", len(block.labels), values)


def _detail(
    block: Block, answers: Answers, measure: str, part: str, examples: int, values: ArrayLike
) -> dict[str, Any]:
    started = answers.started_from(answers.seeds)
    estimate = crossed.mean_over_seeds(100 * np.asarray(values), started).within(0, 100)
    return {
        **block.place, "measure": measure, "part": part, "method": answers.method, "seeds": estimate.seeds,
        "examples": examples, "value": estimate.mean, "low": estimate.low, "high": estimate.high,
    }  # fmt: skip


def failures(runs: pd.DataFrame) -> pd.DataFrame:
    """Every run of the study that is not there, and why."""
    columns = ["task", "model", "label", "seed", "status", "error", "run_id"]
    missing = runs.loc[runs["status"] != "done", columns].rename(columns={"label": "method"})
    return missing.reset_index(drop=True)


def _frame(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns)
