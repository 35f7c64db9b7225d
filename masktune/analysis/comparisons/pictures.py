"""Each method by its picture, its loss, and two sentences: what it changes on the way from an example to the loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from masktune.analysis.comparisons import numbers
from masktune.analysis.display import STYLES
from masktune.study.design.study import Study

if TYPE_CHECKING:
    from IPython.display import HTML

STAGES = ("examples", "text", "encoder", "answer", "loss")
_ARROW = '<span aria-hidden="true"> \u2192 </span>'


@dataclass(frozen=True)
class Picture:
    """What a method puts in the place of a stage, in a few words; what it does, and what its loss asks."""

    changes: Mapping[str, str]
    does: str
    asks: str
    reference: str = ""  # where it is not the method's own


PICTURES = {
    "fine_tuning": Picture(
        {},
        "The classifier reads each text as it is.",
        "The loss asks for the label alone.",
    ),
    "mask_tuning": Picture(
        {"text": "some words refilled", "loss": "label + hidden words"},
        "Some words are hidden, the model's own language model fills the gaps, and the classifier reads the result.",
        "The loss asks for the old label, and with the weight alpha for the hidden words.",
    ),
    "reweighting": Picture(
        {"loss": "label, times 1 \u2212 b"},
        "A bias model, which sees the cue alone, gives each label a probability b.",
        "The loss of an example that the cue answers already counts little.",
    ),
    "product_of_experts": Picture(
        {"answer": "times the bias model's"},
        "In training the model's probabilities are multiplied with those of a bias model, which sees the cue alone.",
        "The loss asks the product for the label, so that the model learns what the cue does not say.",
    ),
    "confidence_regularisation": Picture(
        {"loss": "a softened teacher"},
        "A fine-tuned teacher answers first, and is made the less certain, the more a bias model knows from the cue.",
        "The loss asks for the teacher's softened probabilities in the place of the label.",
    ),
    "mlm_augmentation": Picture(
        {"examples": "and refilled copies"},
        "Before training a frozen language model hides and refills words, which gives a copy of each text.",
        "The loss asks for the same label twice, of the text and of its copy.",
    ),
    "span_cutoff": Picture(
        {"text": "and without a span", "loss": "label + agreement"},
        "Each text is read a second time without a span of its tokens.",
        "The loss asks for the label both times, and that the two answers agree.",
    ),
    "hidden_cut": Picture(
        {"encoder": "and with spans cut out", "loss": "label + agreement"},
        "In a second pass every layer loses a span of its hidden states.",
        "The loss asks for the label both times, and that the two answers agree.",
    ),
    "forgettable": Picture(
        {"examples": "the forgotten ones again"},
        "A weak model shows which examples are forgotten in training, or never learnt; they come once more at the end.",
        "The loss is that of fine-tuning.",
    ),
    "masker": Picture(
        {"text": "and without keywords, or context", "loss": "label + keywords + doubt"},
        "Each text is read twice more: with its keywords hidden, and with little left but its keywords.",
        "The loss asks for the label, for the hidden keywords, and for no answer at all where the context is gone.",
    ),
    "free_lb": Picture(
        {"encoder": "word vectors moved"},
        "The word vectors of a text are moved, within a small ball, to where the loss is higher, several times.",
        "The loss asks for the label at each step of the way.",
    ),
    "r_drop": Picture(
        {"encoder": "twice, other dropout", "loss": "label + agreement"},
        "Each text is read twice, and dropout leaves out other units each time.",
        "The loss asks for the label both times, and that the two answers agree.",
    ),
    "TAPT": Picture(
        {"encoder": "has read the texts before"},
        "The language model is first trained further on the texts of the task, without their labels.",
        "The loss is that of fine-tuning.",
        "Gururangan et al. 2020",
    ),
}


def introduce(study: Study, labels: Iterable[str]) -> HTML:
    """Each of these rows of a study: its way from the example to the loss, its loss as a formula, two sentences.

    A stage that the method changes is a filled box. A row that is no method's own has the picture of its label, if
    there is one. Raises KeyError for a method without a picture.
    """
    from IPython.display import HTML

    cards = numbers.cards(study, labels)
    named = {variant.label: row.method for row in study.grid for variant in row.variants}
    return HTML("".join(_introduced(card, named[card["label"]]) for card in cards.to_dict("records")))


def _introduced(card: Mapping[str, str], method: str) -> str:
    picture = PICTURES[card["label"] if card["label"] in PICTURES else method]
    way = _ARROW.join(_stage(stage, picture.changes.get(stage)) for stage in STAGES)
    return (
        f'<div style="margin:1.1em 0"><p style="margin:0"><strong>{escape(card["label"])}</strong> '
        f'({escape(picture.reference or card["reference"])})</p><p style="margin:.35em 0">{way}</p>'
        f'<p style="margin:.2em 0"><code>{escape(card["loss"])}</code></p>'
        f'<p style="margin:0">{escape(picture.does)} {escape(picture.asks)}</p></div>'
    )


def _stage(name: str, change: str | None) -> str:
    if change is None:
        return f'<span style="{STYLES["same"]};font-weight:400">{name}</span>'
    return f'<span style="{STYLES["changed"]};font-weight:400">{name}: {escape(change)}</span>'
