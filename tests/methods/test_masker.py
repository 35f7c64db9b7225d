"""MASKER against its formula, and its keywords against transformers' own attention weights."""

import math

import pytest
import torch
from methods.conftest import gradients, inputs_of, load, same_gradients, total, train
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification

from masktune import methods
from masktune.methods.masker import attention_by_token
from masktune.perturb import Vocabulary
from masktune.streams import Streams

STREAMS = Streams(1).at(2)
VOCABULARY = Vocabulary(44, (0, 1, 2, 3, 44), 45)


def test_the_loss_is_its_formula(checkpoints, family, batch):
    model = load(checkpoints[family])
    model.vocabulary = VOCABULARY
    input_ids, inputs = batch["input_ids"], inputs_of(batch)
    keywords = (input_ids > 3) & (input_ids < 20) & (input_ids % 2 == 0)
    method = methods.build("masker", keyword_weight=0.3, entropy_weight=0.2)
    losses, actual = train(method, model, {**batch, "prepared_keywords": keywords.long()}, STREAMS)

    masked, bare, hidden = input_ids.clone(), input_ids.clone(), torch.zeros_like(keywords)
    draws = torch.rand(input_ids.shape, generator=STREAMS["keywords"])
    context = torch.rand(input_ids.shape, generator=STREAMS["context"])
    for row, column in (input_ids > 3).nonzero().tolist():
        if keywords[row, column] and draws[row, column] < 0.5:
            masked[row, column], hidden[row, column] = 44, True
        if not keywords[row, column] and context[row, column] < 0.9:
            bare[row, column] = 44
    predicted = model.mlm_logits(masked, positions=hidden, **inputs)
    of_keywords = cross_entropy(predicted, input_ids[hidden])
    unsure = model(**{**inputs, "input_ids": bare}).logits.softmax(-1)
    of_entropy = sum(0.5 * math.log(0.5) - 0.5 * p.log() for row in unsure for p in row) / len(unsure)
    classified = cross_entropy(model(**inputs).logits, batch["labels"])
    assert [name for name, *_ in losses] == ["keywords", "entropy", "classification"]
    assert [value for *_, value in losses] == pytest.approx(
        [of_keywords.item(), of_entropy.item(), classified.item()], rel=1e-4
    )
    model.zero_grad()
    loss = classified + 0.3 * of_keywords + 0.2 * of_entropy
    loss.backward()
    assert total(losses) == pytest.approx(loss.item(), rel=1e-4)
    same_gradients(actual, gradients(model))


def test_without_keywords_and_without_weights_it_is_fine_tuning(checkpoints, family, batch):
    model = load(checkpoints[family])
    model.vocabulary = VOCABULARY
    nothing = torch.zeros_like(batch["input_ids"])
    method = methods.build("masker", entropy_weight=0.0)
    losses, actual = train(method, model, {**batch, "prepared_keywords": nothing}, STREAMS)
    expected_losses, expected = train(methods.FineTuning(), model, batch, STREAMS)
    assert losses == expected_losses
    same_gradients(actual, expected)


def test_attention_is_that_of_transformers_at_the_token_that_is_classified(checkpoints, family, batch, tmp_path):
    model, inputs = load(checkpoints[family], None), inputs_of(batch)
    model.save_pretrained(tmp_path)
    reference = AutoModelForSequenceClassification.from_pretrained(tmp_path, attn_implementation="eager").eval()
    output = reference(**inputs, output_attentions=True)
    ends = inputs["attention_mask"].sum(1) - 1
    rows = [
        output.cross_attentions[-1][row, :, end] if family == "bart" else output.attentions[-1][row, :, 0]
        for row, end in enumerate(ends.tolist())
    ]
    actual = model.attention(inputs)
    torch.testing.assert_close(actual, torch.stack(rows).mean(1))
    torch.testing.assert_close(actual.sum(1), torch.ones(len(rows)))


def test_attention_by_token_is_the_mean_in_an_example_and_the_sum_over_examples():
    input_ids = torch.tensor([[0, 5, 6, 5, 2], [0, 6, 2, 1, 1]])
    attention = torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.0], [0.2, 0.7, 0.1, 0.0, 0.0]])
    scores = attention_by_token(input_ids, attention, VOCABULARY)
    assert scores[5].item() == pytest.approx((0.2 + 0.4) / 2) and scores[6].item() == pytest.approx(0.3 + 0.7)
    assert scores.sum().item() == pytest.approx(0.3 + 1.0)
