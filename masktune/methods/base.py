"""What a method is: a small frozen object that turns a batch into weighted loss terms."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor

from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models import MaskTuningModel

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Term:
    """One term of a loss: what it is called in the logs, its weight, its value (a scalar with a graph).

    `equalise` asks the trainer to rescale the term's gradient to the norm of the classification term's.
    """

    name: str
    weight: float
    loss: Tensor
    equalise: bool = False


@dataclass(frozen=True)
class Method(ABC):
    """A way to fine-tune. Its options are its dataclass fields, checked when it is made.

    A method yields its terms one by one and computes the next only when it is asked for it: the trainer calls backward
    on each term as it comes, so the activations of one pass are gone before the next begins.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    reference: ClassVar[str]
    # How the language model stands to the classifier (masktune.objective.ENCODERS), None where a method needs none.
    encoder: ClassVar[str | None] = None

    @property
    def equalises(self) -> bool:
        """Whether one of the terms asks for `equalise`."""
        return False

    @abstractmethod
    def terms(self, model: "MaskTuningModel", batch: Batch, streams: Streams) -> Iterator[Term]:
        """The terms of the loss on a batch: input_ids, attention_mask [B, L] (token_type_ids), labels [B]."""

    def options(self) -> dict[str, Any]:
        """The options that differ from their defaults."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        defaults = {field.name: field.default for field in fields(self) if field.default is not MISSING}
        return {name: value for name, value in values.items() if value != defaults.get(name, MISSING)}


def split(batch: Batch) -> tuple[Tensor, Tensor, Batch]:
    """(input_ids [B, L], labels [B], the other inputs of the model) of a batch."""
    others = {name: values for name, values in batch.items() if name not in ("input_ids", "labels")}
    return batch["input_ids"], batch["labels"], others
