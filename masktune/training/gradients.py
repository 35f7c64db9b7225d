"""The gradients of single loss terms: added up, measured, brought to equal norms."""

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


def measure(terms: list[TermGradient], share: Tensor | float) -> dict[str, Tensor]:
    """`norm_<term>`, the norm of each term's gradient before its weight, and `cosine_<term>_<term>` of each two.

    `share` is the part of the step's examples that the gradients are of.
    """
    by_name = sum_by_name(terms)
    norms = {name: gradient_norm(gradient) for name, (_, gradient) in by_name.items()}
    values = {f"norm_{name}": norms[name] / (weight * share) for name, (weight, _) in by_name.items()}
    for one, other in itertools.combinations(by_name, 2):
        product = gradient_product(by_name[one][1], by_name[other][1])
        values[f"cosine_{one}_{other}"] = product / (norms[one] * norms[other])
    return values


def sum_by_name(terms: list[TermGradient]) -> dict[str, tuple[float, Gradient]]:
    """(weight, gradient) of each term by its name; those of one name are added up."""
    sums: dict[str, tuple[float, Gradient]] = {}
    for term in terms:
        weight, gradient = sums.get(term.name, (0.0, [None] * len(term.gradient)))
        sums[term.name] = (weight + term.weight, [add(pair) for pair in zip(gradient, term.gradient, strict=True)])
    return sums


def equalise(terms: list[TermGradient]) -> list[Gradient]:
    """The gradients of the terms; one to be equalised gets the norm of the others together, before the weights."""
    others = [term for term in terms if not term.equalise]
    weight = sum(term.weight for term in others)
    if weight == 0 or len(others) == len(terms):
        return [term.gradient for term in terms]
    reference = [add(gradients) for gradients in zip(*(term.gradient for term in others), strict=True)]
    return [_rescale(term, reference, term.weight / weight) if term.equalise else term.gradient for term in terms]


def _rescale(term: TermGradient, reference: Gradient, ratio: float) -> Gradient:
    factor = ratio * equalised_scale(term.gradient, reference)
    return [None if gradient is None else factor * gradient for gradient in term.gradient]


def add(gradients: Iterable[Tensor | None]) -> Tensor | None:
    """The sum of those that are there, from left to right; None if none is."""
    total = None
    for gradient in gradients:
        if gradient is not None:
            total = gradient if total is None else total + gradient
    return total
