"""What a method must know of each train example before training: a bias model's opinion, a teacher's, other texts.

A method declares the features it needs (`Method.needs`). `masktune.training.features` computes them, keeps them in the
cache, and hands them to the method as columns of the train set.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from torch import Tensor

from masktune.perturb import Vocabulary

if TYPE_CHECKING:
    import datasets
    import numpy

# Of the names of the features' columns in the train set, so that they do not clash with the user's own columns.
PREFIX = "prepared_"

# The words of an example of one text or of two.
Texts = tuple[list[str], ...]


class LanguageModel(Protocol):
    """A masked language model, as far as a feature uses one."""

    def mlm_logits(self, masked_ids: Tensor, input_ids: Tensor, positions: Tensor, **inputs: Tensor) -> Tensor:
        """Predictions for the N masked tokens. Ids and bool positions [B, L] -> [N, V]."""


class FeatureBuilder(Protocol):
    """What a feature may use: n tokenised train examples of C classes, and models that start from the checkpoint."""

    @property
    def train(self) -> "datasets.Dataset":
        """The tokenised train examples: `train["input_ids"]` is a column."""

    @property
    def labels(self) -> Sequence[int]:
        """The label of each example."""

    @property
    def num_labels(self) -> int:
        """C, the number of classes."""

    @property
    def texts(self) -> Sequence[Texts]:
        """The words of each example."""

    @property
    def paired(self) -> bool:
        """Whether examples have two texts."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The mask token, the special tokens and the size of the tokenizer's vocabulary."""

    def seed(self, purpose: str) -> int:
        """A seed for one purpose."""

    def batches(self) -> Iterator[dict[str, Tensor]]:
        """The examples in their order, without labels, padded, on the device: input_ids ... [B, L]."""

    def load_masked_lm(self) -> LanguageModel:
        """The masked language model of the checkpoint, without dropout."""

    def fine_tune(self, rows: "Sequence[int] | numpy.ndarray | None" = None, epochs: float | None = None) -> Path:
        """The folder of the checkpoint fine-tuned on these rows (None: all) for so many epochs (None: as the run)."""

    def predict(self, folder: Path) -> "numpy.ndarray":
        """A fine-tuned classifier's probabilities of the classes for every example. [n, C] float32."""

    def attention(self, folder: Path) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        """(batch, attention of a fine-tuned classifier to each token [B, L])."""


@dataclass(frozen=True)
class Feature(ABC):
    """Something to compute for each train example. Its fields, and what it depends on, define it.

    summary     what it is, in a few words
    per_token   whether there is a value for each token of an example, and not one for the example
    """

    summary: ClassVar[str]
    per_token: ClassVar[bool] = False

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of the train set that it reads besides the tokens and the labels. A model never sees them."""
        return ()

    @property
    def depends_on(self) -> tuple[str, ...]:
        """What it depends on besides the tokens and labels of the train set.

        "words" (the tokenizer), "checkpoint", "training", "columns" (those that it reads).
        """
        return ()

    @abstractmethod
    def compute(self, builder: FeatureBuilder) -> "numpy.ndarray":
        """An array [n, ...], or [tokens of all examples in turn] if `per_token`, of plain numbers."""
