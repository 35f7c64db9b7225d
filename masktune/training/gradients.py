"""The gradients of single loss terms: put together, measured, brought to equal norms."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor

from masktune.losses import Gradient, equalised_scale, gradient_norm, gradient_product


@dataclass(frozen=True)
class TermGradient:
    """The gradient that one weighted term added, parameter by parameter."""

    name: str
    weight: float
    gradient: Gradient
    equalise: bool


def measured(parts: list[TermGradient], share: Tensor | float) -> dict[str, Tensor]:
    """`norm_<term>`, the norm of each term's gradient before its weight, and `cosine_<term>_<term>` of each two.

    `share` is the part of the step's examples that the gradients are of.
    """
    found = by_term(parts)
    norms = {name: gradient_norm(gradient) for name, (_, gradient) in found.items()}
    values = {f"norm_{name}": norms[name] / (weight * share) for name, (weight, _) in found.items()}
    for one, other in itertools.combinations(found, 2):
        product = gradient_product(found[one][1], found[other][1])
        values[f"cosine_{one}_{other}"] = product / (norms[one] * norms[other])
    return values


def by_term(parts: list[TermGradient]) -> dict[str, tuple[float, Gradient]]:
    """(weight, gradient) of each term by its name; a term that came in pieces is put together."""
    found: dict[str, tuple[float, Gradient]] = {}
    for part in parts:
        weight, gradient = found.get(part.name, (0.0, [None] * len(part.gradient)))
        found[part.name] = (weight + part.weight, [added(pair) for pair in zip(gradient, part.gradient, strict=True)])
    return found


def equalised(parts: list[TermGradient]) -> list[Gradient]:
    """The gradients of the parts; one to be equalised has the norm of the others together, before the weights."""
    others = [part for part in parts if not part.equalise]
    weight = sum(part.weight for part in others)
    if weight == 0 or len(others) == len(parts):
        return [part.gradient for part in parts]
    reference = [added(gradients) for gradients in zip(*(part.gradient for part in others), strict=True)]
    return [_rescaled(part, reference, part.weight / weight) if part.equalise else part.gradient for part in parts]


def _rescaled(part: TermGradient, reference: Gradient, ratio: float) -> Gradient:
    factor = ratio * equalised_scale(part.gradient, reference)
    return [None if gradient is None else factor * gradient for gradient in part.gradient]


def added(gradients: Iterable[Tensor | None]) -> Tensor | None:
    """The sum of those that are there, from left to right; None if none is."""
    total = None
    for gradient in gradients:
        if gradient is not None:
            total = gradient if total is None else total + gradient
    return total
