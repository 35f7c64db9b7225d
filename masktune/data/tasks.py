"""What every collection of data hands to training and evaluation: one task, its train set and its evaluation sets.

The columns of every `datasets.Dataset` here are the same:

    example_id  string   unique within its set
    cluster_id  string   examples that are not independent share it (the pair of a contrast set, the sub-case of HANS)
    group       string   a named slice for tables ("lexical_overlap/0" in HANS), "" where there is none
    text        string   the sentence, premise or first question
    text_pair   string   the hypothesis or second question; absent where the task has one text
    label       int64    an index into `label_names`
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datasets


@dataclass(frozen=True)
class EvaluationSet:
    """One set to evaluate on.

    `kind` is "in_distribution", "out_of_distribution", "companion" or "other_length". A companion is the untouched half
    of a set of pairs: it is kept for pair consistency and is never a headline number, and neither is a set whose texts
    are cut to another length.
    `max_length` is the number of tokens a text, or a pair of texts, is cut to.
    `fold` maps each class of the task to a label of this set, for example (0, 1, 1) for HANS, where neutral and
    contradiction both count as non-entailment; None means that the labels are the task's own.
    """

    name: str
    kind: str
    examples: datasets.Dataset
    label_names: tuple[str, ...]
    max_length: int
    fold: tuple[int, ...] | None


@dataclass(frozen=True)
class TaskData:
    """A task with its train set and evaluation sets.

    `paired` says whether examples have a `text_pair`. `digests` maps the name of everything that was read to its
    sha256 (for generated data: of the generated rows), so that a run can state which data it saw.
    """

    task: str
    label_names: tuple[str, ...]
    paired: bool
    train: datasets.Dataset
    evaluation: tuple[EvaluationSet, ...]
    digests: dict[str, str]

    def also_cut_to(self, lengths: Iterable[int]) -> TaskData:
        """The task with each out-of-distribution set once more at every other length, as "<name>@<tokens>"."""
        recut = tuple(
            replace(evaluated, name=f"{evaluated.name}@{length}", kind="other_length", max_length=length)
            for evaluated in self.evaluation
            for length in lengths
            if evaluated.kind == "out_of_distribution" and length != evaluated.max_length
        )
        return replace(self, evaluation=self.evaluation + recut)
