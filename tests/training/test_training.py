import pytest
import torch
from tiny_runs import METHOD, StockOrder, losses, same, weights
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    EarlyStoppingCallback,
    TrainerCallback,
)

from masktune import FineTuning, MaskTuneError, MaskTuning, MaskTuningModel
from masktune.training.cpu import dropout, word_gradient

pytestmark = pytest.mark.slow


def test_one_line_changes_in_a_script_and_the_saved_model_is_what_the_script_expects(tmp_path, trainer, family, data):
    run = trainer(family)
    run.train()
    run.save_model(str(tmp_path / "saved"))
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "saved").eval()
    batch = run.data_collator([data[family][index] for index in range(8)])
    expected = run.model.eval()(**batch).logits
    torch.testing.assert_close(plain(**batch).logits, expected)
    assert AutoTokenizer.from_pretrained(tmp_path / "saved").mask_token_id is not None


def test_it_learns(trainer, family):
    run = trainer(family, num_train_epochs=20, learning_rate=1e-2, warmup_steps=20, method=MaskTuning(alpha=0.3))
    run.train()
    predictions = run.predict(run.eval_dataset)
    assert (predictions.predictions.argmax(-1) == predictions.label_ids).mean() > 0.9


def test_fine_tuning_is_transformers_own(trainer):
    """The same model, order and steps as the stock Trainer give the same losses."""
    ours, stock = trainer(method=FineTuning(), folder="ours"), trainer(kind=StockOrder, folder="stock")
    ours.train(), stock.train()
    assert losses(ours) == pytest.approx(losses(stock), rel=1e-5)


def test_the_same_seed_gives_the_same_losses_and_another_seed_others(trainer):
    runs = [trainer(folder=name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    first, again, other = (run.train() and losses(run) for run in runs)
    assert first == again
    assert first != other


@pytest.mark.parametrize("strategy", ["random", "group_by_length"])
@pytest.mark.parametrize("checkpoint", [5, 8])  # within an epoch of 8 steps, and at its end
def test_stop_and_resume_equals_the_straight_run_bit_for_bit(tmp_path, trainer, strategy, checkpoint):
    options = {"save_strategy": "steps", "save_steps": checkpoint, "train_sampling_strategy": strategy}
    straight = trainer(folder="straight", **options)
    straight.train()
    resumed = trainer(folder="resumed", **options)
    resumed.train(resume_from_checkpoint=str(tmp_path / "straight" / f"checkpoint-{checkpoint}"))
    assert same(weights(straight), weights(resumed))
    assert losses(straight)[checkpoint:] == losses(resumed)[-(16 - checkpoint) :]


def test_resume_with_dropout_accumulation_and_every_random_choice(tmp_path, trainer):
    method = MaskTuning(mask_rate=0.3, fill="sample", symbol="bert", positions="at_least_one", encoder="separate")
    runs = []
    for folder, resume in (("straight", None), ("resumed", str(tmp_path / "straight" / "checkpoint-3"))):
        run = trainer(folder=folder, method=method, save_strategy="steps", save_steps=3, gradient_accumulation_steps=2)
        for module in run.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.3
        run.train(resume_from_checkpoint=resume)
        runs.append(weights(run))
    assert same(*runs)


def test_accumulated_gradients_are_those_of_the_whole_batch(trainer):
    whole = trainer(folder="whole", method=FineTuning(), per_device_train_batch_size=16, max_steps=3)
    parts = trainer(
        folder="parts", method=FineTuning(), per_device_train_batch_size=4, gradient_accumulation_steps=4, max_steps=3
    )
    whole.train(), parts.train()
    assert losses(parts) == pytest.approx(losses(whole), rel=1e-4)


def test_dropout_is_on_from_the_first_step(trainer, monkeypatch):
    """A classifier comes out of from_pretrained in eval mode."""
    run = trainer(max_steps=1)
    modes = []
    terms = METHOD.terms
    assert not run.model.classifier.training
    monkeypatch.setattr(
        type(METHOD), "terms", lambda *given: modes.extend(m.training for m in run.model.modules()) or terms(*given[1:])
    )
    run.train()
    assert modes and all(modes)


@pytest.mark.parametrize("accumulation", [1, 3])
def test_every_micro_batch_has_streams_of_its_own(trainer, monkeypatch, accumulation):
    run = trainer(gradient_accumulation_steps=accumulation, num_train_epochs=1, max_steps=2)
    steps, at = [], run.streams.at
    monkeypatch.setattr(run.streams, "at", lambda step: steps.append(step) or at(step))
    run.train()
    assert steps == list(range(2 * accumulation))


def test_bf16_autocast_trains_and_stays_near_fp32(trainer, family):
    exact, half = trainer(family, folder="fp32"), trainer(family, folder="bf16", bf16=True)
    exact.train(), half.train()
    assert losses(half) != losses(exact)
    assert losses(half) == pytest.approx(losses(exact), rel=0.05)


def test_early_stopping_goes_back_to_the_best_checkpoint(tmp_path, trainer):
    scores = iter([0.5, 0.9, 0.7, 0.6])
    run = trainer(
        num_train_epochs=10,
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
        metric_for_best_model="score",
        metrics=lambda _: {"score": next(scores)},
        callbacks=[EarlyStoppingCallback(early_stopping_patience=2)],
    )
    run.train()
    assert run.state.epoch == 4
    best = MaskTuningModel.from_pretrained(tmp_path / "run" / "checkpoint-16", ("0", "1"), seed=0)
    assert same(weights(run), best.state_dict())


def test_logs_hold_the_mean_of_each_term(trainer):
    run = trainer()
    run.train()
    entry = next(entry for entry in run.state.log_history if "loss_mlm" in entry)
    assert entry["loss"] == pytest.approx(0.6 * entry["loss_mlm"] + 0.4 * entry["loss_classification"], rel=1e-5)


@pytest.mark.parametrize("family", ["bert", "bart"])
@pytest.mark.parametrize(
    ("smallest", "asked", "fast"), [(1, None, True), (10_000, None, False), (10_000, True, True), (1, False, False)]
)
def test_all_but_small_models_draw_their_dropout_masks_faster_in_training_alone(
    trainer, monkeypatch, family, smallest, asked, fast
):
    monkeypatch.setattr(dropout, "SMALLEST_HIDDEN_SIZE", smallest)
    masks = []

    def drawn(draw=torch.Tensor.bernoulli_):
        return draw(torch.empty(64), 0.5, generator=torch.Generator().manual_seed(0))

    class Draws(TrainerCallback):
        def on_step_end(self, args, state, control, **rest):
            masks.append(drawn())

    run = trainer(family, callbacks=[Draws()], max_steps=1, given={"fast_dropout": asked})
    run.train()
    assert torch.equal(masks[0], drawn(dropout.bernoulli_) if fast else drawn())
    assert run.decide_cpu_accelerators()["fast_dropout"] is fast
    assert not torch.equal(drawn(), drawn(dropout.bernoulli_))


def test_the_reference_implementation_is_one_argument_away(trainer, monkeypatch):
    """With it a model for which the accelerators pay is trained as one for which they do not."""
    usual = trainer(folder="usual")
    usual.train()
    monkeypatch.setattr(dropout, "SMALLEST_HIDDEN_SIZE", 1)
    monkeypatch.setattr(word_gradient, "SMALLEST_EMBEDDINGS", 1)
    off = trainer(folder="off", given={"reference": True})
    off.train()
    assert same(weights(off), weights(usual))
    on = trainer(folder="on")
    on.train()
    assert on.decide_cpu_accelerators() == {"fast_dropout": True, "fast_word_gradient": True}
    assert off.decide_cpu_accelerators() == {"fast_dropout": False, "fast_word_gradient": False}
    assert not same(weights(on), weights(usual))


@pytest.mark.parametrize("accelerator", ["fast_dropout", "fast_word_gradient"])
def test_the_reference_implementation_has_no_accelerator(trainer, accelerator):
    with pytest.raises(MaskTuneError, match="^reference = True: the reference implementation has no accelerator"):
        trainer(given={"reference": True, accelerator: True})


def test_an_accelerator_that_no_step_has_a_use_for_is_not_said_to_be_used(trainer, monkeypatch):
    """Where the gradients of every step are measured, each term's comes from backward."""
    monkeypatch.setattr(word_gradient, "SMALLEST_EMBEDDINGS", 1)
    for logging_steps, used in ((1, False), (2, True)):
        run = trainer(logging_steps=logging_steps, max_steps=2, given={"measure_gradients": True})
        run.train()
        assert run.decide_cpu_accelerators()["fast_word_gradient"] is used
