"""The registry of methods: one file a method, which reads like the method section of its paper.

The usage example in each file takes as given what a script that fine-tunes with transformers has: `model`, a loaded
`AutoModelForSequenceClassification`, its `tokenizer`, `args`, the tokenised `train` set. What is computed for each
example before training starts from the `checkpoint` of the model, and needs the `label_names`.
"""

from dataclasses import fields
from typing import Any

from masktune.errors import MaskTuneError, one_of
from masktune.methods.base import Component, Examples, Method, SecondStage, Term
from masktune.methods.composition import KINDS, Combined, combine, components_of
from masktune.methods.confidence_regularisation import ConfidenceRegularisation
from masktune.methods.fine_tuning import FineTuning
from masktune.methods.forgettable import Forgettable
from masktune.methods.free_lb import FreeLB
from masktune.methods.hidden_cut import HiddenCut
from masktune.methods.mask_tuning import MaskTuning
from masktune.methods.masker import Masker
from masktune.methods.mlm_augmentation import MlmAugmentation
from masktune.methods.product_of_experts import ProductOfExperts
from masktune.methods.r_drop import RDrop
from masktune.methods.reweighting import Reweighting
from masktune.methods.span_cutoff import SpanCutoff

METHODS: dict[str, type[Component]] = {
    component.name: component
    for component in (
        FineTuning, MaskTuning, MlmAugmentation, Masker,
        SpanCutoff, HiddenCut, RDrop, FreeLB,
        Reweighting, ProductOfExperts, ConfidenceRegularisation,
        Forgettable,
    )
}  # fmt: skip


def build(name: str, **options: Any) -> Method:
    """The method of that name with these options: "mask_tuning", "free_lb" (of fine-tuning), "mask_tuning+free_lb".

    Raises MaskTuneError for an unknown name or option, for a value that the option does not admit, and for components
    that do not go together.

    >>> build("mask_tuning+r_drop", alpha=0.3).label
    'Mask-tuning + R-Drop'
    """
    classes = [METHODS[one_of(component, METHODS, "method")] for component in name.split("+")]
    known = {component: [field.name for field in fields(component)] for component in classes}
    for option in options:
        if not any(known.values()):
            raise MaskTuneError(f"the method {name!r} takes no options, but {option!r} was given; leave it out")
        one_of(option, [option for own in known.values() for option in own], f"option of {name}")
    method = combine(
        *(component(**{key: options[key] for key in own if key in options}) for component, own in known.items())
    )
    if method.name != name:
        raise MaskTuneError(f"the method {name!r} is written {method.name!r}; one method has one name")
    return method


def card(name: str, **options: Any) -> dict[str, Any]:
    """A method in a row of a table: what it is, what it minimises, what a step costs, what it needs and refuses.

    "forward" and "backward" count passes over the batch in a step, at most; plain fine-tuning has one of each. "needs"
    says what is computed for each train example before training, "refuses" what the method is not combined with.

    >>> card("fine_tuning")["loss"]
    'CE(x, y)'
    """
    method = build(name, **options)
    forward, backward = method.passes()
    own = {component.kind: component.name for component in components_of(method)}
    others = [other for other, component in METHODS.items() if own.get(component.kind, other) != other]
    return {
        "name": name,
        "label": method.label,
        "reference": method.reference,
        "loss": method.formula,
        "forward": forward,
        "backward": backward,
        "needs": "; ".join(dict.fromkeys(feature.summary for feature in method.needs.values())),
        "refuses": ", ".join(others),
    }


__all__ = [
    "KINDS",
    "METHODS",
    "Combined",
    "Component",
    "ConfidenceRegularisation",
    "Examples",
    "FineTuning",
    "Forgettable",
    "FreeLB",
    "HiddenCut",
    "MaskTuning",
    "Masker",
    "Method",
    "MlmAugmentation",
    "ProductOfExperts",
    "RDrop",
    "Reweighting",
    "SecondStage",
    "SpanCutoff",
    "Term",
    "build",
    "card",
    "combine",
]
