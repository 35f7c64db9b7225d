"""What training minimises is the joint loss of the paper, though no step ever holds the graphs of both its terms."""

import weakref

import pytest
import torch

from masktune import MaskTuning
from masktune.losses import joint_loss
from masktune.training.perturbed import perturb


@pytest.fixture
def step(trainer, family):
    """A trainer and its first batch, in float64 so that the order of additions does not show."""

    def make(**options):
        run = trainer(family, method=MaskTuning(**{"mask_rate": 0.3, "alpha": 0.6, **options}))
        run.current_gradient_accumulation_steps = 1
        run.model.double().train()
        return run, run.data_collator([run.train_dataset[row] for row in range(8)])

    return make


def gradients(model):
    return {name: each.grad.clone() for name, each in model.named_parameters() if each.grad is not None}


@pytest.mark.parametrize("options", [{}, {"alpha_weights": "classification"}, {"encoder": "separate"}])
def test_a_training_step_minimises_the_joint_loss(step, options):
    run, batch = step(**options)
    total = run.training_step(run.model, dict(batch))
    trained = gradients(run.model)
    run.model.zero_grad()
    terms = {term.name: term for term in run.method.terms(run.model, batch, run.streams.at(0))}
    mlm, classification = terms["mlm"].loss, terms["classification"].loss
    joint = joint_loss(mlm, classification, 0.6, run.method.alpha_weights)
    # Training sums its terms in float32, the joint loss of the same values is theirs bit for bit.
    assert total.item() == joint_loss(mlm.float(), classification.float(), 0.6, run.method.alpha_weights).item()
    joint.backward()
    expected = gradients(run.model)
    assert trained.keys() == expected.keys() and len(trained) > 20
    for name, gradient in trained.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-12, atol=1e-15, msg=name)


def test_training_and_the_diversity_experiment_perturb_alike(step, monkeypatch):
    """The same texts for the same streams: what the classifier reads in training, and what the experiment compares."""
    run, batch = step(positions="at_least_one", fill="sample", symbol="bert")
    read = []
    forward = run.model.forward
    monkeypatch.setattr(
        run.model, "forward", lambda **inputs: read.append(inputs["input_ids"]) or forward(**inputs), raising=True
    )
    run.training_step(run.model, dict(batch))
    texts = {name: values for name, values in batch.items() if name != "labels"}
    positions, filled = perturb(run.model, run.method, texts, run.streams.at(0), draws=1)
    assert torch.equal(read[0], filled[0])
    assert torch.equal((read[0] != batch["input_ids"]) & ~positions[0], torch.zeros_like(positions[0]))
    assert (read[0] != batch["input_ids"]).any()


def test_the_logits_of_the_language_model_are_gone_before_the_classifier_reads(step, monkeypatch):
    run, batch = step()
    predicted, alive = [], []
    predict, forward = run.model.mlm_logits, run.model.forward

    def remember(*given, **inputs):
        logits = predict(*given, **inputs)
        predicted.append(weakref.ref(logits))
        return logits

    monkeypatch.setattr(run.model, "mlm_logits", remember)
    monkeypatch.setattr(
        run.model, "forward", lambda **inputs: alive.append(predicted[0]() is not None) or forward(**inputs)
    )
    run.training_step(run.model, batch)
    assert alive == [False]
