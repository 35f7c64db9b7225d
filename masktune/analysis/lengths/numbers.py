"""Accuracy out of distribution with the evaluation texts cut at several lengths.

The runs are the same; only their evaluation sets are cut again (Training.evaluation_lengths), as "<set>@<tokens>".
"""

from collections.abc import Iterable

import pandas as pd

from masktune import data
from masktune.analysis.accuracy import numbers as accuracy
from masktune.analysis.answers import Block

COLUMNS = [
    "task", "model", "set", "tokens", "headline", "method", "seeds", "examples", "accuracy", "lowest", "highest",
    "difference", "low", "high", "majority", *accuracy.SECONDARY,
]  # fmt: skip


def by_length(blocks: Iterable[Block], collection: str, plain: str) -> pd.DataFrame:
    """Each method on each set that was cut at several lengths: COLUMNS, per cent and points, shortest cut first.

    `lowest` and `highest` are single seeds; `difference` is the method's minus that of `plain` at the same length,
    `low` to `high` its interval over seeds x clusters. `headline` marks the length that the other tables use.
    """
    blocks = list(blocks)
    recut = {(b.task, b.model, b.name.partition("@")[0]) for b in blocks if b.kind == "other_length"}
    rows = []
    for block in blocks:
        name, _, tokens = block.name.partition("@")
        if (block.task, block.model, name) in recut and block.kind in ("out_of_distribution", "other_length"):
            length = int(tokens) if tokens else data.max_lengths(collection, block.task)[name]
            place = {"task": block.task, "model": block.model, "set": name, "tokens": length, "headline": not tokens}
            rows += [{**place, **_row(block, answers.method, plain)} for answers in block.answers]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.sort_values(["task", "model", "set", "tokens"], kind="stable", ignore_index=True)


def _row(block: Block, method: str, plain: str) -> dict[str, object]:
    answers = next(answers for answers in block.answers if answers.method == method)
    each = 100 * block.correct(answers).mean(axis=1)
    row = {"method": method, "seeds": len(each), "examples": len(block.labels)}
    row |= {"accuracy": each.mean(), "lowest": each.min(), "highest": each.max()}
    row |= {"majority": 100 * block.majority}
    row |= {name: values.mean() for name, values in accuracy.secondary_metrics(block, answers).items()}
    pair = None if method == plain else block.pair(plain, method)
    if pair is not None:
        estimated = accuracy.compare(block, *pair, block.pretrainings(plain, method))
        row |= {name: estimated[name] for name in ("difference", "low", "high")}
    return row
