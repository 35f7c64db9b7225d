"""Dropout masks drawn in a fraction of the time on a CPU.

Torch draws the mask of a dropout element by element, a draw of the generator for each, and on one core, unless the
processor is Intel's and another library does it: time that a training step feels. Here one draw of 64 bits decides
about four elements.
"""

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Generator, Tensor
from transformers import PreTrainedConfig

# Masks of smaller models are drawn in little more time than the calls around them take.
SMALLEST_HIDDEN_SIZE = 256
BITS = 16  # of a draw, for an element: probabilities are rounded to multiples of 2^-16
LEVELS = 2**BITS
PER_DRAW = 64 // BITS


def fast_dropout_of(config: PreTrainedConfig) -> AbstractContextManager[None]:
    """`fast_dropout` for training this model, or for a small one a block that changes nothing."""
    return fast_dropout() if config.hidden_size >= SMALLEST_HIDDEN_SIZE else nullcontext()


@contextmanager
def fast_dropout() -> Iterator[None]:
    """Within the block every dropout on the CPU, attention's too, draws its mask by `bernoulli_`.

    Masks come from torch's own generator as ever: a seed, or a state that is restored, gives the same masks again, and
    on every processor. They are not those that torch itself draws from that seed.
    """
    with torch.library._scoped_library("aten", "IMPL") as library:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a kernel of torch is replaced
            library.impl("bernoulli_.float", bernoulli_, "CPU")
        yield


def bernoulli_(values: Tensor, p: float = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fill a tensor of any shape, in place, with 1 with probability p and else 0, as `Tensor.bernoulli_` does.

    Raises RuntimeError, as torch does, for p outside [0, 1].
    """
    torch._check(0 <= p <= 1, lambda: f"bernoulli_ expects p to be in [0, 1], but got p={p}")
    if p in (0, 1):
        return values.fill_(p)
    count = values.numel()
    draws = torch.empty(-(-count // PER_DRAW), dtype=torch.int64).random_(-(2**63), None, generator=generator)
    elements = draws.view(torch.int16)[:count].view(values.shape)
    return torch.lt(elements, min(round(p * LEVELS), LEVELS - 1) - LEVELS // 2, out=values)
