"""What the components share: examples that keep what belongs to them, and whether a method classifies."""

import inspect
from dataclasses import dataclass, fields

import pytest
import torch

from masktune import methods
from masktune.methods.base import Examples

LOGITS = torch.tensor([[2.0, 1.0], [0.0, 3.0], [4.0, 1.0], [1.0, 2.0]])
CHOSEN = torch.tensor([True, False, True, True])
# By name, each way to derive examples from others: what it gives, and what it does to any column [B, ...] of them.
DERIVED = {
    "with_text": (lambda examples, others: examples.with_text(examples.inputs["input_ids"]), lambda one, other: one),
    "with_soft_words": (
        lambda examples, others: examples.with_soft_words(torch.zeros(4, 5, 3), torch.zeros(4, 5).bool()),
        lambda one, other: one,
    ),
    "rows": (lambda examples, others: examples.rows(CHOSEN), lambda one, other: one[CHOSEN]),
    "followed_by": (
        lambda examples, others: examples.followed_by(others),
        lambda one, other: torch.cat([one, other]),
    ),
}


def examples_of(offset=0, **weights):
    ids = torch.arange(20).reshape(4, 5) + offset
    inputs = {"input_ids": ids, "attention_mask": ids % 7 + 1}
    return Examples(inputs, torch.tensor([0, 1, 1, 0]), {"bias": ids[:, :2] / (100 + offset)}, **weights)


def test_every_way_to_derive_examples_is_tested():
    ways = {
        name
        for name, member in inspect.getmembers(Examples, inspect.isfunction)
        if not name.startswith("_") and inspect.signature(member).return_annotation == "Examples"
    }
    assert ways == DERIVED.keys()


@pytest.mark.parametrize("way", DERIVED)
@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"weights": torch.tensor([1.0, 2.0, 3.0, 4.0])},
        {"weights_if_correct": torch.tensor([0.5, 0.25, 3.0, 1.0])},
        {"weights": torch.tensor([0.0, 2.0, 3.0, 4.0]), "weights_if_correct": torch.tensor([0.5, 0.25, 3.0, 1.0])},
    ],
    ids=["none", "always", "if correct", "both"],
)
@pytest.mark.parametrize("others_too", [True, False])
def test_derived_examples_keep_what_belongs_to_each(way, weights, others_too):
    derive, expect = DERIVED[way]
    examples, others = examples_of(**weights), examples_of(100, **(weights if others_too else {}))
    derived = derive(examples, others)
    assert len(fields(Examples)) == 5
    assert torch.equal(derived.labels, expect(examples.labels, others.labels))
    for own in ("inputs", "prepared"):
        columns = [getattr(each, own) for each in (derived, examples, others)]
        assert all(torch.equal(columns[0][name], expect(columns[1][name], columns[2][name])) for name in columns[1])
    before = [each.example_weights(LOGITS) for each in (examples, others)]
    after = derived.example_weights(expect(LOGITS, LOGITS))
    if after is None:
        assert before[0] is None and (way != "followed_by" or before[1] is None)
    else:
        one, other = (torch.ones(4) if each is None else each for each in before)
        assert torch.equal(after, expect(one, other))


def test_an_example_counts_more_where_the_classifier_predicts_its_label():
    examples = examples_of(weights=torch.tensor([0.0, 1.0, 2.0, 0.0]), weights_if_correct=torch.ones(4))
    assert examples.example_weights(LOGITS).tolist() == [1, 2, 2, 0]


@dataclass(frozen=True)
class OfOneCost(methods.MlmAugmentation):
    """Classifies, and says that it costs the same however often the classifier reads."""

    name = "of_one_cost"

    def passes(self, classifier=1):
        return 7, 7


def test_a_method_says_itself_whether_it_classifies():
    assert methods.combine(OfOneCost(), methods.RDrop()).name == "of_one_cost+r_drop"
    classifying = {alpha: methods.MaskTuning(alpha=alpha).classifies for alpha in (0, 0.6, 1)}
    assert classifying == {0: True, 0.6: True, 1: False}
    assert methods.MaskTuning(alpha=1, alpha_weights="classification").classifies
    assert methods.build("mask_tuning+free_lb").classifies and methods.FineTuning().classifies
