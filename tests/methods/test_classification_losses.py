"""Example reweighting, Product of Experts and confidence regularisation against their formulas."""

import pytest
import torch
from methods.conftest import full, gradients_by_hand, inputs_of, same_gradients, total, train

from masktune import methods
from masktune.perturb import Vocabulary
from masktune.streams import Streams

STREAMS = Streams(1).at(2)
CLASSES = 2
LOSSES = [name for name, component in methods.METHODS.items() if component.kind == "loss"]


@pytest.fixture
def logits(model, batch):
    return model(**inputs_of(batch)).logits


def distributions(batch, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(len(batch["labels"]), CLASSES, generator=generator).add(0.05).log().mul(2).softmax(-1)


def trained(name, model, batch, **prepared):
    columns = {f"prepared_{key}": values for key, values in prepared.items()}
    losses, actual = train(methods.build(name), model, {**batch, **columns}, STREAMS)
    return total(losses), actual


def agree(actual, model, loss):
    assert actual[0] == pytest.approx(loss.item(), rel=1e-5)
    same_gradients(actual[1], gradients_by_hand(model, loss))


def test_product_of_experts_is_its_formula(model, batch, logits):
    bias = distributions(batch, 0)
    actual = trained("product_of_experts", model, batch, bias=bias)
    losses = []
    for row, label in enumerate(batch["labels"]):
        joint = logits[row].softmax(-1) * bias[row]
        losses.append(-(joint[label] / joint.sum()).log())
    agree(actual, model, sum(losses) / len(losses))


def test_product_of_experts_with_a_uniform_bias_is_fine_tuning(model, batch):
    actual = trained("product_of_experts", model, batch, bias=torch.full((len(batch["labels"]), CLASSES), 1 / CLASSES))
    losses, expected = train(methods.FineTuning(), model, batch, STREAMS)
    assert actual[0] == pytest.approx(total(losses), rel=1e-5)
    same_gradients(actual[1], expected)


def test_a_bias_of_exactly_0_leaves_the_loss_finite(model, batch):
    certain = torch.nn.functional.one_hot(1 - batch["labels"], CLASSES).float()
    for name, others in (("product_of_experts", {}), ("confidence_regularisation", {"teacher": certain})):
        value, actual = trained(name, model, batch, bias=certain, **others)
        assert torch.isfinite(torch.tensor(value)) and all(
            torch.isfinite(gradient).all() for gradient in actual.values()
        )


def test_reweighting_is_its_formula(model, batch, logits):
    bias = distributions(batch, 1)
    actual = trained("reweighting", model, batch, bias=bias)
    weights = [1 - bias[row, label] for row, label in enumerate(batch["labels"])]
    losses = [-logits[row].log_softmax(-1)[label] for row, label in enumerate(batch["labels"])]
    agree(actual, model, sum(w * loss for w, loss in zip(weights, losses, strict=True)) / sum(weights))


def test_reweighting_by_a_bias_model_that_is_always_wrong_is_fine_tuning(model, batch):
    wrong = torch.nn.functional.one_hot(1 - batch["labels"], CLASSES).float()
    actual = trained("reweighting", model, batch, bias=wrong)
    losses, expected = train(methods.FineTuning(), model, batch, STREAMS)
    assert actual[0] == pytest.approx(total(losses), rel=1e-5)
    same_gradients(actual[1], expected)


def test_confidence_regularisation_is_its_formula(model, batch, logits):
    bias, teacher = distributions(batch, 2), distributions(batch, 3)
    actual = trained("confidence_regularisation", model, batch, bias=bias, teacher=teacher)
    losses = []
    for row, label in enumerate(batch["labels"]):
        scaled = teacher[row] ** (1 - bias[row, label])
        losses.append(-(scaled / scaled.sum() * logits[row].log_softmax(-1)).sum())
    agree(actual, model, sum(losses) / len(losses))


@pytest.mark.parametrize("right", [False, True], ids=["the teacher where the bias is 0", "nothing where it is 1"])
def test_the_limits_of_confidence_regularisation(model, batch, logits, right):
    teacher = distributions(batch, 3)
    bias = torch.nn.functional.one_hot(batch["labels"] if right else 1 - batch["labels"], CLASSES).float()
    actual = trained("confidence_regularisation", model, batch, bias=bias, teacher=teacher)
    target = torch.full_like(teacher, 1 / CLASSES) if right else teacher
    agree(actual, model, -(target * logits.log_softmax(-1)).sum(-1).mean())


@pytest.mark.parametrize("name", LOSSES)
def test_a_dropped_example_counts_nothing(model, batch, logits, name):
    """Mask-tuning's filter goes with every loss: only examples that the classifier gets right count."""
    columns = {"prepared_bias": distributions(batch, 0), "prepared_teacher": distributions(batch, 1)}
    columns = {**full(batch), **columns}
    method = methods.combine(methods.build("mask_tuning", alpha=0, mask_rate=0, keep="correct"), methods.build(name))
    [(_, _, value)], _ = train(method, model_with_vocabulary(model), columns, STREAMS)
    right = logits.argmax(-1) == batch["labels"]
    assert 0 < right.sum() < len(right)
    kept = {key: values[right] for key, values in columns.items()}
    losses, _ = train(methods.build(name), model, kept, STREAMS)
    assert value == pytest.approx(total(losses), rel=1e-5)


def model_with_vocabulary(model):
    model.vocabulary = Vocabulary(44, (0, 1, 2, 3, 44), 45)
    return model
