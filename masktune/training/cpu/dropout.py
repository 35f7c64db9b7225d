"""Dropout masks drawn in a fraction of the time on a CPU.

Torch draws the mask of a dropout element by element, a draw of the generator for each, and on one core, unless the
processor is Intel's and another library does it. Here one draw of 64 bits decides about four elements.

Torch has no public way to exchange the kernel that draws; the private one that is used here is tried before it is
relied on (`available`).
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import Generator, Tensor
from torch.nn.functional import dropout
from transformers import PreTrainedConfig

from masktune.training.cpu import choice

# Masks of smaller models are drawn in little more time than the calls around them take.
SMALLEST_HIDDEN_SIZE = 256
BITS = 16  # of a draw, for an element: probabilities are rounded to multiples of 2^-16
LEVELS = 2**BITS
PER_DRAW = 64 // BITS


def decide(asked: bool | None, config: PreTrainedConfig, device: torch.device) -> bool:
    """Whether `fast_dropout` is used in training a model of this configuration on this device.

    `asked` None: where the model is large enough for it to pay. Raises MaskTuneError for True where it cannot be used.
    """

    def obstacle() -> str | None:
        if device.type != "cpu":
            return f"the model is trained on {device.type}, and only a CPU's masks are drawn so"
        if not available():
            return f"torch {torch.__version__} does not let its kernel for dropout masks be exchanged"
        return None

    return choice.decide("fast_dropout", asked, config.hidden_size >= SMALLEST_HIDDEN_SIZE, obstacle)


@cache
def available() -> bool:
    """Whether dropout draws its mask by ours in a `fast_dropout` block of this torch. Tried once in a process."""
    try:
        with torch.random.fork_rng(devices=[]), fast_dropout():
            torch.manual_seed(0)
            mask = dropout(torch.ones(64), 0.5)
            torch.manual_seed(0)
            return torch.equal(mask, 2 * bernoulli_(torch.empty(64), 0.5))
    except (AttributeError, RuntimeError, TypeError, ValueError):
        return False


@contextmanager
def fast_dropout() -> Iterator[None]:
    """Within the block every dropout on the CPU, attention's too and in all threads, draws its mask by `bernoulli_`.

    Masks come from torch's own generator as ever: a seed, or a state that is restored, gives the same masks again, and
    on every processor. They are not those that torch itself draws from that seed.
    """
    with torch.library._scoped_library("aten", "IMPL") as library:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a kernel of torch is replaced
            # The override is of another block around this one, which torch 2.11 refuses unless it is allowed.
            library.impl("bernoulli_.float", bernoulli_, "CPU", allow_override=True)
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
