"""Data: three tasks, each in two collections.

"real" is the published data, read by `masktune.data.sources`; "embedded" is generated on the spot by
`masktune.data.world`, needs no network and does not stand in for the real figures.

    task = data.load("real", "sentiment", train_examples=8000)
    task.train, [evaluated.name for evaluated in task.evaluation], data.notes(task.digests)
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from masktune.errors import one_of

if TYPE_CHECKING:
    from types import ModuleType

    from masktune.data.card import DataCard
    from masktune.data.tasks import TaskData

TASKS = ("sentiment", "inference", "paraphrase")
# What else `load` takes of a collection: what a row of a study may change in its train set.
OPTIONS = {"embedded": ("cue_rate", "cue_coverage"), "real": ("also_train",)}
SINGLE_TEXT = ("sentiment",)  # the others have pairs of texts
# Imported when they are asked for: they bring Arrow and datasets, which the help of the command line does not need.
_MODULES = {"embedded": "masktune.data.world", "real": "masktune.data.real"}
COLLECTIONS = tuple(_MODULES)
# What each task is evaluated on, and which of it counts as in-distribution: known without reading any data. The
# companions of edited sets are left out, as nothing is claimed about them.
EVALUATION = {
    "embedded": {
        "sentiment": {
            "validation": "in_distribution",
            "contrast": "out_of_distribution",
            "counterfactual": "out_of_distribution",
        },
        "inference": {
            "validation": "in_distribution",
            "heuristics": "out_of_distribution",
            "adversarial": "out_of_distribution",
        },
        "paraphrase": {"validation": "in_distribution", "swaps": "out_of_distribution"},
    },
    "real": {
        "sentiment": {
            "sst2_validation": "in_distribution",
            "imdb_contrast": "out_of_distribution",
            "imdb_cad": "out_of_distribution",
        },
        "inference": {
            "mnli_matched": "in_distribution",
            "mnli_mismatched": "in_distribution",
            "hans": "out_of_distribution",
            "anli_r1": "out_of_distribution",
            "anli_r2": "out_of_distribution",
            "anli_r3": "out_of_distribution",
        },
        "paraphrase": {"qqp_validation": "in_distribution", "paws_qqp": "out_of_distribution"},
    },
}


def module_name(collection: str) -> str:
    """The module that reads a collection. Raises MaskTuneError for an unknown one."""
    return _MODULES[one_of(collection, COLLECTIONS, "data collection")]


def _collection(collection: str) -> ModuleType:
    return import_module(module_name(collection))


def load(collection: str, task: str, *, train_examples: int | None = None, **options: Any) -> TaskData:
    """A task with its train set and evaluation sets.

    `train_examples` keeps that many train examples: a random subset that is the same for every seed of a study.
    `options` (OPTIONS) change the train set alone: `masktune.data.world.load` and `masktune.data.real.load` say how.
    Raises MaskTuneError for an unknown collection or task, for data that cannot be found or breaks the promises of its
    card, and for more train examples than there are.
    """
    one_of(task, TASKS, "task")
    check_options(collection, options)
    return _collection(collection).load(task, train_examples=train_examples, **options)


def check_options(collection: str, options: Iterable[str]) -> None:
    """Raise MaskTuneError for an option that `load` does not take of this collection."""
    for name in options:
        one_of(name, OPTIONS[one_of(collection, COLLECTIONS, "data collection")], f"option of {collection} data")


def max_lengths(collection: str, task: str) -> dict[str, int]:
    """The number of tokens that the texts of each evaluation set of a task are cut to, companions left out."""
    module = _collection(collection)
    if collection == "embedded":
        return dict.fromkeys(EVALUATION[collection][task], module.MAX_LENGTH)
    selections = module.TASKS[task].evaluation
    return {selection.name: selection.max_length for selection in selections if selection.kind != "companion"}


def unlabelled(collection: str, task: str) -> list[str]:
    """Texts without labels, to train or adapt a masked language model on; no evaluation set is read for it.

    Real: the texts of the task's train sources (`masktune.data.real.unlabelled` says which). Embedded: the text of the
    world, the same for every task.
    """
    one_of(task, TASKS, "task")
    module = _collection(collection)
    return module.unlabelled(task) if collection == "real" else module.unlabelled()


def cards(collection: str) -> tuple[DataCard, ...]:
    """The data cards of a collection, for tables and documentation."""
    if one_of(collection, COLLECTIONS, "data collection") == "embedded":
        return tuple(_collection(collection).cards())
    from masktune.data.catalogue import CARDS

    return tuple(CARDS.values())


def notes(digests: dict[str, str]) -> tuple[str, ...]:
    """What a report must say of the data read (`TaskData.digests`): a sentence for each set that was read in part."""
    from masktune.data import catalogue

    return catalogue.notes(digests)
