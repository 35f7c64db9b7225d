"""Draw the sets of the embedded world: no text twice, the labels in turn, each set from a random stream of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from masktune.data.world import inference, paraphrase, sentiment, text
from masktune.data.world.grammar import sentence
from masktune.data.world.settings import (
    CUE_COVERAGE,
    CUE_RATE,
    EVALUATION_ROWS,
    HARD_RATE,
    JUDGEMENT_WEIGHTS,
    SEED,
    TRAIN_ROWS,
)
from masktune.streams import derive

LABEL_NAMES = {
    "sentiment": sentiment.LABEL_NAMES,
    "inference": inference.LABEL_NAMES,
    "paraphrase": paraphrase.LABEL_NAMES,
}
TEXT_COLUMNS = ("text", "text_pair")

Row = dict[str, str | int]


@dataclass(frozen=True)
class GeneratedSet:
    """One set of a task. `kind` is "train" or, like `fold`, what `masktune.data.tasks.EvaluationSet` says of it."""

    name: str
    kind: str
    rows: list[Row]
    label_names: tuple[str, ...]
    fold: tuple[int, ...] | None = None


@cache
def generate(task: str) -> tuple[GeneratedSet, ...]:
    """The sets of a task, the train set first, generated once in a process."""
    return tuple(_SETS[task]())


class _Collector:
    """Draws examples until there are enough of them.

    Never one whose text was drawn before, in any set, nor one that is a text of the unlabelled collection.
    """

    def __init__(self, task: str) -> None:
        self.task = task
        self.seen = set(text.unlabelled())

    def random(self, name: str) -> Random:
        return Random(derive(SEED, "world", self.task, name))

    def draw_new(self, draw: Callable[[int], tuple[Row, ...]], label: int) -> tuple[Row, ...]:
        """The rows that `draw` gives for a label (one, or the two halves of a pair), drawn again until all are new."""
        while True:
            rows = draw(label)
            keys = {" ".join(str(row[column]) for column in TEXT_COLUMNS if column in row) for row in rows}
            if len(keys) == len(rows) and not keys & self.seen:
                self.seen |= keys
                return rows

    def rows(self, name: str, count: int, labels: int, draw: Callable[[Random, int], Row]) -> list[Row]:
        """`count` rows, the labels in turn, so that each prefix is balanced."""
        random = self.random(name)
        rows = []

        def draw_one(label: int) -> tuple[Row, ...]:
            return (draw(random, label),)

        for i in range(count):
            label = i % labels
            (row,) = self.draw_new(draw_one, label)
            rows.append(_with_columns(row, f"{name}-{i:04d}", f"{name}-{i:04d}", label))
        return rows

    def task_set(self, name: str, kind: str, draw: Callable[[Random, int], Row]) -> GeneratedSet:
        """A set with the labels of the task."""
        label_names = LABEL_NAMES[self.task]
        count = TRAIN_ROWS[self.task] if kind == "train" else EVALUATION_ROWS
        return GeneratedSet(name, kind, self.rows(name, count, len(label_names), draw), label_names)


def _with_columns(row: Row, example: str, cluster: str, label: int) -> Row:
    return {"example_id": example, "cluster_id": cluster, "group": "", **row, "label": label}


def _draw_review(random: Random, label: int) -> sentiment.Review:
    agrees = random.random() < CUE_RATE
    genres = sentiment.CUES[label if agrees else 1 - label]
    if random.random() >= CUE_COVERAGE:
        genres = sentiment.PLAIN_FILM
    return sentiment.draw_review(random, label, genres, JUDGEMENT_WEIGHTS, sentiment.FAMILIAR)


def _review_pairs(
    collector: _Collector, name: str, edit: Callable[[sentiment.Review], sentiment.Review]
) -> tuple[list[Row], list[Row]]:
    """Originals and their edited halves; both halves of a pair share the cluster_id."""
    random = collector.random(name)
    originals, revisions = [], []

    def draw_pair(label: int) -> tuple[Row, ...]:
        original = _draw_review(random, label)
        return {"text": original.text()}, {"text": edit(original).text()}

    for i in range(EVALUATION_ROWS):
        label = i % 2
        original, revision = collector.draw_new(draw_pair, label)
        cluster = f"{name}-{i:04d}"
        originals.append(_with_columns(original, f"{cluster}-original", cluster, label))
        revisions.append(_with_columns(revision, f"{cluster}-revised", cluster, 1 - label))
    return originals, revisions


def _sentiment() -> Iterator[GeneratedSet]:
    collector = _Collector("sentiment")

    def draw(random: Random, label: int) -> Row:
        return {"text": _draw_review(random, label).text()}

    yield collector.task_set("train", "train", draw)
    yield collector.task_set("validation", "in_distribution", draw)
    for name, edit in (("contrast", sentiment.contrast), ("counterfactual", sentiment.counterfactual)):
        originals, revisions = _review_pairs(collector, name, edit)
        yield GeneratedSet(name, "out_of_distribution", revisions, sentiment.LABEL_NAMES)
        yield GeneratedSet(f"{name}_original", "companion", originals, sentiment.LABEL_NAMES)


def _pair(texts: tuple[str, str], group: str = "") -> Row:
    return {"group": group, "text": sentence(texts[0]), "text_pair": sentence(texts[1])}


def _inference() -> Iterator[GeneratedSet]:
    collector = _Collector("inference")

    def draw(random: Random, label: int) -> Row:
        return _pair(inference.in_distribution(random, label, HARD_RATE["inference"]))

    def draw_adversarial(random: Random, label: int) -> Row:
        return _pair(inference.adversarial(random, label))

    yield collector.task_set("train", "train", draw)
    yield collector.task_set("validation", "in_distribution", draw)
    yield _heuristics(collector)
    yield collector.task_set("adversarial", "out_of_distribution", draw_adversarial)


def _heuristics(collector: _Collector) -> GeneratedSet:
    """The set like HANS: every heuristic with both labels in turn; neutral and contradiction are one label here."""
    cells = [(name, label) for name in inference.HEURISTICS for label in (0, 1)]

    def draw(random: Random, cell: int) -> Row:
        name, label = cells[cell]
        return _pair(inference.heuristic(random, name, label), f"{name}/{label}")

    rows = collector.rows("heuristics", EVALUATION_ROWS, len(cells), draw)
    rows = [{**row, "label": cells[int(row["label"])][1]} for row in rows]
    return GeneratedSet("heuristics", "out_of_distribution", rows, ("entailment", "non-entailment"), (0, 1, 1))


def _paraphrase() -> Iterator[GeneratedSet]:
    collector = _Collector("paraphrase")

    def draw(random: Random, label: int) -> Row:
        return _pair(paraphrase.in_distribution(random, label, HARD_RATE["paraphrase"]))

    def draw_swap(random: Random, label: int) -> Row:
        return _pair(paraphrase.swaps(random, label))

    yield collector.task_set("train", "train", draw)
    yield collector.task_set("validation", "in_distribution", draw)
    yield collector.task_set("swaps", "out_of_distribution", draw_swap)


_SETS = {"sentiment": _sentiment, "inference": _inference, "paraphrase": _paraphrase}
