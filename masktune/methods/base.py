"""What a method is: small frozen objects that turn a batch into weighted loss terms.

A way to fine-tune has four components, and each paper changes one or two of them:

    text        which texts the classifier reads, and which language-model terms are added  (Method)
    forward     how it reads them: once, twice with another dropout, with a cut, against an adversary  (ForwardPass)
    loss        the loss of its logits: against the label, with a bias model, against a teacher  (ClassificationLoss)
    curriculum  which examples come when: all of them, or some of them once more at the end  (Curriculum)

A `Method` alone makes one forward pass, takes the cross-entropy against the label, and trains on every example;
`masktune.methods.combine` puts other components in.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from masktune.features import PREFIX, Feature
from masktune.losses import classification_loss
from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models.joint import MaskTuningModel

Batch = dict[str, Tensor]
# From logits [B, C] and the examples to the loss, a scalar.
LossFunction = Callable[[Tensor, "Examples"], Tensor]


@dataclass(frozen=True)
class Term:
    """One term of a loss: what it is called in the logs, its weight, its value (a scalar with a graph).

    `equalise` asks the trainer to rescale the term's gradient to the norm of the other terms' together. `keep_graph`:
    backward must leave the graph of the loss, because a later term shares a part of it.
    """

    name: str
    weight: float
    loss: Tensor
    equalise: bool = False
    keep_graph: bool = False


@dataclass(frozen=True)
class Examples:
    """B examples for the classifier: what it reads, and the labels it should predict.

    inputs              input_ids and attention_mask (token_type_ids) [B, L], and what else the classifier reads (see
                        `MaskTuningModel.forward`)
    labels              [B]
    prepared            the features of each example (`masktune.features`), by name, [B, ...]
    weights             how much each example counts [B]; None: 1
    weights_if_correct  how much more it counts where the classifier predicts its label [B]; None: nothing
    """

    inputs: Batch
    labels: Tensor
    prepared: Batch = field(default_factory=dict)
    weights: Tensor | None = None
    weights_if_correct: Tensor | None = None

    @classmethod
    def of(cls, batch: Batch) -> "Examples":
        """The examples of a batch as the trainer hands it over."""
        prepared = {name.removeprefix(PREFIX): values for name, values in batch.items() if name.startswith(PREFIX)}
        inputs = {name: values for name, values in batch.items() if name != "labels" and not name.startswith(PREFIX)}
        if "attention_mask" not in inputs:  # a model that is given none attends to every token
            inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        return cls(inputs, batch["labels"], prepared)

    def example_weights(self, logits: Tensor) -> Tensor | None:
        """How much each example counts, given its logits [B, C]. [B], or None where all count alike."""
        if self.weights is None and self.weights_if_correct is None:
            return None
        return self._always + self._if_correct * (logits.argmax(-1) == self.labels)

    def with_text(self, input_ids: Tensor) -> "Examples":
        """The same examples with other tokens [B, L]."""
        return replace(self, inputs={**self.inputs, "input_ids": input_ids})

    def with_soft_words(self, words: Tensor, where: Tensor) -> "Examples":
        """The same examples, read with word embeddings [B, L, H] in the place of tokens, at bool [B, L]."""
        return replace(self, inputs={**self.inputs, "soft_words": words, "soft_positions": where})

    def rows(self, chosen: Tensor) -> "Examples":
        """The chosen ones, by bool [B]."""
        return self._each(lambda values, _: values[chosen], self)

    def followed_by(self, others: "Examples") -> "Examples":
        """These and then the others, padded alike."""
        return self._each(lambda values, more: torch.cat([values, more]), others)

    def _each(self, change: Callable[[Tensor, Tensor], Tensor], others: "Examples") -> "Examples":
        inputs = {name: change(values, others.inputs[name]) for name, values in self.inputs.items()}
        prepared = {name: change(values, others.prepared[name]) for name, values in self.prepared.items()}
        weights = more = None
        if not (self.weights is None and others.weights is None):
            weights = change(self._always, others._always)
        if not (self.weights_if_correct is None and others.weights_if_correct is None):
            more = change(self._if_correct, others._if_correct)
        return Examples(inputs, change(self.labels, others.labels), prepared, weights, more)

    @property
    def _always(self) -> Tensor:
        return torch.ones_like(self.labels, dtype=torch.float32) if self.weights is None else self.weights

    @property
    def _if_correct(self) -> Tensor:
        none = torch.zeros_like(self.labels, dtype=torch.float32)
        return none if self.weights_if_correct is None else self.weights_if_correct


@dataclass(frozen=True)
class Component(ABC):
    """A component of a way to fine-tune. Its options are its dataclass fields, checked when it is made.

    `kind` says which component, `formula` what it minimises, in a line; both are in its card (`methods.card`).
    """

    name: ClassVar[str]
    label: ClassVar[str]
    reference: ClassVar[str]
    formula: ClassVar[str]
    kind: ClassVar[str]

    @property
    def objective(self) -> str:
        """What it minimises with its options, in half a line."""
        return f"{self.formula} ({self.label})"

    def settings(self) -> dict[str, Any]:
        """Every option with its value.

        >>> MaskTuning(alpha=0.3).settings()["mask_rate"]
        0.05
        """
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def options(self) -> dict[str, Any]:
        """The options that differ from their defaults.

        >>> MaskTuning(alpha=0.3).options()
        {'alpha': 0.3}
        """
        defaults = {field.name: field.default for field in fields(self) if field.default is not MISSING}
        return {name: value for name, value in self.settings().items() if value != defaults.get(name, MISSING)}

    @property
    def needs(self) -> dict[str, Feature]:
        """The features of the train examples that it uses, by the name under which `Examples.prepared` has them."""
        return {}

    @property
    def needs_pairs(self) -> bool:
        """Whether it makes sense for examples of two texts alone."""
        return False

    @property
    def needs_classes(self) -> bool:
        """Whether, with its options, it needs one class for each example: no several labels, no numbers to predict."""
        return False

    @property
    def edits_modules(self) -> bool:
        """Whether, with its options, it changes what modules of the classifier put out (`MaskTuningModel.edit`)."""
        return False


class ForwardPass(Component):
    """How the classifier reads the examples."""

    kind = "forward"

    @property
    @abstractmethod
    def passes(self) -> int:
        """How many forward and backward passes the classifier makes where a plain one makes one of each."""

    @abstractmethod
    def losses(
        self, model: "MaskTuningModel", examples: Examples, loss: LossFunction, streams: Streams
    ) -> Iterator[tuple[float, Tensor]]:
        """(share, loss) one by one; the shares sum to 1. `loss(logits, examples)` is the loss of one forward pass."""


class ClassificationLoss(Component):
    """What the classifier's logits are compared with."""

    kind = "loss"
    needs_classes = True

    @abstractmethod
    def loss(self, logits: Tensor, examples: Examples) -> Tensor:
        """The loss of logits [B, C] for examples. Scalar."""


@dataclass(frozen=True)
class SecondStage:
    """What follows the epochs that every method has: `epochs` passes over the marked examples.

    `marked` names the feature that marks them (bool), `learning_rate_factor` is the peak rate over the first stage's.
    """

    marked: str
    epochs: int
    learning_rate_factor: float


class Curriculum(Component):
    """Which examples come when."""

    kind = "curriculum"

    @property
    @abstractmethod
    def second_stage(self) -> SecondStage:
        """What comes after the epochs over all examples."""


class SingleForward(ForwardPass):
    """The examples are read once, as they are."""

    passes = 1

    def losses(
        self, model: "MaskTuningModel", examples: Examples, loss: LossFunction, streams: Streams
    ) -> Iterator[tuple[float, Tensor]]:
        yield 1.0, loss(model(**examples.inputs).logits, examples)


class CrossEntropy(ClassificationLoss):
    """Cross-entropy against the label."""

    needs_classes = False  # the trainer puts the classifier's own loss in its place

    def loss(self, logits: Tensor, examples: Examples) -> Tensor:
        return classification_loss(logits, examples.labels, examples.example_weights(logits))


@dataclass(frozen=True)
class Classification:
    """How a classification term comes about: a forward pass and the loss of its logits."""

    forward: ForwardPass = SingleForward()
    criterion: ClassificationLoss = CrossEntropy()

    def terms(self, model: "MaskTuningModel", examples: Examples, weight: float, streams: Streams) -> Iterator[Term]:
        """The term of the examples, in as many pieces as the forward pass has."""
        for share, loss in self.forward.losses(model, examples, self.criterion.loss, streams):
            yield Term("classification", weight * share, loss)


PLAIN = Classification()


class Method(Component):
    """A way to fine-tune: which texts the classifier reads, and what else is learned from them.

    A method yields its terms one by one and computes the next only when it is asked for it: the trainer calls backward
    on each term as it comes, so the activations of one pass are gone before the next begins.
    """

    kind = "text"

    @property
    def encoder(self) -> str | None:
        """How the language model relates to the classifier (masktune.losses.ENCODERS); None where none is needed."""
        return None

    @property
    def second_stage(self) -> SecondStage | None:
        """What comes after the epochs over all examples, None for nothing."""
        return None

    @property
    def classification(self) -> Classification:
        """How its classification terms come about where the trainer asks for nothing else."""
        return PLAIN

    @property
    def classifies(self) -> bool:
        """Whether, with its options, it trains the classifier at all."""
        return True

    @property
    def learns_language(self) -> bool:
        """Whether, with its options, it trains the masked-LM head."""
        return self.encoder not in (None, "frozen")

    @property
    def weighs_examples(self) -> bool:
        """Whether, with its options, some examples of a batch count more than others."""
        return False

    @property
    def equalises(self) -> bool:
        """Whether one of the terms asks for `equalise`."""
        return False

    @abstractmethod
    def terms(
        self, model: "MaskTuningModel", batch: Batch, streams: Streams, classification: Classification = PLAIN
    ) -> Iterator[Term]:
        """The terms of the loss on a batch: input_ids, attention_mask [B, L] (token_type_ids), labels [B].

        >>> batch = {**inputs, "labels": torch.tensor([0, 1])}
        >>> [(term.name, term.weight) for term in MaskTuning(mask_rate=0.5).terms(model, batch, Streams(0))]
        [('mlm', 0.6), ('classification', 0.4)]
        """

    @abstractmethod
    def passes(self, classifier: int = 1) -> tuple[int, int]:
        """(forward, backward) passes over the batch in a step, at most; reading a text takes `classifier` of each.

        >>> FineTuning().passes(), MaskTuning().passes(), MaskTuning(alpha=0).passes()
        ((1, 1), (2, 2), (2, 1))
        """
