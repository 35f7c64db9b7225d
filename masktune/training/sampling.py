"""The order of the train examples: batches from the seed, of like length where asked, and a second stage of some."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import Sampler

from masktune.errors import MaskTuneError
from masktune.features import PREFIX
from masktune.methods import SecondStage
from masktune.streams import derive

# Batches that are sorted together: the more, the less padding. But in a pool of the whole train set an example would
# meet the same few others in every epoch.
SMALLEST_POOL, LARGEST_POOL, POOLS = 8, 50, 8


@dataclass(frozen=True)
class StagePlan:
    """A second stage in numbers: after `epochs` passes over all examples, in `first_steps` steps, `passes` over `rows`.

    `steps` counts both stages.
    """

    rows: list[int]
    epochs: int
    passes: int
    first_steps: int
    steps: int
    learning_rate_factor: float

    @classmethod
    def of(cls, stage: SecondStage, dataset: Any, epochs: int, examples_of_step: int) -> "StagePlan":
        """The plan for a train set in which `masktune.training.features` has marked the examples."""
        rows = [row for row, marked in enumerate(dataset[PREFIX + stage.marked]) if marked]
        first = epochs * math.ceil(len(dataset) / examples_of_step)
        second = math.ceil(stage.epochs * len(rows) / examples_of_step)
        return cls(rows, epochs, stage.epochs, first, first + second, stage.learning_rate_factor)

    def extend(self, factor: Callable[[int], float]) -> Callable[[int], float]:
        """The factor of the learning rate at a step: the first stage's own, then a linear decay to 0."""

        def both(step: int) -> float:
            if step < self.first_steps:
                return factor(step)
            return self.learning_rate_factor * max(0.0, (self.steps - step) / max(self.steps - self.first_steps, 1))

        return both


def pool_by_length(
    order: Sequence[int], lengths: Sequence[int], batch_size: int, pool: int, longest_first: bool = False
) -> list[list[int]]:
    """Batches of indices of like length: `pool` batches of the order at a time are sorted by length and cut.

    The last batch of the last pool may be short. Examples of one length stay in the order given.
    """
    size = pool * batch_size
    pools = (
        sorted(order[start : start + size], key=lengths.__getitem__, reverse=longest_first)
        for start in range(0, len(order), size)
    )
    return [indices[i : i + batch_size] for indices in pools for i in range(0, len(indices), batch_size)]


def batch_by_length(lengths: Sequence[int], batch_size: int, generator: torch.Generator) -> list[list[int]]:
    """Batches of indices of like length: sorted within random pools (`pool_size`), then put in random order.

    transformers groups within pools of up to fifty batches and reads each from its longest to its shortest batch, which
    takes a small train set through in order of length. The batch with the longest example comes first, so that what
    does not fit in memory fails at once; an incomplete batch comes last.
    """
    order = torch.randperm(len(lengths), generator=generator).tolist()
    whole = len(lengths) // batch_size
    batches = pool_by_length(order, lengths, batch_size, pool_size(whole), longest_first=True)
    mixed = [batches[i] for i in torch.randperm(whole, generator=generator).tolist()]
    if mixed:
        mixed.insert(0, mixed.pop(max(range(whole), key=lambda i: lengths[mixed[i][0]])))
    return mixed + batches[whole:]


def pool_size(batches: int) -> int:
    """How many batches are sorted together in an epoch of so many: an eighth of them, within bounds."""
    return min(LARGEST_POOL, max(SMALLEST_POOL, batches // POOLS))


class SeededSampler(Sampler):
    """The order of an epoch from (seed, "batch order", epoch) alone, grouped by length (see `batch_by_length`) or not.

    An epoch of the second stage is as long as any other: it passes over the stage's rows as often as that takes.
    """

    def __init__(
        self, lengths: list[int], batch_size: int, seed: int, grouped: bool, second_stage: StagePlan | None = None
    ):
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.grouped = grouped
        self.second_stage = second_stage
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the training loop before each epoch, a resumed one too."""
        self.epoch = int(epoch)

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        if self.second_stage is None or self.epoch < self.second_stage.epochs:
            return iter(self._order(self.lengths, "batch order", self.epoch))
        start = (self.epoch - self.second_stage.epochs) * len(self)
        return itertools.islice(self._passes(self.second_stage.rows), start, start + len(self))

    def _passes(self, rows: list[int]) -> Iterator[int]:
        """The rows without end, each pass in an order of its own."""
        lengths = [self.lengths[row] for row in rows]
        for number in itertools.count():
            yield from (rows[index] for index in self._order(lengths, "second stage", number))

    def _order(self, lengths: list[int], purpose: str, number: int) -> list[int]:
        generator = torch.Generator().manual_seed(derive(self.seed, purpose, number))
        if self.grouped:
            return list(itertools.chain.from_iterable(batch_by_length(lengths, self.batch_size, generator)))
        return torch.randperm(len(lengths), generator=generator).tolist()


def lengths_of(dataset: Any) -> list[int]:
    """The number of tokens of each example of a tokenised dataset."""
    if "input_ids" in (getattr(dataset, "column_names", None) or ()):
        if not hasattr(dataset, "with_format") or dataset.format["type"] == "custom":
            return [len(token_ids) for token_ids in dataset["input_ids"]]
        from pyarrow import compute

        return compute.list_value_length(dataset.with_format("arrow")[:]["input_ids"]).to_pylist()
    if len(dataset) and "input_ids" not in dataset[0]:
        raise MaskTuneError(
            "train_sampling_strategy = 'group_by_length': the train set has no input_ids to tell lengths by; tokenise "
            "it before the collator does, or choose 'random'"
        )
    return [len(example["input_ids"]) for example in dataset]
