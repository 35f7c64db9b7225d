"""What each family's entry says of its models: where the modules are, and what they see."""

import torch
from transformers import AutoModelForSequenceClassification

from masktune.models.families import FAMILIES, shift_right


def test_the_stacks_are_what_the_classifier_reads_through(checkpoints, family, batch):
    """Each module named is called once in a forward pass, in the order given, with a row for each token."""
    classifier = AutoModelForSequenceClassification.from_pretrained(checkpoints[family]).eval()
    stacks = FAMILIES[family].stacks(classifier.base_model)
    named = [module for stack in stacks for module in (*stack.words, *stack.embeddings, *stack.feed_forward)]
    called = []
    for module in named:
        module.register_forward_hook(lambda module, inputs, output: called.append((module, tuple(output.shape))))
    classifier(**batch)
    assert [module for module, _ in called] == named
    assert {shape for _, shape in called} == {(*batch["input_ids"].shape, 16)}
    assert [len(stack.feed_forward) for stack in stacks] == [2] * len(stacks)
    assert [stack.shifted for stack in stacks] == ([False, True] if family == "bart" else [False])


def test_what_belongs_to_a_token_is_shifted_to_where_the_decoder_reads_it():
    values = torch.arange(6).reshape(2, 3) + 1
    assert shift_right(values).tolist() == [[0, 1, 2], [0, 4, 5]]
    assert shift_right(values[..., None].bool())[:, 0].tolist() == [[False], [False]]
