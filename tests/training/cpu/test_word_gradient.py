"""The gradient of tied word embeddings, summed once a step: that of the plain way, and nothing left behind."""

import contextlib

import pytest
import torch
from tiny_runs import METHOD, classifier

from masktune import FineTuning, MaskTuneError, MaskTuning, methods
from masktune.training.cpu import word_gradient

pytestmark = pytest.mark.slow


def gradients(run, together, monkeypatch, steps=1, bf16=False):
    """The gradient of every parameter after so many micro-batches of 8, summed once a step or by backward."""
    monkeypatch.setattr(word_gradient, "SMALLEST_EMBEDDINGS", 1 if together else 10**9)
    run.current_gradient_accumulation_steps = steps
    torch.manual_seed(0)
    for step in range(steps):
        batch = run.data_collator([run.train_dataset[8 * step + index] for index in range(8)])
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            run.training_step(run.model, batch)
    return [None if each.grad is None else each.grad.to_dense() for each in run.model.parameters()]


@pytest.mark.parametrize(("steps", "bf16"), [(1, False), (3, True)])
@pytest.mark.parametrize(
    "method",
    [
        METHOD,
        MaskTuning(mask_rate=1e-9),  # no mask: the classifier's lookups are all there is
        MaskTuning(mask_rate=0.9),  # more masks than the hidden size
        MaskTuning(mask_rate=0.2, alpha=1.0),
        MaskTuning(mask_rate=0.2, alpha=0.0),
        MaskTuning(mask_rate=0.2, classify="both"),
        MaskTuning(mask_rate=0.2, fill_mode="evaluation"),
        MaskTuning(mask_rate=0.2, fill="soft"),
        MaskTuning(mask_rate=0.2, fill="soft", fill_gradient=True),
        MaskTuning(mask_rate=0.2, fill="soft", fill_gradient=True, fill_mode="evaluation", classify="both"),
        MaskTuning(mask_rate=0.9, fill="soft", fill_gradient=True, alpha=0.0),
        methods.build("mask_tuning+free_lb", fill="soft", fill_gradient=True, mask_rate=0.2),
        MaskTuning(mask_rate=0.2, encoder="separate"),
        methods.build("mask_tuning+free_lb"),
        methods.build("mask_tuning+r_drop"),
    ],
)
def test_the_gradients_are_those_of_backward(trainer, monkeypatch, family, method, steps, bf16):
    late, plain = (
        gradients(trainer(family, method=method), together, monkeypatch, steps, bf16) for together in (True, False)
    )
    for one, other in zip(late, plain, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            # Rounded after each addition, and additions come in another order.
            torch.testing.assert_close(one, other, rtol=0, atol=(1e-2 if bf16 else 1e-6) * other.abs().max().item())


@pytest.mark.parametrize("together", [True, False])
def test_a_decoder_of_its_own_and_the_embeddings_have_a_gradient_each(
    trainer, monkeypatch, odd_checkpoints, family, together
):
    """Against autograd's own of the weighted loss, in which the two are parameters like any other."""
    run = trainer(family, checkpoint=odd_checkpoints[family, "its own decoder"])
    found = gradients(run, together, monkeypatch)
    run.model.zero_grad()
    batch = run.data_collator([run.train_dataset[index] for index in range(8)])
    loss = sum(term.weight * term.loss for term in METHOD.terms(run.model, batch, run.streams.at(0)))
    expected = torch.autograd.grad(loss, list(run.model.parameters()), allow_unused=True)
    decoder = max(run.model.mlm_head.parameters(), key=torch.numel)
    assert any(parameter is decoder for parameter in run.model.parameters()) and decoder is not words_of(run)
    for name_and_parameter, one, other in zip(run.model.named_parameters(), found, expected, strict=True):
        if other is None:
            assert one is None and name_and_parameter[1] is not decoder
        else:
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def words_of(run):
    return run.model.classifier.get_input_embeddings().weight


@pytest.fixture
def left(monkeypatch):
    """The layouts of what backward leaves at the embeddings after each term of one step that reaches them."""

    def layouts(run, smallest=1):
        monkeypatch.setattr(word_gradient, "SMALLEST_EMBEDDINGS", smallest)
        run.current_gradient_accumulation_steps = 1
        found, backward = [], run.accelerator.backward

        def watched(loss):
            backward(loss)
            if words_of(run).grad is not None:
                found.append(words_of(run).grad.layout)

        monkeypatch.setattr(run.accelerator, "backward", watched)
        run.training_step(run.model, run.data_collator([run.train_dataset[index] for index in range(8)]))
        assert words_of(run).grad.layout is torch.strided
        return found

    return layouts


def test_each_term_leaves_the_rows_that_it_looked_up(trainer, family, left):
    assert left(trainer(family)) == [torch.sparse_coo, torch.sparse_coo]


@pytest.mark.parametrize("options", [{"method": FineTuning()}, {"method": MaskTuning(encoder="separate")}])
def test_embeddings_that_no_head_is_tied_to_have_their_gradient_from_backward(trainer, left, options):
    assert left(trainer(**options)) == [torch.strided]


def test_frozen_embeddings_have_no_gradient(trainer, monkeypatch):
    run = trainer()
    words_of(run).requires_grad_(False)
    gradients(run, True, monkeypatch)
    assert words_of(run).grad is None


def test_small_embeddings_have_their_gradient_from_backward(trainer, left):
    run = trainer()
    assert left(run, smallest=words_of(run).numel() + 1) == [torch.strided, torch.strided]


@pytest.mark.parametrize("options", [{"measure_gradients": True}, {"method": MaskTuning(reduction="equalised")}])
def test_gradients_that_are_taken_term_by_term_come_from_backward(trainer, left, options):
    run = trainer(method=options.get("method", METHOD))
    run.measure_gradients, run.state.logging_steps = options.get("measure_gradients", False), 1
    assert left(run) == [torch.strided, torch.strided]


@pytest.mark.parametrize(("asked", "layout"), [(False, torch.strided), (True, torch.sparse_coo)])
def test_it_is_used_as_asked_whatever_the_size(trainer, left, asked, layout):
    run = trainer(given={"fast_word_gradient": asked})
    smallest = 1 if asked is False else words_of(run).numel() + 1
    assert left(run, smallest) == [layout, layout]


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        (FineTuning(), "the model has no language model whose head is tied to the classifier's word embeddings"),
        (MaskTuning(encoder="separate"), "the model has no language model whose head is tied"),
        (MaskTuning(reduction="equalised"), "the method brings gradients of terms to equal norms"),
    ],
)
def test_where_it_cannot_be_used_asking_for_it_is_refused(trainer, method, reason):
    with pytest.raises(MaskTuneError, match=f"^fast_word_gradient=True: {reason}.*; leave it at None"):
        trainer(method=method, given={"fast_word_gradient": True})


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_model_of_few_bits_is_trained_where_they_can_be_summed(trainer, monkeypatch, checkpoints, dtype):
    """torch adds up no sparse gradients of float16 on a CPU: there the plain way is taken, and asking is refused."""
    monkeypatch.setattr(word_gradient, "SMALLEST_EMBEDDINGS", 1)
    model = classifier(checkpoints["bert"]).to(dtype)
    run = trainer(given={"model": model}, max_steps=2)
    assert run.decide_cpu_accelerators()["fast_word_gradient"] == (dtype == torch.bfloat16)
    run.train()
    if dtype == torch.float16:
        with pytest.raises(MaskTuneError, match="^fast_word_gradient=True: the model is in float16"):
            trainer(given={"model": classifier(checkpoints["bert"]).to(dtype), "fast_word_gradient": True})


@pytest.mark.parametrize("register", ["register_hook", "register_post_accumulate_grad_hook"])
def test_a_hook_on_the_gradient_of_the_words_sees_all_of_it(trainer, left, register):
    """As who trains the embeddings of added tokens alone has it."""
    run = trainer()
    getattr(words_of(run), register)(lambda gradient: None)
    assert left(run) == [torch.strided, torch.strided]
    run.fast_word_gradient = True
    with pytest.raises(MaskTuneError, match="^fast_word_gradient=True: the word embeddings have a hook on their"):
        run.decide_cpu_accelerators()


def test_embeddings_that_are_frozen_later_are_refused_at_the_next_step(trainer):
    run = trainer(given={"fast_word_gradient": True})
    words_of(run).requires_grad_(False)
    with pytest.raises(MaskTuneError, match="^fast_word_gradient=True: the word embeddings are frozen"):
        run.train()


@pytest.mark.parametrize("error", [None, ValueError("within")])
def test_the_model_is_as_it_was_after_the_block(trainer, family, error):
    run = trainer(family)
    tied = [module for module in run.model.modules() if getattr(module, "weight", None) is words_of(run)]

    def changed():
        return ["forward" in vars(module) or getattr(module, "sparse", False) for module in tied]

    with contextlib.suppress(ValueError), word_gradient.fast_word_gradient(run.model):
        assert len(tied) > 1 and all(changed())
        if error:
            raise error
    assert not any(changed())
