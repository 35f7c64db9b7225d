"""Evaluation that reads examples by length, the longest first: the least padding, and the results of Trainer.

What does not fit in memory fails at once, in the first batch. Wherever code of the user's, or a result, depends on
which examples make a batch, evaluation reads in the order of the dataset, as Trainer does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import datasets
import numpy
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader, Sampler, SequentialSampler
from transformers import Trainer
from transformers.trainer_utils import EvalLoopOutput, EvalPrediction, has_length

from masktune.features import PREFIX
from masktune.models.joint import MaskTuningModel
from masktune.training.collate import InMemory, pads_only
from masktune.training.sampling import lengths_of
from masktune.training.stock.user_loss import has_hooks, is_cross_entropy, is_own_of_transformers


class SortedEvaluation(Trainer):
    """A Trainer of a MaskTuningModel; evaluation reads the longest examples first where no result depends on it."""

    def _get_eval_sampler(self, eval_dataset: Any) -> Sampler | None:
        # Trainer's own shuffles with "group_by_length", and what it returns is shuffled.
        return SequentialSampler(eval_dataset) if has_length(eval_dataset) else None

    def evaluation_loop(
        self,
        dataloader: DataLoader,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Trainer's loop, reading the longest first where only the time that it takes can tell."""
        given = (dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix)
        if self._batches_are_seen() or not can_be_sorted(dataloader):
            return super().evaluation_loop(*given)
        with read_longest_first(dataloader) as places, self._metrics_of(places):
            output = super().evaluation_loop(*given)
        return output._replace(
            predictions=None if output.predictions is None else output.predictions[places],
            label_ids=None if output.label_ids is None else output.label_ids[places],
        )

    def _batches_are_seen(self) -> bool:
        """Whether code of the user's, or a result, depends on which examples make a batch of an evaluation."""
        args = self.args
        options = (
            args.batch_eval_metrics
            or args.include_for_metrics  # losses are means of a batch, inputs as wide as its longest
            or not args.eval_do_concat_batches
            or args.bf16_full_eval  # in which the loss of a batch is rounded
            or args.fp16_full_eval
            or self.preprocess_logits_for_metrics
            or self.compute_loss_func
            or self.label_names != ["labels"]  # others may be as wide as the batch
        )
        overridden = (
            type(self.model) is not MaskTuningModel
            or getattr(self.prediction_step, "__func__", None) is not SortedEvaluation.prediction_step
            or not is_own_of_transformers(self.compute_loss)
            or not is_cross_entropy(self.model.classifier)  # a loss of the user's may compare examples
            or self.model.config.output_hidden_states
            or self.model.config.output_attentions  # as wide as the batch
            or any(map(has_hooks, self.model.modules()))
        )
        return bool(options or overridden)

    @contextmanager
    def _metrics_of(self, places: numpy.ndarray) -> Iterator[None]:
        """Within the block `compute_metrics` gets the rows in the order of the dataset."""
        own = self.compute_metrics
        if own is not None:
            self.compute_metrics = lambda read: own(EvalPrediction(read.predictions[places], read.label_ids[places]))
        try:
            yield
        finally:
            self.compute_metrics = own

    def prediction_step(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Trainer's own; what only training knows of an example is no input of the model."""
        inputs = {name: values for name, values in inputs.items() if not name.startswith(PREFIX)}
        return super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)


class LongestFirst(Sampler):
    """Examples by length, the longest first; those of one length in their own order."""

    def __init__(self, lengths: list[int]):
        self.order = sorted(range(len(lengths)), key=lambda index: -lengths[index])

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[int]:
        return iter(self.order)


def can_be_sorted(dataloader: DataLoader) -> bool:
    """Whether it reads every row of a tokenised table, in its order, by code to which the order does not matter."""
    batches, dataset = getattr(dataloader, "batch_sampler", None), dataloader.dataset
    in_order = type(batches) is BatchSampler and type(batches.sampler) is SequentialSampler and not batches.drop_last
    if not in_order or not isinstance(dataset, datasets.Dataset | InMemory):
        return False
    transformed = isinstance(dataset, datasets.Dataset) and dataset.format["type"] == "custom"
    return "input_ids" in dataset.column_names and not transformed and pads_only(dataloader.collate_fn)


@contextmanager
def read_longest_first(dataloader: DataLoader) -> Iterator[numpy.ndarray]:
    """Within the block it reads the longest examples first. Gives the place at which it reads each row, [n]."""
    batches = dataloader.batch_sampler
    assert isinstance(batches, BatchSampler)  # as `can_be_sorted` says
    in_order, batches.sampler = batches.sampler, LongestFirst(lengths_of(dataloader.dataset))
    try:
        yield numpy.argsort(batches.sampler.order)
    finally:
        batches.sampler = in_order
