"""The real data: which sets make up each task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masktune.data import rows, sources
from masktune.data.card import DataCard
from masktune.data.catalogue import CARDS, INFERENCE, PARAPHRASE, SENTIMENT, card
from masktune.data.tasks import EvaluationSet, TaskData
from masktune.errors import MaskTuneError, one_of
from masktune.streams import derive

REVIEW_LENGTH = 256  # most reviews are longer than the 128 tokens that do for sentences
SENTENCE_LENGTH = 128


@dataclass(frozen=True)
class Selection:
    """An evaluation set: a card, or one side of its pairs."""

    name: str
    kind: str
    card: str
    side: str | None = None
    max_length: int = SENTENCE_LENGTH
    fold: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Task:
    """A task: its labels, the card of its train set and its evaluation sets."""

    label_names: tuple[str, ...]
    train: str
    evaluation: tuple[Selection, ...]


def _review_sets(name: str, card_name: str, side: str) -> tuple[Selection, Selection]:
    edited = Selection(name, "out_of_distribution", card_name, side, REVIEW_LENGTH)
    return edited, replace(edited, name=f"{name}_original", kind="companion", side="original")


TASKS = {
    "sentiment": Task(
        SENTIMENT,
        "glue/sst2/train",
        (
            Selection("sst2_validation", "in_distribution", "glue/sst2/validation"),
            *_review_sets("imdb_contrast", "imdb-contrast/test", "contrast"),
            *_review_sets("imdb_cad", "imdb-cad/test", "revised"),
        ),
    ),
    "inference": Task(
        INFERENCE,
        "glue/mnli/train",
        (
            Selection("mnli_matched", "in_distribution", "glue/mnli/validation_matched"),
            Selection("mnli_mismatched", "in_distribution", "glue/mnli/validation_mismatched"),
            Selection("hans", "out_of_distribution", "hans/validation", fold=(0, 1, 1)),
            Selection("anli_r1", "out_of_distribution", "anli/r1/validation"),
            Selection("anli_r2", "out_of_distribution", "anli/r2/validation"),
            Selection("anli_r3", "out_of_distribution", "anli/r3/validation"),
        ),
    ),
    "paraphrase": Task(
        PARAPHRASE,
        "glue/qqp/train",
        (
            Selection("qqp_validation", "in_distribution", "glue/qqp/validation"),
            Selection("paws_qqp", "out_of_distribution", "paws-qqp/dev_and_test"),
        ),
    ),
}


class _Reader:
    """Reads each set once, however many evaluation sets are cut from it, and keeps what was read for the record."""

    def __init__(self) -> None:
        self.tables: dict[str, pa.Table] = {}
        self.digests: dict[str, str] = {}

    def read(self, name: str, side: str | None = None) -> pa.Table:
        if name not in self.tables:
            raw = sources.find(card(name))
            self.tables[name] = sources.verify(raw, card(name))
            self.digests[raw.name] = raw.sha256
        table = self.tables[name]
        if side is not None:
            table = table.filter(pc.equal(table[rows.SIDE], side))
        return table.select([column for column in rows.COMMON if column in table.column_names])


def _draw(train: datasets.Dataset, count: int | None, task: str) -> datasets.Dataset:
    """`count` examples at random, in their old order; the draw depends on the task alone.

    Smaller draws are contained in larger ones, so that curves over the number of examples grow one train set.
    """
    if count is None:
        return train
    if not isinstance(count, int) or isinstance(count, bool) or not 0 < count <= len(train):
        raise MaskTuneError(
            f"train_examples is {count!r}, but the {task} train set read here has {len(train):,} rows; "
            f"give a whole number from 1 to {len(train)}, or leave it out"
        )
    order = np.random.default_rng(derive(0, "train_examples", "real", task)).permutation(len(train))
    return train.select(np.sort(order[:count]))


def load(task: str, train_examples: int | None = None, also_train: str | None = None) -> TaskData:
    """A task of the real data. See `masktune.data.load`.

    `also_train` names the card of a train set whose rows are added to the task's own: "imdb-cad/train" holds reviews
    and their revisions with the other label, so that what the two share cannot tell the label (Kaushik et al. 2020).
    """
    definition = TASKS[one_of(task, TASKS, "task")]
    reader = _Reader()
    train = datasets.Dataset(reader.read(definition.train))
    train = _draw(train, train_examples, task)
    if also_train is not None:
        train = datasets.concatenate_datasets([train, _read_more(reader, also_train, definition)])
    evaluation = tuple(
        EvaluationSet(
            name=selection.name,
            kind=selection.kind,
            examples=datasets.Dataset(reader.read(selection.card, selection.side)),
            label_names=card(selection.card).label_names,
            max_length=selection.max_length,
            fold=selection.fold,
        )
        for selection in definition.evaluation
    )
    return TaskData(task, definition.label_names, card(definition.train).paired, train, evaluation, reader.digests)


def _read_more(reader: _Reader, name: str, definition: Task) -> datasets.Dataset:
    own = card(definition.train)
    fitting = [other.name for other in CARDS.values() if _adds_to(own, other)]
    return datasets.Dataset(reader.read(one_of(name, fitting, "also_train")))


def _adds_to(own: DataCard, other: DataCard) -> bool:
    """Whether the rows of a train set can join those of another: the same labels and kind of texts."""
    same = (other.label_names, other.paired) == (own.label_names, own.paired)
    return same and other.name != own.name and other.name.rpartition("/")[2].startswith("train")


def _distinct_texts(tables: Iterable[pa.Table]) -> list[str]:
    """Every text of the tables once, in the order of first occurrence."""
    texts: dict[str, None] = {}
    for table in tables:
        for column in ("text", "text_pair"):
            if column in table.column_names:
                texts.update(dict.fromkeys(table[column].to_pylist()))
    return list(texts)


def unlabelled(task: str) -> list[str]:
    """The texts of a task's train sources, without labels, each once, to adapt a masked language model on.

    Sentiment: the sentences of SST-2 train, and the original reviews of the TRAIN split of the counterfactually
    augmented IMDb data, because SST-2 has no long texts. Inference: premises and hypotheses; paraphrase: questions.
    No file of an evaluation set is read. A text can still be in one too: none of sentiment does, a handful of MNLI's
    short sentences do, and so do about 15 % of the single questions of QQP validation, as the set was made.
    """
    definition = TASKS[one_of(task, TASKS, "task")]
    reader = _Reader()
    tables = [reader.read(definition.train)]
    if task == "sentiment":
        tables.append(reader.read("imdb-cad/train", "original"))
    return _distinct_texts(tables)
