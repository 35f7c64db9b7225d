"""R-Drop, Span Cutoff, HiddenCut and FreeLB against their formulas, with the model written out layer by layer."""

import pytest
import torch
from methods.conftest import (
    batch_of,
    gradients_by_hand,
    inputs_of,
    load,
    logits_by_hand,
    same_gradients,
    total,
    train,
)
from torch.nn.functional import cross_entropy

from masktune import methods
from masktune.errors import MaskTuneError
from masktune.streams import Streams

STREAMS = Streams(1).at(2)


def fine_tuned(model, batch):
    return train(methods.FineTuning(), model, batch, STREAMS)


def divergence(p, q):
    """KL(p || q), example by example and class by class."""
    return torch.stack(
        [sum(a * (a.log() - b.log()) for a, b in zip(*pair, strict=True)) for pair in zip(p, q, strict=True)]
    )


def test_the_forward_pass_by_hand_is_that_of_transformers(model, batch):
    by_hand = logits_by_hand(model.classifier, inputs_of(batch))
    torch.testing.assert_close(by_hand, model(**inputs_of(batch)).logits, rtol=1e-4, atol=1e-5)


# ---- R-Drop


def with_dropout(model, rate):
    """Dropout in training, at least in the classification head, where each family has a module for it."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = rate
    return model.train()


def test_r_drop_is_its_formula_on_two_passes_with_dropout(model, batch, monkeypatch):
    with_dropout(model, 0.3)
    seen = []
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda **inputs: seen.append(forward(**inputs)) or seen[-1])
    [(name, weight, value)], _ = train(methods.build("r_drop", kl_weight=0.5), model, batch, STREAMS)
    first, second = seen[0].logits.chunk(2)
    p, q = first.softmax(-1), second.softmax(-1)
    assert (p - q).abs().max() > 1e-3
    paper = cross_entropy(first, batch["labels"]) + cross_entropy(second, batch["labels"])
    paper = paper + 0.5 / 2 * (divergence(p, q) + divergence(q, p)).mean()
    assert (name, weight) == ("classification", 1.0) and value == pytest.approx(paper.item() / 2, rel=1e-5)


def test_r_drop_without_dropout_is_fine_tuning(model, batch):
    losses, actual = train(methods.build("r_drop"), model, batch, STREAMS)
    expected_losses, expected = fine_tuned(model, batch)
    assert total(losses) == pytest.approx(total(expected_losses), rel=1e-5)
    same_gradients(actual, expected)


# ---- Span Cutoff and HiddenCut


def span(length, size, draw):
    """Where a cut begins and ends, as the published code has it."""
    start = int(draw * (length - size))
    return slice(start, start + size)


def js(p, q):
    middle = (p + q) / 2
    return ((divergence(p, middle) + divergence(q, middle)) / 2).mean()


def cut_loss(whole, cut, labels, weight):
    paper = cross_entropy(whole, labels) + cross_entropy(cut, labels)
    return (paper + weight * js(whole.softmax(-1), cut.softmax(-1))) / 2


def test_span_cutoff_is_its_formula(model, batch):
    method = methods.build("span_cutoff", cut_rate=0.4, divergence_weight=0.7)
    losses, actual = train(method, model, batch, STREAMS)
    lengths = batch["attention_mask"].sum(1).tolist()
    draws = torch.rand(len(lengths), generator=STREAMS["cut"]).tolist()
    cut = torch.zeros_like(batch["input_ids"], dtype=torch.bool)
    for row, (length, draw) in enumerate(zip(lengths, draws, strict=True)):
        cut[row, span(length, int(0.4 * length), draw)] = True
    assert cut.any(1).all()
    whole = logits_by_hand(model.classifier, inputs_of(batch))
    without = logits_by_hand(
        model.classifier, inputs_of(batch), embeddings=lambda hidden: hidden * ~cut[..., None], unseen=cut
    )
    loss = cut_loss(whole, without, batch["labels"], 0.7)
    assert total(losses) == pytest.approx(loss.item(), rel=1e-4)
    same_gradients(actual, gradients_by_hand(model, loss))


def test_what_span_cutoff_cuts_cannot_be_read(model, batch):
    method = methods.build("span_cutoff", cut_rate=0.4).components[0]
    inputs = inputs_of(batch)
    with method.cutting(model, inputs, 0, STREAMS) as cut_inputs:
        gone = batch["attention_mask"].bool() & ~cut_inputs["attention_mask"].bool()
        expected = model(**cut_inputs).logits
        special = batch["input_ids"] < 4  # an end of text in another place is another text to BART
        others = batch["input_ids"].where(~gone | special, 7)
        torch.testing.assert_close(model(**{**cut_inputs, "input_ids": others}).logits, expected)
    assert (others != batch["input_ids"]).any()


def test_hidden_cut_is_its_formula(model, batch):
    method = methods.build("hidden_cut", cut_rate=0.3, divergence_weight=0.7)
    losses, actual = train(method, model, batch, STREAMS)
    lengths = batch["attention_mask"].sum(1).tolist()
    generator = STREAMS["cut"]
    layers = []
    for _ in range(4 if model.config.model_type == "bart" else 2):
        draws = torch.rand(len(lengths), generator=generator).tolist()
        layers.append(torch.zeros_like(batch["input_ids"], dtype=torch.bool))
        for row, (length, draw) in enumerate(zip(lengths, draws, strict=True)):
            layers[-1][row, span(length, max(1, int(0.3 * length)), draw)] = True
    whole = logits_by_hand(model.classifier, inputs_of(batch))
    without = logits_by_hand(
        model.classifier, inputs_of(batch), feed_forward=lambda hidden, number: hidden * ~layers[number][..., None]
    )
    loss = cut_loss(whole, without, batch["labels"], 0.7)
    assert total(losses) == pytest.approx(loss.item(), rel=1e-4)
    same_gradients(actual, gradients_by_hand(model, loss))


@pytest.mark.parametrize("name", ["span_cutoff", "hidden_cut"])
def test_a_cut_of_nothing_is_fine_tuning_and_no_divergence(model, batch, name):
    losses, actual = train(methods.build(name, cut_rate=0.0, divergence_weight=100.0), model, batch, STREAMS)
    expected_losses, expected = fine_tuned(model, batch)
    assert total(losses) == pytest.approx(total(expected_losses), rel=1e-5)
    same_gradients(actual, expected)


def test_padding_on_the_left_is_not_cut(checkpoints):
    batch, _ = batch_of(checkpoints["bert"])
    flipped = batch["attention_mask"].flip(1)
    cut = methods.cutting.draw_spans(flipped, flipped.sum(1) - 1, 0, STREAMS["cut"])
    assert not (cut & ~flipped.bool()).any()
    assert cut.sum(1).tolist() == (flipped.sum(1) - 1).tolist()


# ---- FreeLB


def moved_by_hand(model, batch, method, labels):
    """Algorithm 1 of the paper, one example's norm at a time: the deltas and the losses of each step."""
    mask, size = batch["attention_mask"], model.classifier.get_input_embeddings().embedding_dim
    delta = torch.rand(*mask.shape, size, generator=STREAMS["adversary"]) * 2 - 1
    delta = torch.stack(
        [row * m[:, None] * method.first_norm / (m.sum() * size) ** 0.5 for row, m in zip(delta, mask, strict=True)]
    )
    losses = []
    for _ in range(method.ascent_steps):
        delta = torch.stack([row * min(1.0, method.radius / max(row.norm().item(), 1e-8)) for row in delta])
        delta = delta.detach().requires_grad_()
        logits = logits_by_hand(model.classifier, inputs_of(batch), words=lambda hidden, delta=delta: hidden + delta)
        losses.append(cross_entropy(logits, labels))
        (gradient,) = torch.autograd.grad(losses[-1], delta, retain_graph=True)
        delta = torch.stack([row + method.step_size * g / g.norm() for row, g in zip(delta, gradient, strict=True)])
    return losses


def test_free_lb_is_algorithm_1(model, batch):
    method = methods.build("free_lb", ascent_steps=3, step_size=0.4, first_norm=0.5, radius=0.6)
    losses, actual = train(method, model, batch, STREAMS)
    by_hand = moved_by_hand(model, batch, method.components[0], batch["labels"])
    assert [value for *_, value in losses] == pytest.approx([loss.item() for loss in by_hand], rel=1e-4)
    assert [weight for _, weight, _ in losses] == pytest.approx([1 / 3] * 3)
    assert by_hand[2] > by_hand[0]
    same_gradients(actual, gradients_by_hand(model, sum(by_hand) / 3))


def test_free_lb_with_radius_0_is_fine_tuning_with_one_dropout_mask_for_all_steps(model, batch):
    with_dropout(model, 0.3)
    torch.manual_seed(7)
    losses, actual = train(methods.build("free_lb", ascent_steps=3, radius=0.0), model, batch, STREAMS)
    torch.manual_seed(7)
    expected_losses, expected = fine_tuned(model, batch)
    assert [value for *_, value in losses] == pytest.approx([total(expected_losses)] * 3, rel=1e-5)
    same_gradients(actual, expected)
    # And what comes next draws as it does after fine-tuning.
    after = torch.rand(1)
    torch.manual_seed(7)
    fine_tuned(model, batch)
    assert torch.rand(1) == after


def test_free_lb_asked_for_a_step_before_the_backward_pass_says_so(checkpoints):
    batch, _ = batch_of(checkpoints["bert"])
    terms = methods.build("free_lb").terms(load(checkpoints["bert"], None), batch, STREAMS)
    next(terms)
    with pytest.raises(MaskTuneError, match="call backward on each term"):
        next(terms)
