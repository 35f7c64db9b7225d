"""Classes that count differently: cross-entropy in which an example weighs as its class does."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from masktune.losses import classification_loss
from masktune.methods.base import ClassificationLoss, Examples


@dataclass(frozen=True)
class ClassWeights(ClassificationLoss):
    """CE(x, y) weighted by `class_weights` [C] of the label, a mean as torch takes it."""

    class_weights: tuple[float, ...]

    name = "class_weights"
    label = "class weights"
    reference = "King and Zeng 2001, Logistic regression in rare events data"
    formula = "w_y CE(x, y)"

    def loss(self, logits: Tensor, examples: Examples) -> Tensor:
        """The loss of logits [B, C]; whatever else weighs the examples multiplies their classes' weights."""
        own = logits.new_tensor(self.class_weights).float()[examples.labels]
        others = examples.example_weights(logits)
        return classification_loss(logits, examples.labels, own if others is None else own * others)


def balanced(counts: Mapping[str, int]) -> tuple[float, ...]:
    """n / (C n_c): every class counts as much as any other, and an example 1 on average."""
    total = sum(counts.values())
    return tuple(total / (len(counts) * count) for count in counts.values())
