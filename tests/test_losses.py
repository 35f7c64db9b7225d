import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import log_softmax

from masktune import losses
from masktune.errors import MaskTuneError


@given(st.floats(0, 1))
def test_the_weights_sum_to_one_and_alpha_weights_what_it_is_said_to(alpha):
    assert losses.term_weights(alpha) == (alpha, 1 - alpha)
    assert losses.term_weights(alpha, "classification") == (1 - alpha, alpha)


@pytest.mark.parametrize("alpha", [-0.01, 1.01, float("nan"), "0.6", None])
def test_an_impossible_alpha_is_quoted(alpha):
    with pytest.raises(MaskTuneError, match="alpha") as error:
        losses.term_weights(alpha)
    assert repr(alpha) in str(error.value)


def test_mlm_loss_is_the_mean_negative_log_probability_under_each_reduction():
    torch.manual_seed(0)
    logits, targets = torch.randn(3, 7), torch.tensor([1, 0, 6])
    total = -sum(log_softmax(logits[row], 0)[target] for row, target in enumerate(targets))
    assert losses.mlm_loss(logits, targets, 60).item() == pytest.approx(total.item() / 3)
    assert losses.mlm_loss(logits, targets, 60, "maskable").item() == pytest.approx(total.item() / 60)


def test_weighted_classification_loss_counts_an_example_as_often_as_its_weight():
    torch.manual_seed(0)
    logits, labels = torch.randn(3, 2), torch.tensor([1, 0, 1])
    repeated = losses.classification_loss(logits[[0, 0, 2]], labels[[0, 0, 2]])
    weighted = losses.classification_loss(logits, labels, torch.tensor([2.0, 0.0, 1.0]))
    assert weighted.item() == pytest.approx(repeated.item())


def test_no_example_of_any_weight_gives_zero_and_not_nan():
    assert losses.classification_loss(torch.randn(2, 2), torch.tensor([0, 1]), torch.zeros(2)) == 0


def test_equalised_scale_gives_the_norm_of_the_reference():
    gradient, reference = [torch.tensor([3.0, 4.0]), None], [torch.tensor([6.0]), torch.tensor([8.0])]
    scale = losses.equalised_scale(gradient, reference)
    assert (scale * losses.gradient_norm(gradient)).item() == pytest.approx(10)
    assert losses.equalised_scale([torch.zeros(2)], reference) == 1


@pytest.mark.parametrize(("alpha_weights", "share_of_mlm"), [("mlm", 0.6), ("classification", 0.4)])
def test_the_joint_loss_is_the_papers_equation(alpha_weights, share_of_mlm):
    mlm, classification = torch.tensor(2.5), torch.tensor(0.7)
    joint = losses.joint_loss(mlm, classification, 0.6, alpha_weights)
    assert joint.item() == pytest.approx(share_of_mlm * 2.5 + (1 - share_of_mlm) * 0.7)
