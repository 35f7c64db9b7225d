"""Names, refusals, cards and costs of methods and of their combinations."""

import itertools
import re
from dataclasses import dataclass, fields

import pytest
import torch
from methods.conftest import batch_of, full, load, same_gradients, total, train

from masktune import methods
from masktune.errors import MaskTuneError
from masktune.methods.base import CrossEntropy, Method
from masktune.streams import Streams

pytestmark = pytest.mark.slow

STREAMS = Streams(1).at(2)
TEXTS = [name for name, component in methods.METHODS.items() if component.kind == "text"]
OTHERS = [name for name, component in methods.METHODS.items() if component.kind != "text"]
# Where every example has something masked and every pass changes something, a step costs what the card says.
OPTIONS = {"mask_tuning": {"mask_rate": 0.3, "positions": "at_least_one"}, "masker": {"keyword_rate": 1.0}}


def counted(method, checkpoint, batch, vocabulary):
    """Rows of the batch that go forward and backward through the last layer of the encoder, over the batch's size."""
    model = load(checkpoint, method.encoder)
    model.vocabulary = vocabulary
    counts = {"forward": 0, "backward": 0}

    def forward(module, inputs, output):
        counts["forward"] += len(output)
        if output.requires_grad:
            output.register_hook(lambda gradient: counts.update(backward=counts["backward"] + len(gradient)))

    bases = [model.classifier.base_model] + ([model.mlm_encoder] if model.mlm_encoder is not None else [])
    for base in bases:
        layers = base.encoder.layers if base.config.model_type == "bart" else base.encoder.layer
        layers[-1].register_forward_hook(forward)
    train(method, model, batch, STREAMS)
    return tuple(count / len(batch["labels"]) for count in counts.values())


@pytest.mark.parametrize("name", methods.METHODS)
def test_every_method_trains_every_family_and_costs_what_its_card_says(checkpoints, family, name):
    batch, vocabulary = batch_of(checkpoints[family], paired=True)
    method = methods.build(name, **OPTIONS.get(name, {}))
    card = methods.card(name, **OPTIONS.get(name, {}))
    assert counted(method, checkpoints[family], full(batch), vocabulary) == (card["forward"], card["backward"])


@pytest.mark.parametrize("text", [text for text in TEXTS if text != "fine_tuning"])
@pytest.mark.parametrize("other", OTHERS)
def test_every_text_goes_with_every_other_component(checkpoints, text, other):
    batch, vocabulary = batch_of(checkpoints["bert"])
    method = methods.build(f"{text}+{other}", **OPTIONS.get(text, {}))
    assert counted(method, checkpoints["bert"], full(batch), vocabulary) == method.passes()


@pytest.mark.parametrize(
    "options, passes",
    [
        ({"alpha": 0}, (2, 1)),
        ({"alpha": 1}, (1, 1)),
        ({"encoder": "frozen"}, (2, 1)),
        ({"encoder": "separate"}, (2, 2)),
        ({"fill": "keep"}, (2, 2)),
    ],
)
def test_controls_of_mask_tuning_cost_what_they_say(checkpoints, options, passes):
    batch, vocabulary = batch_of(checkpoints["bert"])
    method = methods.build("mask_tuning", **OPTIONS["mask_tuning"], **options)
    assert counted(method, checkpoints["bert"], batch, vocabulary) == method.passes() == passes


@pytest.mark.parametrize(
    "forward, loss", itertools.product(["r_drop", "free_lb"], ["product_of_experts", "reweighting"])
)
def test_a_forward_pass_a_loss_and_a_curriculum_go_together(checkpoints, forward, loss):
    batch, vocabulary = batch_of(checkpoints["bert"])
    method = methods.build(f"mask_tuning+{forward}+{loss}+forgettable", alpha=0.3)
    model = load(checkpoints["bert"])
    model.vocabulary = vocabulary
    losses, actual = train(method, model, full(batch), STREAMS)
    assert {name for name, *_ in losses} == {"mlm", "classification"}
    assert sum(weight for name, weight, _ in losses if name == "classification") == pytest.approx(0.7)
    assert set(method.needs) == {"bias", "forgotten"} and method.second_stage is not None
    assert all(torch.isfinite(gradient).all() for gradient in actual.values())


def test_mask_tuning_with_a_forward_pass_that_changes_nothing_is_mask_tuning(checkpoints, family):
    batch, vocabulary = batch_of(checkpoints[family])
    actual = {}
    for name, options in (("mask_tuning", {}), ("mask_tuning+free_lb", {"radius": 0.0}), ("mask_tuning+r_drop", {})):
        model = load(checkpoints[family])
        model.vocabulary = vocabulary
        losses, actual[name] = train(methods.build(name, mask_rate=0.2, **options), model, batch, STREAMS)
        actual[name, "loss"] = total(losses)
    for name in ("mask_tuning+free_lb", "mask_tuning+r_drop"):
        assert actual[name, "loss"] == pytest.approx(actual["mask_tuning", "loss"], rel=1e-5)
        same_gradients(actual[name], actual["mask_tuning"])


def test_one_method_has_one_name():
    assert methods.build("free_lb") == methods.combine(methods.FineTuning(), methods.FreeLB())
    assert methods.combine(methods.FreeLB(), methods.MaskTuning()).name == "mask_tuning+free_lb"
    assert methods.combine(methods.build("mask_tuning+reweighting"), methods.build("r_drop")).name == (
        "mask_tuning+r_drop+reweighting"
    )
    assert methods.combine(methods.MaskTuning(alpha=0.2)) == methods.MaskTuning(alpha=0.2)
    assert methods.build("mask_tuning+free_lb").label == "Mask-tuning + FreeLB"


def test_options_of_all_components_are_the_methods():
    method = methods.build("mask_tuning+free_lb", alpha=0.2, radius=0.5, step_size=0.1)
    assert method.options() == {"alpha": 0.2, "radius": 0.5}
    assert method.settings()["mask_rate"] == 0.05 and method.settings()["radius"] == 0.5
    assert method.encoder == "shared"


@dataclass(frozen=True)
class Tempered(CrossEntropy):
    """A loss with an option that is called as one of Mask-tuning's."""

    alpha: float = 1.0

    name = "tempered"


def test_two_components_with_an_option_of_one_name_are_refused():
    message = "'mask_tuning' and 'tempered' both have an option 'alpha', and a combination would set both; rename it"
    with pytest.raises(MaskTuneError, match=message) as caught:
        methods.combine(methods.MaskTuning(), Tempered())
    assert "\n" not in str(caught.value)
    assert methods.combine(methods.RDrop(), Tempered(alpha=0.5)).options() == {"alpha": 0.5}


def test_no_two_kinds_of_components_have_an_option_of_one_name():
    for first, second in itertools.combinations(methods.METHODS.values(), 2):
        if first.kind != second.kind:
            assert not {option.name for option in fields(first)} & {option.name for option in fields(second)}


@pytest.mark.parametrize(
    "name, options, message",
    [
        ("free_lb+r_drop", {}, "'free_lb' and 'r_drop' both change the forward pass; a method has one such component"),
        ("mask_tuning+masker", {}, "'mask_tuning' and 'masker' both choose the texts"),
        ("product_of_experts+reweighting", {}, "both replace the classification loss"),
        ("mask_tuning+free_lb", {"alpha": 1}, "'mask_tuning' with these options classifies nothing, so 'free_lb' has"),
        ("free_lb+mask_tuning", {}, "the method 'free_lb+mask_tuning' is written 'mask_tuning+free_lb'"),
        ("fine_tuning+free_lb", {}, "is written 'free_lb'"),
        ("mask_tuning+mask_tuning", {}, "is written 'mask_tuning'"),
        ("mask_tuning+free_bl", {}, "unknown method 'free_bl' (did you mean 'free_lb'?)"),
        ("mask_tuning+free_lb", {"radios": 1}, "unknown option of mask_tuning+free_lb 'radios' (did you mean 'radius'"),
        ("free_lb", {"radius": -1}, "radius -1 is below 0"),
        ("free_lb", {"ascent_steps": 0}, "ascent_steps 0; expected a whole number"),
        ("r_drop", {"kl_weight": -1}, "kl_weight -1 is below 0"),
        ("span_cutoff", {"cut_rate": 1.0}, "cut_rate 1.0 is outside [0, 1)"),
        ("hidden_cut", {"divergence_weight": -1}, "divergence_weight -1 is below 0"),
        ("product_of_experts", {"bias_model": "overlab"}, "unknown bias model 'overlab' (did you mean 'overlap'?)"),
        ("forgettable", {"second_epochs": 0}, "second_epochs 0; expected a whole number"),
        ("forgettable", {"second_rate": 0}, "second_rate 0 is not above 0"),
        ("mlm_augmentation", {"copies": 0}, "copies 0; expected a whole number"),
        ("mlm_augmentation", {"mask_rate": 1.0}, "mask_rate 1.0 is outside [0, 1)"),
        ("masker", {"keyword_rate": 2}, "keyword_rate 2 is outside [0, 1]"),
        ("masker", {"keyword_weight": -1}, "keyword_weight -1 is below 0"),
        ("masker", {"keywords_per_class": 0}, "keywords_per_class 0; expected a whole number"),
    ],
)  # fmt: skip
def test_what_does_not_go_is_refused_with_the_reason(name, options, message):
    with pytest.raises(MaskTuneError, match=re.escape(message)) as caught:
        methods.build(name, **options)
    assert "\n" not in str(caught.value)


def test_a_card_says_what_a_method_is_costs_needs_and_refuses():
    card = methods.card("mask_tuning+product_of_experts")
    assert card["label"] == "Mask-tuning + Product of Experts"
    assert (card["forward"], card["backward"]) == (2, 2)
    assert card["needs"] == "probabilities of a bias model"
    assert "masker" in card["refuses"] and "reweighting" in card["refuses"] and "r_drop" not in card["refuses"]


@pytest.mark.parametrize("name", methods.METHODS)
def test_every_method_has_a_card(name):
    card = methods.card(name)
    assert all(card[key] for key in ("label", "reference", "loss", "forward", "backward"))
    assert isinstance(methods.build(name), Method)
