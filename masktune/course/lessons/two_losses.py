"""Checks of lesson C3, "Two losses, one encoder"."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from masktune.course.grading import check_of, expect

_CLOSE = 1e-5


@check_of("cross_entropy")
def check_cross_entropy(cross_entropy: Callable[[Tensor, Tensor], Tensor]) -> None:
    """The mean over rows of minus the log-probability of the target."""
    generator = torch.Generator().manual_seed(0)
    logits, targets = torch.randn(5, 7, generator=generator), torch.tensor([0, 6, 2, 2, 5])
    found, expected = _number(cross_entropy(logits, targets)), nn.functional.cross_entropy(logits, targets).item()
    chosen = logits[torch.arange(5), targets]
    expect(not _near(found, 5 * expected), "that is the sum over the rows; the loss is their mean")
    expect(not _near(found, -expected), "the sign: the loss is MINUS the log-probability of the target")
    expect(
        not _near(found, -chosen.mean().item()), "logits are no log-probabilities yet: subtract logsumexp of each row"
    )
    columns = -logits.log_softmax(0)[torch.arange(5), targets].mean().item()
    expect(not _near(found, columns), "the probabilities of one ROW add up to 1: softmax over the last dimension")
    expect(_near(found, expected), f"for the logits of the check it is {expected:.4f}; yours is {found:.4f}")
    moved = cross_entropy(1 * logits.requires_grad_(), targets)
    expect(
        isinstance(moved, Tensor) and moved.requires_grad,
        "the number is right, but no gradient flows through it, so nothing could be trained with it; return the tensor "
        "as it comes out of the sums, without .item(), float() or .detach()",
    )
    large = cross_entropy(torch.tensor([[1000.0, 0.0]]), torch.tensor([0]))
    expect(
        _near(_number(large), 0.0),
        f"for the logits 1000 and 0 the loss is 0, yours is {_number(large)}: exp(1000) is too large for a float; "
        "torch.logsumexp takes care of it",
    )


@check_of("joint")
def check_joint(joint: Callable[[float, float, float], float]) -> None:
    """alpha weights the MLM loss."""
    found = float(joint(3.0, 1.0, 0.75))
    expect(not _near(found, 1.5), "alpha weights the MLM loss here, and 1 - alpha the classification loss")
    expect(not _near(found, 3.25), "the weight of the classification loss is 1 - alpha, not 1")
    expect(not _near(found, 4.0), "there is no alpha in it")
    expect(_near(found, 2.5), f"0.75 x 3 + 0.25 x 1 = 2.5; yours is {found:g}")


@check_of("over_all")
def check_over_all(over_all: Callable[[Tensor, Tensor, int], Tensor]) -> None:
    """The sum over the masked tokens, divided by the number of tokens that could have been masked."""
    generator = torch.Generator().manual_seed(1)
    logits, targets = torch.randn(4, 9, generator=generator), torch.tensor([1, 8, 0, 3])
    total = nn.functional.cross_entropy(logits, targets, reduction="sum").item()
    found = _number(over_all(logits, targets, 80))
    expect(not _near(found, total / 4), "that is still the mean over the masked tokens")
    expect(not _near(found, total / 320), "you divided twice: take the SUM over the masked tokens first")
    expect(not _near(found, total / 9), "that divides by the size of the vocabulary; maskable is the third argument")
    expect(not _near(found, total), "divide the sum by the number of maskable tokens")
    expect(_near(found, total / 80), f"4 masked tokens of 80 maskable ones: {total / 80:.4f}; yours is {found:.4f}")


@check_of("same_pull")
def check_same_pull(same_pull: Callable[[float, float], float]) -> None:
    """The alpha at which the mean over masked tokens pulls as the mean over all tokens does at another alpha."""
    found = float(same_pull(0.5, 0.1))
    expect(
        not _near(found, 0.05),
        "rate x alpha makes the MLM loss as small, but changes the weight of the classification loss too: the weights "
        "add up to 1, so compare their RATIO",
    )
    expect(not _near(found, 0.1), "that is a ratio; which alpha has alpha / (1 - alpha) = 0.1?")
    expect(not _near(found, 10 / 11), "the wrong way round: the mean over all tokens is the SMALLER of the two")
    expect(_near(found, 1 / 11), f"alpha 0.5 at a rate of 0.1: 1/11 = 0.0909; yours is {found:.4g}")
    expect(_near(float(same_pull(0.6, 1.0)), 0.6), "at a rate of 1 both means are the same: alpha stays")


def _number(value: Tensor | float) -> float:
    expect(not isinstance(value, Tensor) or value.numel() == 1, "return one number, not one for each row")
    return float(value)


def _near(one: float, other: float) -> bool:
    return abs(one - other) < _CLOSE
