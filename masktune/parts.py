"""A batch of which several processes hold a part each, and what then must be as if one process held all of it.

That is, every mean over examples or tokens (`mean_divisor`) and every random draw (`uniform`, `integers`). The trainer
says which part this process holds; where none is held, as in training on one device, all of this is torch's own.

    with parts.hold(part):
        for term in method.terms(model, inputs, streams): ...

A process has to ask for the mean of a term that has nothing in its own part too, because the others wait for its
answer: see `MaskTuning.terms`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Generator, Tensor, distributed

from masktune.errors import MaskTuneError
from masktune.streams import derive

# What the processes tell each other, so that none takes an answer to one question for that to another.
MEAN, TOKENS, END = range(3)


class Part:
    """The part of a batch that this process holds, number `rank` of those that `rows` and `widths` list.

    rows    how many examples each process holds; 0: it repeats some of another's, for company, and they do not count
    widths  to which length each has padded its examples
    left    whether they are padded on the left
    device  of the tensors by which the processes talk
    """

    def __init__(self, rows: Sequence[int], widths: Sequence[int], rank: int, left: bool, device: torch.device):
        self.rows, self.widths, self.rank, self.left, self.device = tuple(rows), tuple(widths), rank, left, device
        self._tokens: tuple[int, ...] | None = None

    @property
    def counts(self) -> bool:
        """Whether this process holds examples of the batch at all."""
        return self.rows[self.rank] > 0

    def divisor(self, count: float | Tensor) -> float:
        """The count of all processes, divided by their number."""
        return sum(self._ask(MEAN, float(count))) / len(self.rows)

    def list_tokens(self, count: int) -> None:
        """Say of how many tokens of this part the draws "of tokens" are until the next call."""
        self._tokens = tuple(int(number) for number in self._ask(TOKENS, count))

    @property
    def has_tokens(self) -> bool:
        """Whether any process has listed tokens."""
        return sum(self._tokens or ()) > 0

    def end(self) -> None:
        """Wait until all processes are through with the batch."""
        self._ask(END, 0)

    def _ask(self, question: int, number: float) -> list[float]:
        answers = gather([question, number if self.counts else 0], self.device)
        if any(other[0] != question for other in answers):
            raise MaskTuneError(
                "the processes compute different terms of the loss for their parts of one batch; a method whose terms "
                "depend on the examples must ask parts.mean_divisor(0) for one that has none here, as MaskTuning does"
            )
        return [number for _, number in answers]

    def draw(
        self, draw: Callable[[Sequence[int]], Tensor], shape: Sequence[int], generator: Generator, of: str
    ) -> Tensor:
        """This part of what one process would draw for the whole batch; where that is not known, a stream of its own.

        Draws are of "examples" or of the listed "tokens", one after the other in the first dimension.
        """
        sizes = self.rows if of == "examples" else self._tokens
        if sizes is None or shape[0] != sizes[self.rank]:
            seed = int(torch.randint(2**31, (), generator=generator))
            with _seeded(generator, derive(seed, "part", self.rank)):
                return draw(shape)
        rest = list(shape[1:])
        if of == "examples" and rest and rest[0] == self.widths[self.rank]:
            rest[0] = max(self.widths)
        start = sum(sizes[: self.rank])
        drawn = draw([sum(sizes), *rest])[start : start + shape[0]]
        if len(shape) == 1:
            return drawn
        return drawn[:, -shape[1] :] if self.left and shape[1] else drawn[:, : shape[1]]


_held: ContextVar[Part | None] = ContextVar("part of the batch", default=None)


@contextmanager
def hold(part: Part | None) -> Iterator[None]:
    """Within the block this process holds a part of a batch; with None, or without a block, it holds all of it."""
    token = _held.set(part)
    try:
        yield
    finally:
        _held.reset(token)


def held() -> Part | None:
    """The part that this process holds; None where it holds all of the batch."""
    return _held.get()


def mean_divisor(count: int | Tensor) -> int | float | Tensor:
    """By what a sum over `count` items of this part is divided in a mean over those of the whole batch.

    The trainer takes the mean of the processes' losses, so it is the mean number of items of a process. Where one
    process holds all, it is `count` itself.
    """
    part = held()
    return count if part is None else part.divisor(count)


def share_of_mean(mean: Tensor, count: int) -> Tensor:
    """What a mean over `count` items of this part adds to the mean over those of the whole batch; see above."""
    return mean if held() is None else mean * count / mean_divisor(count)


def list_tokens(chosen: Tensor) -> None:
    """Say which tokens of this part the following draws "of tokens" are for: bool [B, L]."""
    part = held()
    if part is not None:
        part.list_tokens(int(chosen.sum()))


def tokens_elsewhere() -> bool:
    """Whether another process has listed tokens of its part. False where one process holds all."""
    part = held()
    return part is not None and part.has_tokens


def uniform(shape: Sequence[int], generator: Generator, of: str = "examples") -> Tensor:
    """Uniform draws in [0, 1) on the CPU. The first dimension lists "examples" of the batch or "tokens"."""
    part = held()
    if part is None:
        return torch.rand(shape, generator=generator)
    return part.draw(lambda whole: torch.rand(whole, generator=generator), shape, generator, of)


def integers(high: int, count: int, generator: Generator, of: str = "examples") -> Tensor:
    """`count` whole numbers from 0 to high - 1 on the CPU, each as probable; `of` as in `uniform`."""
    part = held()
    if part is None:
        return torch.randint(high, (count,), generator=generator)
    return part.draw(lambda whole: torch.randint(high, tuple(whole), generator=generator), (count,), generator, of)


def gather(numbers: Sequence[float], device: torch.device) -> list[list[float]]:
    """The numbers, as many in each process, of all of them in the order of their ranks."""
    own = torch.tensor(numbers, dtype=torch.float64, device=device)
    everyones = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(everyones, own)
    return torch.stack(everyones).tolist()


@contextmanager
def _seeded(generator: Generator, seed: int) -> Iterator[None]:
    """Within the block the generator draws from another seed; after it, it goes on as it was."""
    state = generator.get_state()
    generator.manual_seed(seed)
    try:
        yield
    finally:
        generator.set_state(state)
