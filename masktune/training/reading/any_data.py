"""What a Trainer reads: data sets of any format, labels of any kind of number."""

from typing import Any

import datasets
from torch import Tensor
from transformers import Trainer

from masktune.methods import Method
from masktune.models.joint import MaskTuningModel
from masktune.training.reading import labels

# Formats whose rows are no dicts of numbers, which is what a collator takes.
TABLES = ("arrow", "pandas", "polars")


class AnyData(Trainer):
    """A Trainer with a method that reads data of any format."""

    model: MaskTuningModel
    method: Method

    def _prepare_inputs(self, inputs: dict[str, Tensor | Any]) -> dict[str, Tensor | Any]:
        """Trainer's own; labels become what the loss reads."""
        inputs = super()._prepare_inputs(inputs)
        given = inputs.get("labels")
        if not isinstance(given, Tensor):
            return inputs
        fitting = labels.fit(given, self.model.config, self.method)
        return inputs if fitting is given else {**inputs, "labels": fitting}

    def _remove_unused_columns(self, dataset: datasets.Dataset, description: str | None = None) -> datasets.Dataset:
        """Trainer's own, of rows that a collator can read."""
        if dataset.format["type"] in TABLES:
            dataset = dataset.with_format(None, columns=dataset.format["columns"])
        return super()._remove_unused_columns(dataset, description)
