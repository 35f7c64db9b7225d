"""How the gaps are filled where no token is put in: soft fills, and fills that are predicted without dropout."""

import pytest
import torch
from methods.conftest import batch_of, full, inputs_of, load, logits_by_hand, same_gradients, train
from torch.nn.functional import cross_entropy, one_hot

from masktune import methods, perturb
from masktune.streams import Streams

STREAMS = Streams(1).at(2)
RATE = {"mask_rate": 0.3}


def prepared(checkpoint, encoder="shared", dropout=0.0):
    """A model in training mode, with dropout of this probability."""
    batch, vocabulary = batch_of(checkpoint)
    model = load(checkpoint, encoder).train()
    model.vocabulary = vocabulary
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
        elif isinstance(getattr(module, "dropout", None), float):  # BART's layers
            module.dropout = dropout
    return model, batch


def certain(model):
    """Have the language model say what it says with a probability of 1. The gradient of its predictions is then 0."""
    asked = model.mlm_logits
    model.mlm_logits = lambda *ids, **inputs: 1e4 * asked(*ids, **inputs)


def gradient_of_predictions(model):
    """Whether a gradient has come through the language model's predictions.

    Told by the parameters of its own: all of a separate network, the head without the projection that is tied to the
    classifier's word embeddings. BART's head has nothing else, so of a shared BART it cannot be told: None.
    """
    words = model.classifier.get_input_embeddings().weight
    modules = [module for module in (model.mlm_encoder, model.mlm_head) if module is not None]
    own = [each for module in modules for each in module.parameters() if each is not words]
    return any(each.grad is not None and bool(each.grad.abs().sum() > 0) for each in own) if own else None


def probabilities(model, batch, method):
    """Where a step masks, and the distributions over ordinary tokens there, as the method predicts them."""
    perturbed = method.perturb_batch(model, inputs_of(batch), STREAMS)
    return perturbed, perturb.ordinary_logits(perturbed.fill_logits, model.vocabulary).softmax(-1)


@pytest.mark.parametrize("encoder", ["shared", "separate", "frozen"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mask_tuning", {}),
        ("mask_tuning+free_lb", {}),
        ("mask_tuning+r_drop", {}),
        ("mask_tuning+span_cutoff", {}),
        ("mask_tuning", {"classify": "both", "keep": "correct"}),
        ("mask_tuning+r_drop", {"classify": "both", "keep": "correct"}),
    ],
)
def test_a_soft_fill_of_certain_predictions_is_that_of_argmax(checkpoints, family, encoder, name, options):
    found = {}
    for fill in ("argmax", "soft"):
        model, batch = prepared(checkpoints[family], encoder)
        certain(model)
        method = methods.build(name, fill=fill, encoder=encoder, **RATE, **options)
        found[fill] = train(method, model, batch, STREAMS)
    assert [term[0] for term in found["soft"][0]] == [term[0] for term in found["argmax"][0]]
    for soft, argmax in zip(found["soft"][0], found["argmax"][0], strict=True):
        # A row in which the most probable token is the hidden one is read once with argmax and twice with a soft fill.
        assert soft[1:] == pytest.approx(argmax[1:], rel=1e-4)
    same_gradients(found["soft"][1], found["argmax"][1])


@pytest.mark.parametrize("gradient", [False, True])
def test_a_soft_fill_is_the_mean_word_embedding_by_hand(checkpoints, family, gradient):
    """The classification loss and its gradients against the layers of each family, written out."""
    model, batch = prepared(checkpoints[family])
    method = methods.build("mask_tuning", alpha=0, fill="soft", fill_gradient=gradient, **RATE)
    _, found = train(method, model, batch, STREAMS)
    assert gradient_of_predictions(model) in (gradient, None)

    classifier, inputs = model.classifier, inputs_of(batch)
    with torch.set_grad_enabled(gradient):
        perturbed, means = probabilities(model, batch, method)
    where, table = perturbed.positions, classifier.get_input_embeddings().weight

    def soften(hidden):
        hidden = hidden.clone()
        hidden[where] = means @ table
        return hidden

    model.zero_grad()
    logits = logits_by_hand(classifier, {**inputs, "input_ids": perturbed.filled_ids}, words=soften)
    cross_entropy(logits, batch["labels"]).backward()
    same_gradients(found, {name: p.grad for name, p in classifier.named_parameters() if p.grad is not None})


def test_bart_scales_a_soft_fill_as_it_scales_what_it_looks_up(checkpoints):
    model, batch = prepared(checkpoints["bart"])
    for stack in (model.classifier.model.encoder, model.classifier.model.decoder):
        stack.embed_tokens.embed_scale = 3.0
    inputs, vocabulary = inputs_of(batch), model.vocabulary
    where = perturb.maskable(inputs["input_ids"], inputs["attention_mask"], vocabulary)
    every = one_hot(inputs["input_ids"], len(model.classifier.get_input_embeddings().weight)).float()
    soft = {"soft_words": model.expected_words(every), "soft_positions": where}
    torch.testing.assert_close(model(**inputs, **soft).logits, model(**inputs).logits)


@pytest.mark.parametrize("mode", perturb.FILL_MODES)
@pytest.mark.parametrize("encoder", ["shared", "separate"])
@pytest.mark.parametrize(("fill", "gradient"), [("argmax", False), ("soft", False), ("soft", True)])
def test_the_classifier_teaches_the_filler_with_a_gradient_alone(checkpoints, family, mode, encoder, fill, gradient):
    model, batch = prepared(checkpoints[family], encoder)
    method = methods.build(
        "mask_tuning", fill=fill, fill_gradient=gradient, fill_mode=mode, encoder=encoder, alpha=0.3, **RATE
    )
    for term in method.terms(model, batch, STREAMS):
        model.zero_grad()
        term.loss.backward(retain_graph=term.keep_graph)
        assert gradient_of_predictions(model) in (term.name == "mlm" or gradient, None)


@pytest.mark.parametrize("name", ["mask_tuning+free_lb", "mask_tuning+r_drop", "mask_tuning+hidden_cut"])
@pytest.mark.parametrize("mode", perturb.FILL_MODES)
def test_a_taught_filler_goes_with_forward_passes_of_several_terms(checkpoints, family, name, mode):
    """Term by term, as the trainer calls backward, the gradients are those of the whole loss at once."""
    method = methods.build(name, fill="soft", fill_gradient=True, fill_mode=mode, **RATE)
    model, batch = prepared(checkpoints[family])
    found = {}
    for way in ("by term", "at once"):
        model.zero_grad()
        loss = 0.0
        for term in method.terms(model, batch, STREAMS):
            if way == "by term" or "free_lb" in name:  # which climbs by the gradient of the term before
                (term.weight * term.loss).backward(retain_graph=term.keep_graph or way == "at once")
            else:
                loss = loss + term.weight * term.loss
        if loss:
            loss.backward()
        found[way] = {each: p.grad.clone() for each, p in model.named_parameters() if p.grad is not None}
    same_gradients(found["by term"], found["at once"])


@pytest.mark.parametrize(
    ("options", "passes"),
    [
        ({"fill": "soft"}, (2, 2)),
        ({"fill": "soft", "fill_gradient": True}, (2, 3)),
        ({"fill": "soft", "fill_gradient": True, "alpha": 0}, (2, 2)),
        ({"fill": "soft", "fill_gradient": True, "fill_mode": "evaluation"}, (3, 3)),
        ({"fill_mode": "evaluation"}, (3, 2)),
        ({"fill_mode": "evaluation", "alpha": 0}, (2, 1)),
        ({"fill_mode": "evaluation", "encoder": "frozen"}, (2, 1)),
    ],
)
def test_they_cost_what_they_say(checkpoints, options, passes):
    model, batch = prepared(checkpoints["bert"], options.get("encoder", "shared"))
    method = methods.build("mask_tuning", positions="at_least_one", **RATE, **options)
    counts = {"forward": 0, "backward": 0}

    def forward(module, inputs, output):
        counts["forward"] += len(output)
        if output.requires_grad:
            output.register_hook(lambda gradient: counts.update(backward=counts["backward"] + len(gradient)))

    for base in [model.classifier.base_model] + ([model.mlm_encoder] if model.mlm_encoder is not None else []):
        base.encoder.layer[-1].register_forward_hook(forward)
    train(method, model, batch, STREAMS)
    assert tuple(count / len(batch["labels"]) for count in counts.values()) == method.passes() == passes


@pytest.mark.parametrize("fill", perturb.PREDICTED_FILLS)
def test_without_dropout_both_modes_are_one(checkpoints, family, fill):
    found = {}
    for mode in perturb.FILL_MODES:
        model, batch = prepared(checkpoints[family])
        found[mode] = train(methods.build("mask_tuning", fill=fill, fill_mode=mode, **RATE), model, batch, STREAMS)
    for one, other in zip(found["evaluation"][0], found["training"][0], strict=True):
        assert one[0] == other[0] and one[1:] == pytest.approx(other[1:])
    same_gradients(found["evaluation"][1], found["training"][1])


@pytest.mark.parametrize("alpha", [0, 0.6])
@pytest.mark.parametrize("fill", perturb.PREDICTED_FILLS)
def test_in_evaluation_mode_fills_have_no_dropout_and_the_mlm_loss_has(checkpoints, family, alpha, fill):
    model, batch = prepared(checkpoints[family], dropout=0.5)
    method = methods.build("mask_tuning", fill=fill, fill_mode="evaluation", alpha=alpha, **RATE)
    training = [module.training for module in model.modules()]
    perturbed = method.perturb_batch(model, inputs_of(batch), STREAMS)
    assert [module.training for module in model.modules()] == training
    inputs = inputs_of(batch)
    expected = model.eval().mlm_logits(perturbed.masked_ids, positions=perturbed.positions, **inputs)
    torch.testing.assert_close(perturbed.fill_logits, expected)
    assert (perturbed.logits is perturbed.fill_logits) == (alpha == 0)
    if alpha:
        assert not torch.allclose(perturbed.logits, expected, atol=1e-3)
        assert perturbed.logits.requires_grad
    assert not perturbed.fill_logits.requires_grad


def test_a_loss_at_training_has_one_dropout_whatever_fills(checkpoints):
    """The pass without dropout draws nothing: L_MLM of a step is the same in both modes, to the bit."""
    values = {}
    for mode in perturb.FILL_MODES:
        model, batch = prepared(checkpoints["bert"], dropout=0.3)
        torch.manual_seed(0)
        values[mode] = train(methods.build("mask_tuning", fill_mode=mode, **RATE), model, batch, STREAMS)[0][0]
    assert values["training"] == values["evaluation"]


@pytest.mark.parametrize("other", [name for name, each in methods.METHODS.items() if each.kind != "text"])
@pytest.mark.parametrize("gradient", [False, True])
def test_a_soft_fill_goes_with_every_component(checkpoints, other, gradient):
    model, batch = prepared(checkpoints["bert"])
    method = methods.build(f"mask_tuning+{other}", fill="soft", fill_gradient=gradient, **RATE)
    model.zero_grad()
    for term in method.terms(model, full(batch), STREAMS):
        (term.weight * term.loss).backward(retain_graph=term.keep_graph)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("rate", [0, 1e-9])
def test_nothing_masked_is_read_as_it_is(checkpoints, family, rate):
    model, batch = prepared(checkpoints[family])
    method = methods.build("mask_tuning", fill="soft", fill_gradient=True, classify="both", mask_rate=rate)
    (term,) = method.terms(model, batch, STREAMS)
    assert term.loss.item() == pytest.approx(model(**batch).loss.item())


def test_a_soft_fill_in_bf16_is_near_that_in_fp32(checkpoints, family):
    values = {}
    for bf16 in (False, True):
        model, batch = prepared(checkpoints[family])
        method = methods.build("mask_tuning", fill="soft", fill_gradient=True, **RATE)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            terms = list(method.terms(model, batch, STREAMS))
        values[bf16] = [term.loss.item() for term in terms]
    assert values[True] == pytest.approx(values[False], rel=3e-2)
