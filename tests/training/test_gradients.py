import pytest
import torch
from tiny_runs import METHOD

from masktune import FineTuning, MaskTuning

pytestmark = pytest.mark.slow


TAUGHT = MaskTuning(mask_rate=0.2, fill="soft", fill_gradient=True)


@pytest.mark.parametrize("method", [METHOD, MaskTuning(mask_rate=0.2, reduction="equalised"), FineTuning(), TAUGHT])
def test_measuring_the_gradients_changes_nothing(trainer, method):
    options = {"method": method, "logging_steps": 4, "gradient_accumulation_steps": 2}
    plain, measured = trainer(**options), trainer(**options)
    measured.measure_gradients = True
    for run in (plain, measured):
        run.train()
    for one, other in zip(plain.model.parameters(), measured.model.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("method", [METHOD, TAUGHT])
def test_the_measured_norms_and_cosine_are_those_of_the_terms(trainer, data, method):
    """Against autograd's own gradients of each unweighted term, on the model as it is before the first step."""
    run = trainer(method=method, logging_steps=1, max_steps=1, lr_scheduler_type="constant", learning_rate=0.0)
    run.measure_gradients = True
    for module in run.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    run.model.config.attention_probs_dropout_prob = 0.0
    run.train()
    batch = next(iter(run.get_train_dataloader()))
    run.model.train()
    flat = {}
    for term in method.terms(run.model, batch, run.streams.at(0)):
        parameters = list(run.model.parameters())
        gradient = torch.autograd.grad(term.loss, parameters, allow_unused=True, retain_graph=term.keep_graph)
        pairs = zip(parameters, gradient, strict=True)
        flat[term.name] = torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for p, g in pairs])
    entry = next(entry for entry in run.state.log_history if "norm_mlm" in entry)
    for name, gradient in flat.items():
        assert entry[f"norm_{name}"] == pytest.approx(gradient.norm().item(), rel=1e-4)
    cosine = torch.nn.functional.cosine_similarity(flat["mlm"], flat["classification"], dim=0).item()
    assert entry["cosine_mlm_classification"] == pytest.approx(cosine, abs=1e-5)


def test_equalised_terms_have_gradients_in_the_ratio_of_their_weights(trainer, data):
    batch = None
    gradients = {}
    for name, method in {
        "equalised": MaskTuning(mask_rate=0.2, alpha=0.75, reduction="equalised"),
        "mlm": MaskTuning(mask_rate=0.2, alpha=1.0),
        "classification": MaskTuning(mask_rate=0.2, alpha=0.0),
    }.items():
        run = trainer(folder=name, method=method)
        run.current_gradient_accumulation_steps = 1
        run.state.global_step = 0
        batch = run.data_collator([data["bert"][index] for index in range(16)])
        run.training_step(run.model, batch)
        parts = [p.grad if p.grad is not None else torch.zeros_like(p) for p in run.model.parameters()]
        gradients[name] = torch.cat([part.flatten() for part in parts])
    mlm, classification = gradients["mlm"], gradients["classification"]
    expected = 0.75 * mlm * classification.norm() / mlm.norm() + 0.25 * classification
    torch.testing.assert_close(gradients["equalised"], expected, rtol=1e-4, atol=1e-7)
