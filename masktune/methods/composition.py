"""Methods of more than one component: `combine(mask_tuning, free_lb)`."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from masktune.errors import MaskTuneError
from masktune.features import Feature
from masktune.methods.base import (
    Batch,
    Classification,
    ClassificationLoss,
    Component,
    CrossEntropy,
    Curriculum,
    ForwardPass,
    Method,
    SecondStage,
    SingleForward,
    Term,
)
from masktune.methods.fine_tuning import FineTuning
from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models.joint import MaskTuningModel

# In the order in which a name lists them (mask_tuning+free_lb+product_of_experts), with what a component does.
KINDS = {
    "text": "choose the texts",
    "forward": "change the forward pass",
    "loss": "replace the classification loss",
    "curriculum": "choose which examples come when",
}


@dataclass(frozen=True)
class Combined(Method):
    """A method with another forward pass, loss or curriculum than its own. Made by `combine`, which checks the fit."""

    components: tuple[Component, ...]

    @cached_property
    def method(self) -> Method:
        """The component that chooses the texts."""
        return self._component(Method) or FineTuning()

    @property
    def name(self) -> str:  # type: ignore[override]  # of a single component it is a class attribute
        return "+".join(component.name for component in self.components)

    @property
    def label(self) -> str:  # type: ignore[override]  # of a single component it is a class attribute
        return " + ".join(component.label for component in self.components)

    @property
    def reference(self) -> str:  # type: ignore[override]  # of a single component it is a class attribute
        return "; ".join(component.reference for component in self.components)

    @property
    def formula(self) -> str:  # type: ignore[override]  # of a single component it is a class attribute
        return "; ".join(component.formula for component in self.components)

    @property
    def objective(self) -> str:
        return "; ".join(component.objective for component in self.components)

    @property
    def encoder(self) -> str | None:
        return self.method.encoder

    @property
    def classifies(self) -> bool:
        return self.method.classifies

    @property
    def equalises(self) -> bool:
        return self.method.equalises

    @property
    def learns_language(self) -> bool:
        return self.method.learns_language

    @property
    def needs_classes(self) -> bool:
        return any(component.needs_classes for component in self.components)

    @property
    def weighs_examples(self) -> bool:
        return self.method.weighs_examples

    @property
    def edits_modules(self) -> bool:
        return any(component.edits_modules for component in self.components)

    @property
    def second_stage(self) -> SecondStage | None:
        curriculum = self._component(Curriculum)
        return curriculum.second_stage if curriculum else None

    @property
    def needs_pairs(self) -> bool:
        return any(component.needs_pairs for component in self.components)

    @property
    def needs(self) -> dict[str, Feature]:
        return {name: feature for component in self.components for name, feature in component.needs.items()}

    def settings(self) -> dict[str, Any]:
        return {name: value for component in self.components for name, value in component.settings().items()}

    def options(self) -> dict[str, Any]:
        return {name: value for component in self.components for name, value in component.options().items()}

    def terms(
        self, model: "MaskTuningModel", batch: Batch, streams: Streams, classification: Classification | None = None
    ) -> Iterator[Term]:
        return self.method.terms(model, batch, streams, classification or self._classification)

    def passes(self, classifier: int = 1) -> tuple[int, int]:
        return self.method.passes(classifier * self._classification.forward.passes)

    @property
    def classification(self) -> Classification:
        return self._classification

    @cached_property
    def _classification(self) -> Classification:
        forward, criterion = self._component(ForwardPass), self._component(ClassificationLoss)
        return Classification(forward or SingleForward(), criterion or CrossEntropy())

    def _component(self, kind: type[Component]) -> Any:
        return next((component for component in self.components if isinstance(component, kind)), None)


def combine(*components: Component) -> Method:
    """One method of several components: `combine(MaskTuning(), FreeLB())`, `combine(FreeLB())` (of fine-tuning).

    What is combined already can be combined further.

    Raises MaskTuneError for two components of one kind or with an option of one name, and for components that act on a
    classification that does not take place.
    """
    by_kind: dict[str, Component] = {}
    for component in components_of(*components):
        other = by_kind.setdefault(component.kind, component)
        if other is not component:
            raise MaskTuneError(
                f"{other.name!r} and {component.name!r} both {KINDS[component.kind]}; a method has one such component"
            )
    ordered = tuple(by_kind[kind] for kind in KINDS if kind in by_kind)
    _check_options(ordered)
    if len(ordered) == 1 and isinstance(ordered[0], Method):
        return ordered[0]
    combined = Combined(ordered if not isinstance(ordered[0], FineTuning) else ordered[1:])
    _check(combined)
    return combined


def components_of(*methods: Component) -> tuple[Component, ...]:
    """The single components of methods, combined or not."""
    return tuple(
        component
        for method in methods
        for component in (method.components if isinstance(method, Combined) else (method,))
    )


def _check_options(components: tuple[Component, ...]) -> None:
    """Raise MaskTuneError where two components have an option of one name: a combination would set both."""
    owners: dict[str, Component] = {}
    for component in components:
        for option in component.settings():
            other = owners.setdefault(option, component)
            if other is not component:
                raise MaskTuneError(
                    f"{other.name!r} and {component.name!r} both have an option {option!r}, and a combination would "
                    "set both; rename it in one of them"
                )


def _check(combined: Combined) -> None:
    """Raise MaskTuneError where a component would act on a classification that does not take place."""
    if not combined.classifies:
        waiting = next(component for component in combined.components if component is not combined.method)
        raise MaskTuneError(
            f"{combined.method.name!r} with these options classifies nothing, so {waiting.name!r} has nothing to act "
            "on; give the classification loss a weight above 0"
        )
