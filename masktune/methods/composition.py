"""Methods of more than one part: `combine(mask_tuning, free_lb)`."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from masktune.errors import MaskTuneError
from masktune.features import Product
from masktune.methods.base import (
    Answer,
    Batch,
    Classification,
    Label,
    Method,
    Once,
    Order,
    Part,
    Reading,
    SecondStage,
    Term,
)
from masktune.methods.fine_tuning import FineTuning
from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models.joint import MaskTuningModel

# In the order in which a name lists them: mask_tuning+free_lb+product_of_experts.
KINDS = {
    "text": "which texts are read",
    "reading": "how they are read",
    "answer": "what the answer is held against",
    "order": "which examples come when",
}


@dataclass(frozen=True)
class Combined(Method):
    """A method with another reading, answer or order than its own. Made by `combine`, which checks that they fit."""

    parts: tuple[Part, ...]

    @cached_property
    def method(self) -> Method:
        """The part that says which texts are read."""
        return self._part(Method) or FineTuning()

    @property
    def name(self) -> str:
        return "+".join(part.name for part in self.parts)

    @property
    def label(self) -> str:
        return " + ".join(part.label for part in self.parts)

    @property
    def reference(self) -> str:
        return "; ".join(part.reference for part in self.parts)

    @property
    def loss(self) -> str:
        return "; ".join(part.loss for part in self.parts)

    @property
    def encoder(self) -> str | None:
        return self.method.encoder

    @property
    def equalises(self) -> bool:
        return self.method.equalises

    @property
    def second_stage(self) -> SecondStage | None:
        order = self._part(Order)
        return order.second_stage if order else None

    @property
    def needs_pairs(self) -> bool:
        return any(part.needs_pairs for part in self.parts)

    @property
    def needs(self) -> dict[str, Product]:
        return {name: product for part in self.parts for name, product in part.needs.items()}

    def settings(self) -> dict[str, Any]:
        return {name: value for part in self.parts for name, value in part.settings().items()}

    def options(self) -> dict[str, Any]:
        return {name: value for part in self.parts for name, value in part.options().items()}

    def terms(
        self, model: "MaskTuningModel", batch: Batch, streams: Streams, classification: Classification | None = None
    ) -> Iterator[Term]:
        return self.method.terms(model, batch, streams, classification or self._classification)

    def passes(self, reading: int = 1) -> tuple[int, int]:
        return self.method.passes(reading * self._classification.reading.passes)

    @cached_property
    def _classification(self) -> Classification:
        return Classification(self._part(Reading) or Once(), self._part(Answer) or Label())

    def _part(self, kind: type[Part]) -> Any:
        return next((part for part in self.parts if isinstance(part, kind)), None)


def combine(*parts: Part) -> Method:
    """One method of several parts: `combine(MaskTuning(), FreeLB())`, `combine(FreeLB())` (of fine-tuning).

    What is combined already can be combined further.

    Raises MaskTuneError for two parts of one kind, and for parts that act on a classification that does not take place.
    """
    by_kind: dict[str, Part] = {}
    for part in (own for given in parts for own in (given.parts if isinstance(given, Combined) else (given,))):
        other = by_kind.setdefault(part.kind, part)
        if other is not part:
            raise MaskTuneError(
                f"{other.name!r} and {part.name!r} both say {KINDS[part.kind]}; a method has one of them"
            )
    ordered = tuple(by_kind[kind] for kind in KINDS if kind in by_kind)
    if len(ordered) == 1 and isinstance(ordered[0], Method):
        return ordered[0]
    combined = Combined(ordered if not isinstance(ordered[0], FineTuning) else ordered[1:])
    _check(combined)
    return combined


def _check(combined: Combined) -> None:
    """Raise MaskTuneError where nothing is classified and a part would wait for it in vain."""
    if combined.method.passes(1) == combined.method.passes(2):
        waiting = next(part for part in combined.parts if part is not combined.method)
        raise MaskTuneError(
            f"{combined.method.name!r} with these options classifies nothing, so {waiting.name!r} has nothing to act "
            "on; give the classification loss a weight above 0"
        )
