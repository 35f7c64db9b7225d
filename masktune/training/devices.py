"""Training by several processes, as `torchrun` and `accelerate launch` start them: DistributedDataParallel.

What comes out is what one process computes from the whole batch: means are over the examples and the masked tokens of
all processes, and masks are those that one process would draw (masktune.parts). Examples that accelerate repeats, so
that all processes have as many in the last batch, do not count.

A step has several forward and backward passes, one for each term of the loss. DistributedDataParallel would exchange
gradients after each; here each process adds up its own, and they are averaged once, before the optimizer's step.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, distributed, nn
from transformers import Trainer

from masktune import parts
from masktune.errors import MaskTuneError
from masktune.models.joint import MaskTuningModel
from masktune.parts import Part
from masktune.training.collate import Padding, PreparedColumns, inner_collator
from masktune.training.reading import labels
from masktune.training.stock.user_loss import UserLoss

BUCKET = 25 * 2**20  # bytes that are averaged at a time, as many as DistributedDataParallel takes


class SeveralProcesses(Trainer):
    """A Trainer whose processes each hold a part of the batch."""

    model: MaskTuningModel
    user_loss: UserLoss
    _parts: list[tuple[Part, float]]  # of the micro-batches of this step that are still to come, with their shares

    @property
    def _processes(self) -> int:
        """How many processes train together."""
        return self.args.world_size

    def get_batch_samples(
        self, epoch_iterator: Iterator, num_batches: int, device: torch.device
    ) -> tuple[list, Tensor | int | None]:
        """Trainer's own; with several processes also which part of each batch is this process's."""
        samples, items = super().get_batch_samples(epoch_iterator, num_batches, device)
        if self._processes == 1 or not samples:
            return samples, items
        rows = [len_of(batch) for batch in samples]
        rows[-1] = self._own_rows(rows[-1])
        samples[-1] = self._first(samples[-1], max(rows[-1], 1))
        widths = [width_of(batch) if number else 0 for batch, number in zip(samples, rows, strict=True)]
        for place, (batch, number) in enumerate(zip(samples, rows, strict=True)):
            samples[place], rows[place] = self._labelled(batch, number)
        self._parts = self._parts_of(rows, widths)
        counted = [first(batch, number) for batch, number in zip(samples, rows, strict=True)]
        return samples, self._get_num_items_in_batch(counted, device)

    def _own_rows(self, rows: int) -> int:
        """How many of the rows of the last batch that was read are no repetitions from the beginning of the epoch."""
        state = self.accelerator.gradient_state
        uneven = state.end_of_dataloader and state.remainder > 0
        if not uneven or self.args.train_sampling_strategy == "batch_rebalance":
            return rows
        return min(max(state.remainder - self.args.process_index * rows, 0), rows)

    def _first(self, batch: Any, rows: int) -> Any:
        """The first rows of a batch, without the padding that only the others need."""
        kept = first(batch, rows)
        collator = inner_collator(self.data_collator)
        if len_of(batch) == rows or not isinstance(collator, Padding):
            return kept
        names = set(collator.values) | {name for name, yes in per_token(self.data_collator).items() if yes}
        longest = int(kept["attention_mask"].sum(1).max())
        own = slice(-longest, None) if collator.side == "left" else slice(longest)
        return {name: values[:, own] if name in names else values for name, values in kept.items()}

    def _with_class(self, batch: Any) -> Tensor | None:
        """Which examples of a batch are read, bool [B]; None for all: one labelled -100 is left out of every term.

        A loss of the user's sees all of them, as in a stock Trainer, and may read -100 as it likes. Raises
        MaskTuneError where several processes cannot know over how many of them it is a mean.
        """
        having = labels.with_class(batch["labels"], self.model.config) if "labels" in batch else None
        if having is None or not self.user_loss.reads_all:
            return having
        if self._processes > 1 and self.user_loss.is_of_classifier:
            raise MaskTuneError(
                f"a batch has the label {labels.IGNORED}: over how many examples {self.user_loss.name()} is a mean "
                "several processes cannot know; leave these rows out of the train set, or pass compute_loss_func="
            )
        return None

    def _labelled(self, batch: Any, rows: int) -> tuple[Any, int]:
        """The rows of a batch that have a class, and their number; where none has one, a row for company."""
        chosen = self._with_class(batch)
        if chosen is None:
            return batch, rows
        if rows == 0 or not chosen.any():
            company = first(batch, 1)
            return {**company, "labels": torch.zeros_like(company["labels"])}, 0
        return take(batch, chosen), int(chosen.sum())

    def _parts_of(self, rows: Sequence[int], widths: Sequence[int]) -> list[tuple[Part, float]]:
        """The part of each micro-batch, and the share of the step's examples that the micro-batch has."""
        everyones = parts.gather([*rows, *widths], self.args.device)
        left = getattr(self.processing_class, "padding_side", "right") == "left"
        total = max(sum(sum(numbers[: len(rows)]) for numbers in everyones), 1)
        found = []
        for place in range(len(rows)):
            of_each = [int(numbers[place]) for numbers in everyones]
            width_of_each = [int(numbers[len(rows) + place]) for numbers in everyones]
            part = Part(of_each, width_of_each, self.args.process_index, left, self.args.device)
            found.append((part, sum(part.rows) / total))
        return found

    def _next_part(self, inputs: Any) -> tuple[Part | None, float]:
        """The part that the next micro-batch is, and its share of the step; None where one process holds all."""
        if self._processes == 1:
            return None, 1.0
        if not getattr(self, "_parts", None):  # called by another than Trainer's loop
            self._parts = self._parts_of([len_of(inputs)], [width_of(inputs)])
        return self._parts.pop(0)

    def _own_gradients(self, model: nn.Module) -> AbstractContextManager:
        """Within the block backward leaves each process its own gradients."""
        return self.accelerator.no_sync(model) if self._processes > 1 else nullcontext()

    def _average_gradients(self) -> None:
        """Give every process the mean gradient of all, once for each step of the optimizer."""
        if self._processes == 1 or not self.accelerator.sync_gradients:
            return
        parameters = list(self.model.parameters())
        averaged = average([parameter.grad for parameter in parameters], parameters)
        for parameter, gradient in zip(parameters, averaged, strict=True):
            parameter.grad = gradient

    def _average_numbers(self, numbers: dict[str, float]) -> dict[str, float]:
        """The means over the processes of numbers that all of them have."""
        if self._processes == 1 or not numbers:
            return numbers
        everyones = zip(*parts.gather(list(numbers.values()), self.args.device), strict=True)
        return {name: sum(values) / self._processes for name, values in zip(numbers, everyones, strict=True)}


def check_devices(trainer: Trainer) -> None:
    """Raise MaskTuneError for a way to use several devices that is not supported."""
    args = trainer.args
    if args.n_gpu > 1:
        raise MaskTuneError(
            f"{args.n_gpu} devices in one process would be torch's DataParallel, which is not supported; start the "
            f"script with torchrun --nproc-per-node {args.n_gpu}, or show it one device (CUDA_VISIBLE_DEVICES=0)"
        )
    for name, used in _unsupported(trainer).items():
        if used:
            raise MaskTuneError(
                f"{name} is not supported: several devices train by DistributedDataParallel, where each holds the "
                "whole model; leave it out, and start the script with torchrun or accelerate launch --multi_gpu"
            )
    if args.world_size > 1 and not trainer.accelerator.even_batches:
        raise MaskTuneError(
            "accelerator_config: even_batches = False leaves some processes without a last batch, and the others wait "
            "for ever; leave it out: what is repeated to make batches even does not count in the loss"
        )


def _unsupported(trainer: Trainer) -> dict[str, bool]:
    """The ways to use several devices that are not supported, and whether each is used."""
    args = trainer.args
    sizes = getattr(trainer.accelerator, "parallelism_config", None)
    return {
        "DeepSpeed": bool(trainer.is_deepspeed_enabled),
        "FSDP": bool(trainer.is_fsdp_enabled or args.fsdp),
        "a model that is spread over several devices (device_map)": bool(trainer.is_model_parallel),
        "a model that is sharded as it is loaded": bool(getattr(trainer, "is_distributed_loading_by_transformers", 0)),
        "parallelism_config": sizes is not None and (sizes.tp_size, sizes.cp_size, sizes.sp_size) != (1, 1, 1),
        "a launcher without torch.distributed": args.world_size > 1 and not distributed.is_initialized(),
    }


def average(gradients: Sequence[Tensor | None], like: Sequence[Tensor]) -> list[Tensor | None]:
    """The means of the processes' gradients; None where no process has one.

    A parameter that a process's part of the batch does not reach has a gradient of 0 there.
    """
    there = torch.tensor([gradient is not None for gradient in gradients], dtype=torch.int32, device=like[0].device)
    distributed.all_reduce(there, op=distributed.ReduceOp.MAX)
    averaged = [
        (torch.zeros_like(values) if gradient is None else gradient) if anywhere else None
        for gradient, values, anywhere in zip(gradients, like, there.tolist(), strict=True)
    ]
    for bucket in _buckets([gradient for gradient in averaged if gradient is not None]):
        _average_in_place(bucket)
    return averaged


def _buckets(gradients: list[Tensor]) -> Iterator[list[Tensor]]:
    """The gradients in groups of one kind of number and of not much more than BUCKET bytes."""
    bucket: list[Tensor] = []
    for gradient in gradients:
        if bucket and (gradient.dtype != bucket[0].dtype or sum(map(_bytes, bucket)) >= BUCKET):
            yield bucket
            bucket = []
        bucket.append(gradient)
    if bucket:
        yield bucket


def _bytes(values: Tensor) -> int:
    return values.numel() * values.element_size()


def _average_in_place(gradients: list[Tensor]) -> None:
    together = torch.cat([gradient.reshape(-1) for gradient in gradients])
    distributed.all_reduce(together)
    together /= distributed.get_world_size()
    for gradient, values in zip(gradients, together.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(values.view_as(gradient))


def len_of(batch: Any) -> int:
    """How many examples a batch has: the length of its input_ids, or of its first tensor."""
    values = batch["input_ids"] if "input_ids" in batch else next(iter(batch.values()))
    return len(values)


def width_of(batch: Any) -> int:
    """To which length the examples of a batch are padded; 0 where it has no tokens."""
    return batch["input_ids"].shape[1] if "input_ids" in batch else 0


def first(batch: Any, rows: int) -> Any:
    """The first rows of whatever in a batch has one for each example."""
    return take(batch, torch.arange(len_of(batch)) < rows)


def take(batch: Any, chosen: Tensor) -> Any:
    """The chosen rows, by bool [B], of whatever in a batch has one for each example."""
    if not isinstance(batch, Mapping) or bool(chosen.all()):
        return batch
    size = len_of(batch)
    rows = chosen.nonzero().flatten()
    each = {
        name
        for name, values in batch.items()
        if isinstance(values, list) or (isinstance(values, Tensor) and values.dim() > 0)
        if len(values) == size
    }
    return {name: _rows_of(values, rows) if name in each else values for name, values in batch.items()}


def _rows_of(values: Tensor | list[Any], rows: Tensor) -> Tensor | list[Any]:
    return values[rows.to(values.device)] if isinstance(values, Tensor) else [values[row] for row in rows.tolist()]


def per_token(collator: Any) -> dict[str, bool]:
    """Whether each prepared column that the collator stacks has a value for each token."""
    return collator.per_token if isinstance(collator, PreparedColumns) else {}
