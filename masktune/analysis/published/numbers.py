"""The accuracy of fine-tuning beside the published one, and what differs between the two, which is read from the runs.

What was published stands in the study's file: `[models.NAME] published = { of = "...", sst2_validation = 83.2 }`, an
accuracy for each set on which ours is to be compared with it.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from masktune import data
from masktune.analysis.accuracy.numbers import PLACE
from masktune.analysis.answers import Block
from masktune.statistics.crossed import mean_over_seeds
from masktune.study.design.study import Study
from masktune.study.store.previous import data_digests

COLUMNS = [
    *PLACE, "method", "seeds", "examples", "accuracy", "low", "high", "published", "difference", "differs", "of",
]  # fmt: skip


def beside_published(study: Study, blocks: Iterable[Block], runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each set with a published accuracy, in per cent; `difference` is ours minus the published, in points.

    `low` to `high` is a 95 % t interval over seeds: what was published is one number without any.
    """
    rows = []
    for block in blocks:
        known = study.published.get(block.model)
        method = _fine_tuning(runs, block)
        answers = next((each for each in block.answers if each.method == method), None)
        if known is None or block.name not in known.accuracy or answers is None:
            continue
        accuracies, started = 100 * block.correct(answers).mean(axis=1), answers.started_from(answers.seeds)
        estimate = mean_over_seeds(accuracies, started).within(0, 100)
        own = runs[(runs["label"] == method) & (runs["model"] == block.model) & (runs["task"] == block.task)]
        published = known.accuracy[block.name]
        rows.append(
            {**block.place, "method": method, "seeds": estimate.seeds, "examples": len(block.labels),
             "accuracy": estimate.mean, "low": estimate.low, "high": estimate.high, "published": published,
             "difference": estimate.mean - published, "differs": _what_differs(study, block, own), "of": known.of}
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _fine_tuning(runs: pd.DataFrame, block: Block) -> str | None:
    """The label of plain fine-tuning in the main part, the first one of the study."""
    plain = runs[(runs["method"] == "fine_tuning") & (runs["part"] == "main") & (runs["task"] == block.task)]
    return next(iter(plain["label"]), None)


def _what_differs(study: Study, block: Block, runs: pd.DataFrame) -> str:
    """What is known to differ: the set, how much of it and of the train set was read, the training, the checkpoint."""
    done = runs[runs["status"] == "done"]
    digests = {name for _, row in done.iterrows() for name in data_digests(row.to_dict())}
    model = next(each for each in study.models if each.name == block.model)
    training = done.iloc[0] if len(done) else None
    parts = ["validation set, not test"]
    parts += _read_in_part(digests)
    if training is not None and (size := training.get("training/train_examples")) and not np.isnan(size):
        parts.append(f"{int(size):,} train examples")
    if training is not None:
        epochs, rate = (training.get(f"training/{name}") for name in ("epochs", "learning_rate"))
        parts.append(f"{epochs:g} epochs at {rate:g}, batches of {training.get('training/batch_size')}")
    if model.adaptation is not None:
        parts.append(f"encoder and masked-LM head adapted for {model.adaptation.steps:,} steps before")
    return "; ".join([*parts, f"checkpoint {model.checkpoint}"])


def _read_in_part(digests: Iterable[str]) -> list[str]:
    """A phrase for each set of which the runs read a part."""
    subsets = {card.subset.name: (card, card.subset) for card in data.cards("real") if card.subset}
    found = [subsets[name] for name in sorted(digests) if name in subsets]
    return [f"{subset.rows:,} of {card.rows:,} rows of {card.title}" for card, subset in found]
