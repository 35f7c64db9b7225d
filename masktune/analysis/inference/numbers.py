"""HANS by sub-case, and sets of two labels that a classifier of three classes answers, as frames of one number a row.

A set in which examples share a sub-case has it as their cluster (masktune.data.tasks). A classifier of MNLI knows three
classes and HANS two: neutral and contradiction count as not entailed. Two rules do that: the class with the largest
logit is folded (McCoy et al. 2019, and our stored predictions), or the probabilities of neutral and contradiction are
added up and compared with that of entailment. They disagree where entailment is the likeliest of three and has less
than half. Accuracies and shares are in per cent, differences in points; intervals are at 95 %.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from masktune.analysis.accuracy.numbers import PLACE, auroc, compare
from masktune.analysis.answers import Answers, Block
from masktune.statistics.crossed import mean_over_seeds

SUBCASES = [*PLACE, "group", "subcase", "examples", "method", "seeds", "accuracy", "low", "high", "lowest", "highest"]
FOLDINGS = [
    *PLACE, "method", "rule", "seeds", "examples", "accuracy", "low", "high", "entailed", "disagree", "auroc",
    "against", "difference", "difference_low", "difference_high",
]  # fmt: skip
ARGMAX, SUM = "largest logit, folded", "probabilities added up"
SMALLEST = 10  # examples of a sub-case on average: fewer share a cluster for another reason, as edited pairs do


def subcases(blocks: Iterable[Block]) -> pd.DataFrame:
    """Accuracy on each sub-case of a set, and the lowest and the highest seed: a row for each method."""
    rows = [row for block in blocks if has_subcases(block) for row in _subcases(block)]
    return pd.DataFrame(rows, columns=SUBCASES)


def has_subcases(block: Block) -> bool:
    """Whether the set is out of distribution, with named groups whose examples fall into more, large sub-cases."""
    groups, clusters = set(block.groups) - {""}, set(block.clusters)
    large = len(block.labels) >= SMALLEST * len(clusters)
    return block.kind == "out_of_distribution" and 0 < len(groups) < len(clusters) and large


def _subcases(block: Block) -> Iterator[dict[str, Any]]:
    for group, subcase in sorted(set(zip(block.groups, block.clusters, strict=True))):
        members = (block.groups == group) & (block.clusters == subcase)
        for answers in block.answers:
            values = 100 * block.correct(answers)[:, members].mean(axis=1)
            estimate = mean_over_seeds(values, answers.started_from(answers.seeds)).within(0, 100)
            yield {
                **block.place, "group": group, "subcase": subcase, "examples": int(members.sum()),
                "method": answers.method, "seeds": estimate.seeds, "accuracy": estimate.mean, "low": estimate.low,
                "high": estimate.high, "lowest": values.min(), "highest": values.max(),
            }  # fmt: skip


def foldings(blocks: Iterable[Block]) -> pd.DataFrame:
    """Both rules for each method on each set of fewer labels than its classifier has classes.

    `entailed`: the share of examples answered by the first label; `disagree`: that of examples that the rules answer
    differently; `auroc`: of the added probabilities, no rule being needed. `difference`: from the first method by the
    same rule, over seeds x clusters; NaN for that method itself.
    """
    rows = [row for block in blocks if is_folded(block) for row in _foldings(block)]
    return pd.DataFrame(rows, columns=FOLDINGS)


def is_folded(block: Block) -> bool:
    """Whether the set has two labels, and its classifier more classes."""
    classes = max((len(answers.frames[0]["logits"].iloc[0]) for answers in block.answers), default=0)
    return set(np.unique(block.labels)) <= {0, 1} and classes > 2


def _foldings(block: Block) -> Iterator[dict[str, Any]]:
    first = block.answers[0]
    right_of_first = _right(block, first)
    for answers in block.answers:
        right, entailed = _right(block, answers), {rule: fold(answers, rule) == 0 for rule in (ARGMAX, SUM)}
        shared = sorted(set(answers.seeds) & set(first.seeds))
        for rule, values in right.items():
            started = answers.started_from(answers.seeds)
            estimate = mean_over_seeds(100 * values.mean(axis=1), started).within(0, 100)
            gap = {}
            if answers is not first and shared:
                one, other = _seeds(first, right_of_first[rule], shared), _seeds(answers, values, shared)
                gap = compare(block, one, other, block.pretrainings(first.method, answers.method))
            yield {
                **block.place, "method": answers.method, "rule": rule, "seeds": estimate.seeds,
                "examples": len(block.labels), "accuracy": estimate.mean, "low": estimate.low, "high": estimate.high,
                "entailed": 100 * entailed[rule].mean(), "disagree": 100 * (entailed[ARGMAX] != entailed[SUM]).mean(),
                "auroc": 100 * auroc(block, answers).mean(), "against": first.method if gap else "",
                "difference": gap.get("difference", np.nan), "difference_low": gap.get("low", np.nan),
                "difference_high": gap.get("high", np.nan),
            }  # fmt: skip


def fold(answers: Answers, rule: str) -> np.ndarray:
    """The answers by a rule, 0 (entailment) or 1, from the logits. int [S, n]."""
    logits = answers.logits
    if rule == ARGMAX:
        return (logits.argmax(axis=-1) > 0).astype(int)
    probabilities = softmax(logits, axis=-1)
    return (probabilities[..., 1:].sum(axis=-1) > probabilities[..., 0]).astype(int)


def _right(block: Block, answers: Answers) -> dict[str, np.ndarray]:
    return {rule: fold(answers, rule) == block.labels for rule in (ARGMAX, SUM)}


def _seeds(answers: Answers, values: np.ndarray, seeds: list[int]) -> np.ndarray:
    """The rows [S, n] of these seeds."""
    return values[[answers.seeds.index(seed) for seed in seeds]]
