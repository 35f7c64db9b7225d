"""What the labels of a train set are: classes, several labels of an example, or numbers to predict.

transformers' classifiers take one of three losses, by `config.problem_type`, and where that is not set by the labels:

    single_label_classification   cross-entropy       labels [B], whole numbers below num_labels
    multi_label_classification    BCE with logits     labels [B, num_labels], 0 and 1 or probabilities
    regression                    squared error       labels [B] or [B, num_labels], any numbers; also of num_labels=1

Here labels are brought to what the loss reads, whatever a data set's format made of them: int8, bool, whole numbers as
decimals for classes, and whole numbers for the other two.
"""

from collections.abc import Mapping
from typing import Any

import datasets
import torch
from torch import Tensor

from masktune.errors import MaskTuneError, one_of
from masktune.methods import Method

CLASSES, SEVERAL, NUMBERS = "single_label_classification", "multi_label_classification", "regression"
PROBLEMS = (CLASSES, SEVERAL, NUMBERS)
COLUMNS = ("labels", "label", "label_ids")
IGNORED = -100  # the class of an example that has none, as transformers and torch have it


def problem_of(config: Any, width: int | None) -> str:
    """Which of PROBLEMS it is, for labels of one number for each example (width None) or of several."""
    if getattr(config, "problem_type", None) is not None:
        return one_of(config.problem_type, PROBLEMS, "problem_type")
    if config.num_labels == 1:
        return NUMBERS
    return SEVERAL if width not in (None, 1) else CLASSES


def check_problem(problem: str, method: Method) -> None:
    """Raise MaskTuneError where a method needs one class for each example, and there is none."""
    if problem != CLASSES and method.needs_classes:
        raise MaskTuneError(
            f"problem_type = {problem!r}: {method.name!r} with these options needs one class for each example; "
            "choose 'mask_tuning' or 'fine_tuning'"
        )


def check_labels(dataset: Any, config: Any, method: Method, tokenised: bool = True) -> None:
    """Raise MaskTuneError for a table of examples without labels, or with one that the model has no loss for.

    A table is a `datasets.Dataset`, or one in memory; of other train sets, and of those that make their rows as they
    are read, each batch is looked at by `fit`. With a collator of the user's, which may tokenise, `tokenised` is False.
    """
    check_container(dataset)
    if not hasattr(dataset, "column_names") or not hasattr(dataset, "__len__"):
        return
    made = is_made_when_read(dataset) or not tokenised
    column = label_column(dataset)
    if not made and (column is None or "input_ids" not in dataset.column_names):
        raise MaskTuneError(
            f"the train dataset has the columns {', '.join(dataset.column_names)}; expected input_ids, attention_mask "
            "and labels: tokenise the texts, and name the column of classes 'labels'"
        )
    if column is not None and not is_made_when_read(dataset):
        _check_column(plain(dataset)[column], config, method)


def check_container(dataset: Any) -> None:
    """Raise MaskTuneError for what holds data sets, or columns, and is no data set."""
    if not isinstance(dataset, Mapping):
        return
    names, kind = ", ".join(map(str, dataset)), type(dataset).__name__
    if "input_ids" in dataset:
        raise MaskTuneError(
            f"train_dataset is a {kind} of the columns {names}, and no data set; pass "
            "datasets.Dataset.from_dict({**columns, 'labels': labels})"
        )
    raise MaskTuneError(
        f"train_dataset is a {kind} of {names or 'nothing'}; pass one of its data sets: "
        f"train_dataset=data[{next(iter(dataset), 'train')!r}]"
    )


def _check_column(labels: Any, config: Any, method: Method) -> None:
    problem = None
    for row, label in enumerate(labels):
        if problem == CLASSES and type(label) is int and 0 <= label < config.num_labels:
            continue  # nearly all there is
        label = label.tolist() if isinstance(label, Tensor) else label
        if problem is None:
            problem = problem_of(config, len(label) if isinstance(label, list) else None)
            check_problem(problem, method)
        if not _fits(label, problem, config.num_labels):
            raise MaskTuneError(
                f"row {row} of the train dataset has the label {label!r}; expected {_expected(problem, config)}"
            )


def _fits(label: Any, problem: str, num_labels: int) -> bool:
    numbers = label if isinstance(label, list) else [label]
    if not all(isinstance(number, bool | int | float) and number == number for number in numbers):
        return False
    if problem == CLASSES:
        whole = len(numbers) == 1 and float(numbers[0]).is_integer()
        return whole and (numbers[0] == IGNORED or 0 <= numbers[0] < num_labels)
    if len(numbers) != num_labels or (problem == SEVERAL and not isinstance(label, list)):
        return False
    return problem == NUMBERS or all(0 <= number <= 1 for number in numbers)


def _expected(problem: str, config: Any) -> str:
    count = config.num_labels
    if problem == CLASSES:
        return f"a whole number from 0 to {count - 1}: mend the data, or load the model with num_labels="
    if problem == SEVERAL:
        return f"a list of {count} numbers from 0 to 1, as problem_type {problem!r} and num_labels = {count} have it"
    return f"{'a number' if count == 1 else f'a list of {count} numbers'}, as problem_type {problem!r} has it"


def fit(labels: Tensor, config: Any, method: Method) -> Tensor:
    """The labels of a batch, [B] or [B, C] of any kind of number, as the loss reads them: int64 [B], or decimals.

    Raises MaskTuneError for labels that do not go with `config`, and with the method.
    """
    problem = problem_of(config, labels.shape[1] if labels.dim() > 1 else None)
    if problem == CLASSES and labels.dtype == torch.int64 and labels.dim() == 1:
        return labels
    check_problem(problem, method)
    wide = labels.dim() > 1 and labels.shape[1] == config.num_labels
    if problem == CLASSES:
        whole = not labels.is_floating_point() or bool((labels == labels.round()).all())
        if not whole or labels.numel() != len(labels):
            raise _unfit(labels, problem, config)
        return labels.reshape(-1).long()
    if not wide and (problem == SEVERAL or config.num_labels > 1):
        raise _unfit(labels, problem, config)
    return labels if labels.is_floating_point() and labels.dtype != torch.float64 else labels.float()


def _unfit(labels: Tensor, problem: str, config: Any) -> MaskTuneError:
    first = labels[0].tolist()
    return MaskTuneError(f"a batch has the label {first!r} for an example; expected {_expected(problem, config)}")


def with_class(labels: Tensor, config: Any) -> Tensor | None:
    """Which examples of a batch have a class and not IGNORED, bool [B]; None where all have one, or it is no class."""
    if problem_of(config, labels.shape[1] if labels.dim() > 1 else None) != CLASSES:
        return None
    having = labels.reshape(len(labels), -1).ne(IGNORED).all(1)
    return None if bool(having.all()) else having


def require(inputs: Any) -> None:
    """Raise MaskTuneError for a batch to train on that has no labels."""
    if "labels" not in inputs:
        raise MaskTuneError(
            f"a batch of the train set has {', '.join(inputs)}, and no labels; name the classes 'labels' or 'label', "
            "or have the data_collator give 'labels'"
        )


def label_column(dataset: Any) -> str | None:
    """The name of the column of labels, of those that transformers' collators know; None if there is none."""
    return next((name for name in COLUMNS if name in dataset.column_names), None)


def is_made_when_read(dataset: Any) -> bool:
    """Whether a function makes the rows of a `datasets.Dataset` as they are read (`with_transform`)."""
    return isinstance(dataset, datasets.Dataset) and dataset.format["type"] == "custom"


def plain(dataset: Any) -> Any:
    """The data set whose columns are lists of Python's numbers, whatever its format makes of them."""
    formatted = isinstance(dataset, datasets.Dataset) and dataset.format["type"] is not None
    return dataset.with_format(None) if formatted else dataset
