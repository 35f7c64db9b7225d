"""Draw the sets of the embedded world: no text twice, the labels in turn, a random stream of its own for each row.

The evaluation sets come first and are the same whatever the strength of the cue; a train set has none of their texts.
With another strength the rows of a train set are drawn from the same streams: of two sentiment sets, row by row, most
reviews differ in the genre alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from masktune.data.world import inference, paraphrase, sentiment, text
from masktune.data.world.grammar import sentence
from masktune.data.world.settings import (
    CUE_COVERAGE,
    CUE_RATE,
    EVALUATION_ROWS,
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
NO_CUE = -1

Row = dict[str, str | int]


@dataclass(frozen=True)
class GeneratedSet:
    """One set of a task. `kind` is "train" or, like `fold`, what `masktune.data.tasks.EvaluationSet` says of it."""

    name: str
    kind: str
    rows: list[Row]
    label_names: tuple[str, ...]
    fold: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Strength:
    """How strong the cue of a train set is: `rate` of the examples that hold it agree with it, `coverage` hold it."""

    rate: float
    coverage: float

    @classmethod
    def of(cls, task: str, rate: float | None = None, coverage: float | None = None) -> Strength:
        """The strength of a task's own train set, where no other is given."""
        return cls(
            CUE_RATE[task] if rate is None else rate,
            CUE_COVERAGE[task] if coverage is None else coverage,
        )

    def draw_cue(self, random: Random, label: int, labels: int) -> int:
        """The label that the cue of an example points to, NO_CUE for none.

        Every value takes as many random numbers, so that the rest of the example is the same.
        """
        agrees, covered = random.random() < self.rate, random.random() < self.coverage
        other = random.choice([each for each in range(labels) if each != label])
        return (label if agrees else other) if covered else NO_CUE


@cache
def generate(task: str) -> tuple[GeneratedSet, ...]:
    """The sets of a task, the train set first, generated once in a process."""
    return generate_train(task, Strength.of(task)), *_evaluation(task)


def generate_train(task: str, strength: Strength) -> GeneratedSet:
    """The train set of a task with a cue of the given strength."""
    collector = _Collector(task)
    for generated in _evaluation(task):
        collector.seen.update(map(_key, generated.rows))
    return collector.task_set("train", "train", _DRAW[task], strength)


@cache
def _evaluation(task: str) -> tuple[GeneratedSet, ...]:
    return tuple(_EVALUATION[task]())


def _key(row: Row) -> str:
    return " ".join(str(row[column]) for column in TEXT_COLUMNS if column in row)


class _Collector:
    """Draws examples until there are enough of them.

    Never one whose text was drawn before, in any set, nor one that is a text of the unlabelled collection.
    """

    def __init__(self, task: str) -> None:
        self.task = task
        self.labels = len(LABEL_NAMES[task])
        self.strength = Strength.of(task)
        self.seen = set(text.unlabelled())

    def draw_new(self, name: str, number: int, draw: Callable[[Random], tuple[Row, ...]]) -> tuple[Row, ...]:
        """What `draw` gives for row `number` of a set (one row, or both halves of a pair), again until all is new."""
        random = Random(derive(SEED, "world", self.task, name, number))
        while True:
            rows = draw(random)
            keys = set(map(_key, rows))
            if len(keys) == len(rows) and not keys & self.seen:
                self.seen |= keys
                return rows

    def rows(self, name: str, count: int, labels: int, draw: Callable[[Random, int], Row]) -> list[Row]:
        """`count` rows, the labels in turn, so that each prefix is balanced."""
        rows = []
        for i in range(count):
            label = i % labels

            def draw_one(random: Random, label: int = label) -> tuple[Row, ...]:
                return (draw(random, label),)

            (row,) = self.draw_new(name, i, draw_one)
            rows.append(_with_columns(row, f"{name}-{i:04d}", f"{name}-{i:04d}", label))
        return rows

    def task_set(
        self, name: str, kind: str, draw: Callable[[Random, int, int], Row], strength: Strength | None = None
    ) -> GeneratedSet:
        """A set with the labels of the task and a cue of the given strength (None: the task's own)."""
        strength = strength or self.strength
        count = TRAIN_ROWS[self.task] if kind == "train" else EVALUATION_ROWS

        def draw_one(random: Random, label: int) -> Row:
            return draw(random, label, strength.draw_cue(random, label, self.labels))

        return GeneratedSet(name, kind, self.rows(name, count, self.labels, draw_one), LABEL_NAMES[self.task])


def _with_columns(row: Row, example: str, cluster: str, label: int) -> Row:
    return {"example_id": example, "cluster_id": cluster, "group": "", **row, "label": label}


def _draw_review(random: Random, label: int, cue: int) -> sentiment.Review:
    genres = sentiment.PLAIN_FILM if cue == NO_CUE else sentiment.CUES[cue]
    return sentiment.draw_review(random, label, genres, JUDGEMENT_WEIGHTS, sentiment.FAMILIAR)


def _review(random: Random, label: int, cue: int) -> Row:
    return {"text": _draw_review(random, label, cue).text(), "cue": cue}


def _sentiment() -> Iterator[GeneratedSet]:
    collector = _Collector("sentiment")
    yield collector.task_set("validation", "in_distribution", _review)
    for name, edit in (("contrast", sentiment.contrast), ("counterfactual", sentiment.counterfactual)):
        originals, revisions = _review_pairs(collector, name, edit)
        yield GeneratedSet(name, "out_of_distribution", revisions, sentiment.LABEL_NAMES)
        yield GeneratedSet(f"{name}_original", "companion", originals, sentiment.LABEL_NAMES)


def _review_pairs(
    collector: _Collector, name: str, edit: Callable[[sentiment.Review], sentiment.Review]
) -> tuple[list[Row], list[Row]]:
    """Originals, which all hold the cue, and their edited halves; both halves of a pair share the cluster_id and it."""
    strength = replace(collector.strength, coverage=1)
    originals, revisions = [], []
    for i in range(EVALUATION_ROWS):
        label = i % 2

        def draw_both(random: Random, label: int = label) -> tuple[Row, ...]:
            cue = strength.draw_cue(random, label, 2)
            original = _draw_review(random, label, cue)
            return {"text": original.text(), "cue": cue}, {"text": edit(original).text(), "cue": cue}

        original, revision = collector.draw_new(name, i, draw_both)
        cluster = f"{name}-{i:04d}"
        originals.append(_with_columns(original, f"{cluster}-original", cluster, label))
        revisions.append(_with_columns(revision, f"{cluster}-revised", cluster, 1 - label))
    return originals, revisions


def _pair(texts: tuple[str, str], cue: int, group: str = "") -> Row:
    return {"group": group, "text": sentence(texts[0]), "text_pair": sentence(texts[1]), "cue": cue}


def _inference_pair(random: Random, label: int, cue: int) -> Row:
    return _pair(inference.draw_pair(random, label, cue), cue)


def _inference() -> Iterator[GeneratedSet]:
    collector = _Collector("inference")
    yield collector.task_set("validation", "in_distribution", _inference_pair)
    yield _heuristics(collector)
    yield collector.task_set("adversarial", "out_of_distribution", _inference_pair, Strength(rate=0, coverage=1))


def _heuristics(collector: _Collector) -> GeneratedSet:
    """The set like HANS: every heuristic with both labels in turn; neutral and contradiction are one label here."""
    cells = [(name, label) for name in inference.HEURISTICS for label in (0, 1)]

    def draw(random: Random, cell: int) -> Row:
        name, label = cells[cell]
        return _pair(inference.heuristic(random, name, label), inference.ENTAILMENT, f"{name}/{label}")

    rows = collector.rows("heuristics", EVALUATION_ROWS, len(cells), draw)
    rows = [{**row, "label": cells[int(row["label"])][1]} for row in rows]
    return GeneratedSet("heuristics", "out_of_distribution", rows, ("entailment", "non-entailment"), (0, 1, 1))


def _paraphrase_pair(random: Random, label: int, cue: int) -> Row:
    return _pair(paraphrase.draw_pair(random, label, cue), cue)


def _swap(random: Random, label: int, cue: int) -> Row:
    return _paraphrase_pair(random, label, paraphrase.PARAPHRASE)


def _paraphrase() -> Iterator[GeneratedSet]:
    collector = _Collector("paraphrase")
    yield collector.task_set("validation", "in_distribution", _paraphrase_pair)
    yield collector.task_set("swaps", "out_of_distribution", _swap)


_DRAW = {"sentiment": _review, "inference": _inference_pair, "paraphrase": _paraphrase_pair}
_EVALUATION = {"sentiment": _sentiment, "inference": _inference, "paraphrase": _paraphrase}
