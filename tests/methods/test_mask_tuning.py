"""Mask-tuning against a literal, slow transcription of the method: logits for every token, one joint loss."""

import pytest
import torch
from methods.conftest import NAMES, batch_of, load
from torch.nn.functional import cross_entropy
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification
from transformers.models.bart.modeling_bart import shift_tokens_right

from masktune import methods, perturb
from masktune.errors import MaskTuneError
from masktune.streams import Streams


def gradients_of(method, checkpoint, batch, vocabulary, streams):
    model = load(checkpoint, method.encoder)
    model.vocabulary = vocabulary
    values = {}
    for term in method.terms(model, batch, streams):
        (term.weight * term.loss).backward(retain_graph=term.keep_graph)
        values[term.name] = term.loss.item()
    return values, {name: p.grad for name, p in model.classifier.named_parameters() if p.grad is not None}


def literal_models(checkpoint):
    """Two transformers models that share their encoder by assignment: the classifier and the language model."""
    reference = load(checkpoint)  # for the same head initialisation
    classifier = AutoModelForSequenceClassification.from_pretrained(checkpoint, id2label=dict(enumerate(NAMES))).eval()
    classifier.load_state_dict(reference.classifier.state_dict())
    language_model = AutoModelForMaskedLM.from_pretrained(checkpoint).eval()
    setattr(language_model, language_model.base_model_prefix, classifier.base_model)
    language_model.tie_weights()
    return classifier, language_model


def literal_masks(input_ids, vocabulary, draws, rate):
    """(masked text, targets with -100 where nothing is masked, how many tokens could have been), token by token."""
    masked_ids, targets, candidates = input_ids.clone(), torch.full_like(input_ids, -100), 0
    for row in range(input_ids.shape[0]):
        for column in range(input_ids.shape[1]):
            token = input_ids[row, column].item()
            if token in vocabulary.special_ids:
                continue
            candidates += 1
            if draws[row, column] < rate:
                masked_ids[row, column] = vocabulary.mask_id
                targets[row, column] = token
    return masked_ids, targets, candidates


def literal_fills(input_ids, targets, logits, vocabulary, generator, fill):
    """The text with a token in each gap, gap by gap."""
    perturbed = input_ids.clone()
    gaps = (targets != -100).nonzero().tolist()
    ordinary = [token for token in range(vocabulary.size) if token not in vocabulary.special_ids]
    randoms = torch.randint(len(ordinary), (len(gaps),), generator=generator).tolist()
    for (row, column), number in zip(gaps, randoms, strict=True):
        scores = logits[row, column].detach().clone()
        scores[list(vocabulary.special_ids)] = -torch.inf
        token = {"argmax": scores.argmax(), "keep": vocabulary.mask_id, "random": ordinary[number], "original": None}
        perturbed[row, column] = token[fill] if fill != "original" else input_ids[row, column]
    return perturbed


def literal_step(
    checkpoint,
    family,
    batch,
    vocabulary,
    streams,
    alpha,
    rate,
    maskable_mean=False,
    both=False,
    fill="argmax",
    kept=False,
):
    """One batch of the paper, word for word."""
    classifier, language_model = literal_models(checkpoint)
    # (1) mask 5 % of the tokens
    input_ids, labels = batch["input_ids"], batch["labels"]
    others = {name: values for name, values in batch.items() if name not in ("input_ids", "labels")}
    draws = torch.rand(input_ids.shape, generator=streams["positions"])
    masked_ids, targets, candidates = literal_masks(input_ids, vocabulary, draws, rate)
    # (2) the MLM head predicts them
    extra = {}
    if family == "bart":
        start = language_model.config.decoder_start_token_id
        extra["decoder_input_ids"] = shift_tokens_right(input_ids, language_model.config.pad_token_id, start)
    logits = language_model(input_ids=masked_ids, **others, **extra).logits
    loss_mlm = cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum")
    loss_mlm = loss_mlm / (candidates if maskable_mean else (targets != -100).sum())
    # (3) the predictions fill the gaps
    perturbed = literal_fills(input_ids, targets, logits, vocabulary, streams["fill"], fill)
    # (4) the classifier reads them with the original labels
    answers = classifier(input_ids=perturbed, **others).logits
    counted = (answers.argmax(-1) == labels).float() if kept else torch.ones(len(labels))
    losses, count = (cross_entropy(answers, labels, reduction="none") * counted).sum(), counted.sum()
    if both:
        losses = losses + cross_entropy(classifier(input_ids=input_ids, **others).logits, labels, reduction="sum")
        count = count + len(labels)
    loss = losses / count
    # (5) the joint loss updates everything
    (alpha * loss_mlm + (1 - alpha) * loss).backward()
    values = {"mlm": loss_mlm.item(), "classification": loss.item()}
    return values, {name: p.grad for name, p in classifier.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize(
    "options, transcription",
    [
        ({}, {}),
        ({"reduction": "maskable"}, {"maskable_mean": True}),
        ({"classify": "both"}, {"both": True}),
        ({"fill": "original"}, {"fill": "original"}),
        ({"fill": "keep"}, {"fill": "keep"}),
        ({"fill": "random", "classify": "both", "keep": "correct"}, {"fill": "random", "both": True, "kept": True}),
        (
            {"classify": "both", "keep": "correct", "reduction": "maskable"},
            {"both": True, "kept": True, "maskable_mean": True},
        ),
    ],
)
def test_losses_and_gradients_equal_the_literal_method(checkpoints, family, paired, options, transcription):
    batch, vocabulary = batch_of(checkpoints[family], paired)
    method = methods.build("mask_tuning", alpha=0.6, mask_rate=0.2, **options)
    streams = Streams(1).at(2)
    values, gradients = gradients_of(method, checkpoints[family], batch, vocabulary, streams)
    expected_values, expected = literal_step(
        checkpoints[family], family, batch, vocabulary, streams, 0.6, 0.2, **transcription
    )
    assert values == pytest.approx(expected_values, rel=1e-5)
    assert gradients.keys() == expected.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-3, atol=1e-6, msg=name)


@pytest.mark.parametrize("alpha, names", [(0, ["classification"]), (1, ["mlm"]), (0.6, ["mlm", "classification"])])
def test_alpha_0_and_1_give_exactly_one_term(checkpoints, family, alpha, names):
    batch, vocabulary = batch_of(checkpoints[family])
    model = load(checkpoints[family])
    model.vocabulary = vocabulary
    method = methods.build("mask_tuning", alpha=alpha, mask_rate=0.3)
    assert [term.name for term in method.terms(model, batch, Streams(0))] == names


def test_nothing_masked_gives_a_finite_loss_equal_to_fine_tuning(checkpoints, family):
    batch, vocabulary = batch_of(checkpoints[family])
    tuned, _ = gradients_of(
        methods.build("mask_tuning", mask_rate=0), checkpoints[family], batch, vocabulary, Streams(0)
    )
    plain, _ = gradients_of(methods.build("fine_tuning"), checkpoints[family], batch, vocabulary, Streams(0))
    assert tuned == pytest.approx(plain)


def test_a_filter_counts_only_examples_that_the_classifier_gets_right(checkpoints):
    batch, vocabulary = batch_of(checkpoints["bert"])
    model = load(checkpoints["bert"])
    model.vocabulary = vocabulary
    method = methods.build("mask_tuning", alpha=0, mask_rate=0, keep="correct")
    (term,) = method.terms(model, batch, Streams(0))
    logits = model(**{name: values for name, values in batch.items() if name != "labels"}).logits
    right = logits.argmax(-1) == batch["labels"]
    assert 0 < right.sum() < len(right)
    assert term.loss.item() == pytest.approx(cross_entropy(logits[right], batch["labels"][right]).item())


def test_a_frozen_language_model_fills_but_is_not_trained(checkpoints, family):
    batch, vocabulary = batch_of(checkpoints[family])
    model = load(checkpoints[family], "frozen")
    model.vocabulary = vocabulary
    method = methods.build("mask_tuning", encoder="frozen", mask_rate=0.3)
    terms = list(method.terms(model, batch, Streams(0)))
    assert [term.name for term in terms] == ["classification"]
    terms[0].loss.backward()
    assert all(parameter.grad is None for parameter in model.mlm_encoder.parameters())


def test_separate_networks_share_nothing(checkpoints, family):
    batch, vocabulary = batch_of(checkpoints[family])
    model = load(checkpoints[family], "separate")
    model.vocabulary = vocabulary
    reached = {}
    for term in methods.build("mask_tuning", encoder="separate", mask_rate=0.3).terms(model, batch, Streams(0)):
        model.zero_grad()
        term.loss.backward()
        named = (name for name, parameter in model.named_parameters() if parameter.grad is not None)
        reached[term.name] = {name.split(".")[0] for name in named}
    assert reached == {"mlm": {"mlm_encoder", "mlm_head"}, "classification": {"classifier"}}


@pytest.mark.parametrize("fill", perturb.FILLS)
@pytest.mark.parametrize("positions", perturb.POSITIONS)
def test_every_fill_and_choice_of_positions_trains(checkpoints, family, fill, positions):
    batch, vocabulary = batch_of(checkpoints[family])
    method = methods.build("mask_tuning", fill=fill, positions=positions, symbol="bert", mask_rate=0.3)
    values, gradients = gradients_of(method, checkpoints[family], batch, vocabulary, Streams(0))
    assert set(values) == {"mlm", "classification"}
    assert all(torch.isfinite(gradient).all() for gradient in gradients.values())


@pytest.mark.parametrize(
    "name, options, message",
    [
        ("mask_tunning", {}, "unknown method 'mask_tunning'.*did you mean 'mask_tuning'"),
        ("mask_tuning", {"alpha": 1.2}, r"alpha 1.2 is outside \[0, 1\]"),
        ("mask_tuning", {"mask_rate": 1.0}, r"mask_rate 1.0 is outside \[0, 1\)"),
        ("mask_tuning", {"mask_ratio": 0.1}, "unknown option of mask_tuning 'mask_ratio'"),
        ("mask_tuning", {"fill": "best"}, "unknown fill 'best'"),
        ("mask_tuning", {"fill_mode": "eval"}, "unknown mode in which fills are predicted 'eval'"),
        ("mask_tuning", {"fill_mode": "evaluation", "fill": "random"}, "fill_mode .* the fill 'random' is not predict"),
        ("mask_tuning", {"fill_gradient": "yes", "fill": "soft"}, "fill_gradient 'yes'; expected true or false"),
        (
            "mask_tuning",
            {"fill_gradient": True},
            "the tokens of the fill 'argmax' carry no gradient; choose fill 'soft'",
        ),
        (
            "mask_tuning",
            {"fill_gradient": True, "fill": "soft", "encoder": "frozen"},
            "a frozen language model learns nothing",
        ),
        ("fine_tuning", {"alpha": 0.5}, "takes no options"),
    ],
)
def test_bad_options_are_one_line_that_quotes_the_value(name, options, message):
    with pytest.raises(MaskTuneError, match=message) as error:
        methods.build(name, **options)
    assert "\n" not in str(error.value)


def test_options_lists_what_differs_from_the_defaults():
    assert methods.build("mask_tuning").options() == {}
    assert methods.build("mask_tuning", alpha=0.6, mask_rate=0.1).options() == {"mask_rate": 0.1}
    assert methods.build("fine_tuning").options() == {}
