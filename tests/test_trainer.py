import dataclasses
import random

import pytest
import torch
from datasets import Dataset
from tiny_models import WORDS
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from masktune import FineTuning, MaskTuneError, MaskTuning, MaskTuningModel, MaskTuningTrainer, dropout, methods
from masktune.collate import PreparedColumns
from masktune.methods.bias import BiasProbabilities
from masktune.methods.masker import Keywords
from masktune.order import LongestFirst, SeededSampler

METHOD = MaskTuning(mask_rate=0.2)


@pytest.fixture(scope="module")
def data(checkpoints):
    """60 examples whose class shows in their words, tokenised for each family."""
    chooser = random.Random(0)
    labels = [number % 2 for number in range(60)]
    half = len(WORDS) // 2
    texts = [
        " ".join(chooser.choice(WORDS[label * half :][:half]) for _ in range(chooser.randint(2, 12)))
        for label in labels
    ]
    tokenizers = {family: AutoTokenizer.from_pretrained(folder) for family, folder in checkpoints.items()}
    return {
        family: Dataset.from_dict({**tokenizer(texts), "labels": labels}) for family, tokenizer in tokenizers.items()
    }


def classifier(checkpoint):
    torch.manual_seed(0)
    return AutoModelForSequenceClassification.from_pretrained(
        checkpoint, id2label={0: "negative", 1: "positive"}, label2id={"negative": 0, "positive": 1}
    )


@pytest.fixture
def trainer(tmp_path, checkpoints, data):
    """Make a trainer as a script does, with a plain classifier."""

    def make(
        family="bert", folder="run", method=METHOD, callbacks=None, kind=MaskTuningTrainer, metrics=None, **options
    ):
        defaults = {
            "output_dir": str(tmp_path / folder), "use_cpu": True, "report_to": "none", "disable_tqdm": True,
            "num_train_epochs": 2, "per_device_train_batch_size": 8, "logging_steps": 1, "save_strategy": "no",
            "learning_rate": 1e-3, "seed": 1,
        }  # fmt: skip
        return kind(
            model=classifier(checkpoints[family]),
            args=TrainingArguments(**{**defaults, **options}),
            train_dataset=data[family],
            eval_dataset=data[family],
            processing_class=AutoTokenizer.from_pretrained(checkpoints[family]),
            callbacks=callbacks,
            compute_metrics=metrics,
            **({"method": method} if kind is MaskTuningTrainer else {}),
        )

    return make


def losses(trainer):
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def weights(trainer):
    return {name: value.clone() for name, value in trainer.model.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


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

    class StockTrainer(Trainer):
        def _get_train_sampler(self, train_dataset=None):
            return SeededSampler([0] * 60, 8, seed=1, grouped=False)

    ours, stock = trainer(method=FineTuning(), folder="ours"), trainer(kind=StockTrainer, folder="stock")
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


@pytest.mark.parametrize("method", [METHOD, MaskTuning(mask_rate=0.2, reduction="equalised"), FineTuning()])
def test_measuring_the_gradients_changes_nothing(trainer, method):
    options = {"method": method, "logging_steps": 4, "gradient_accumulation_steps": 2}
    plain, measured = trainer(**options), trainer(**options)
    measured.measure_gradients = True
    for run in (plain, measured):
        run.train()
    for one, other in zip(plain.model.parameters(), measured.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_measured_norms_and_cosine_are_those_of_the_terms(trainer, data):
    """Against autograd's own gradients of each unweighted term, on the model as it is before the first step."""
    run = trainer(method=METHOD, logging_steps=1, max_steps=1, lr_scheduler_type="constant", learning_rate=0.0)
    run.measure_gradients = True
    for module in run.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    run.model.config.attention_probs_dropout_prob = 0.0
    run.train()
    batch = next(iter(run.get_train_dataloader()))
    run.model.train()
    flat = {}
    for term in METHOD.terms(run.model, batch, run.streams.at(0)):
        parameters = list(run.model.parameters())
        gradient = torch.autograd.grad(term.loss, parameters, allow_unused=True)
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


def test_predictions_come_back_in_the_order_of_the_dataset(trainer):
    run = trainer()
    by_length, as_it_comes = run.predict(run.eval_dataset), run.predict([dict(row) for row in run.eval_dataset])
    assert isinstance(run._get_eval_sampler(run.eval_dataset), LongestFirst)
    assert by_length.label_ids.tolist() == run.eval_dataset["labels"]
    assert torch.allclose(torch.tensor(by_length.predictions), torch.tensor(as_it_comes.predictions), atol=1e-5)


def test_a_tokenizer_is_needed(checkpoints, tmp_path):
    with pytest.raises(MaskTuneError, match="processing_class=None"):
        MaskTuningTrainer(
            model=classifier(checkpoints["bert"]), args=TrainingArguments(str(tmp_path), use_cpu=True, report_to="none")
        )


def test_a_model_whose_language_model_does_not_fit_the_method_is_refused(checkpoints, tmp_path):
    model = MaskTuningModel.from_pretrained(checkpoints["bert"], ("0", "1"), seed=0)
    with pytest.raises(MaskTuneError, match="'separate', not 'shared'"):
        MaskTuningTrainer(
            model=model,
            args=TrainingArguments(str(tmp_path), use_cpu=True, report_to="none"),
            method=dataclasses.replace(METHOD, encoder="separate"),
            processing_class=AutoTokenizer.from_pretrained(checkpoints["bert"]),
        )


@pytest.mark.parametrize("label", [2, -1, None, 0.5])
def test_a_label_outside_its_range_is_quoted_with_its_row(checkpoints, tmp_path, data, label):
    rows = data["bert"].to_dict()
    rows["labels"] = [*rows["labels"][:3], label, *rows["labels"][4:]]
    if label == 0.5:
        rows["labels"] = [float(value) for value in rows["labels"]]
    with pytest.raises(MaskTuneError, match=r"row [03] of the train dataset has the label .*from 0 to 1"):
        trainer_of(checkpoints["bert"], tmp_path, Dataset.from_dict(rows))


def test_a_missing_column_is_named(checkpoints, tmp_path, data):
    with pytest.raises(MaskTuneError, match="has the columns .*expected input_ids, attention_mask and labels"):
        trainer_of(checkpoints["bert"], tmp_path, data["bert"].remove_columns("labels"))


def trainer_of(checkpoint, folder, dataset):
    return MaskTuningTrainer(
        model=classifier(checkpoint),
        args=TrainingArguments(str(folder), use_cpu=True, report_to="none"),
        train_dataset=dataset,
        processing_class=AutoTokenizer.from_pretrained(checkpoint),
    )


# ---- what was prepared, and a second stage


def marked(data, rows):
    column = [row in rows for row in range(len(data["bert"]))]
    return {"bert": data["bert"].add_column("prepared_forgotten", column)}


@pytest.fixture
def second_stage(trainer, data, monkeypatch):
    """A trainer whose method reads rows 3 to 12 four times more, at a tenth of the rate."""

    def make(rows=range(3, 13), folder="run", **options):
        for name, column in marked(data, rows).items():
            monkeypatch.setitem(data, name, column)
        run = trainer(folder=folder, method=methods.build("forgettable"), **options)
        monkeypatch.undo()
        return run

    return make


def test_a_second_stage_reads_the_marked_examples_again_at_a_smaller_rate(second_stage):
    run = second_stage(warmup_steps=2)
    assert run.args.max_steps == 2 * 8 + 5  # 2 epochs of 60 examples, 4 of 10, in batches of 8
    seen = []
    step = run.training_step
    run.training_step = lambda model, inputs, *rest: (
        seen.append(inputs["prepared_forgotten"]) or step(model, inputs, *rest)
    )
    run.train()
    assert [len(batch) for batch in seen] == [8] * 7 + [4] + [8] * 7 + [4] + [8] * 5
    assert torch.cat(seen[:8]).sum() == 10 and torch.cat(seen[16:]).all()
    rates = [entry["learning_rate"] for entry in run.state.log_history if "learning_rate" in entry]
    assert rates[0] == 0 and max(rates) == rates[2] == 1e-3 and rates[15] == pytest.approx(1e-3 / 14)
    assert rates[16:] == pytest.approx([1e-4 * left / 5 for left in (5, 4, 3, 2, 1)])


def test_each_pass_of_the_second_stage_reads_every_marked_example_once(second_stage):
    sampler = second_stage()._get_train_sampler()
    sampler.set_epoch(2)
    order = [index for index in sampler]
    sampler.set_epoch(3)
    order += [index for index in sampler]
    passes = [order[start : start + 10] for start in range(0, 120, 10)]
    assert all(sorted(rows) == list(range(3, 13)) for rows in passes)
    assert len({tuple(rows) for rows in passes}) == 12


def test_nothing_marked_is_fine_tuning(second_stage, trainer):
    run, plain = second_stage(rows=()), trainer(method=FineTuning(), folder="plain")
    run.train(), plain.train()
    assert losses(run) == losses(plain)


@pytest.mark.parametrize("checkpoint", [10, 18])  # within either stage
def test_a_second_stage_resumes(tmp_path, second_stage, checkpoint):
    options = {"save_strategy": "steps", "save_steps": checkpoint, "train_sampling_strategy": "group_by_length"}
    straight, resumed = second_stage(folder="straight", **options), second_stage(folder="resumed", **options)
    straight.train()
    resumed.train(resume_from_checkpoint=str(tmp_path / "straight" / f"checkpoint-{checkpoint}"))
    assert same(weights(straight), weights(resumed))


@pytest.mark.parametrize("options", [{"max_steps": 5}, {"num_train_epochs": 1.5}])
def test_a_second_stage_needs_whole_epochs(second_stage, options):
    with pytest.raises(MaskTuneError, match="the second stage of 'forgettable' follows whole epochs"):
        second_stage(**options)


@pytest.mark.parametrize("side", ["left", "right"])
def test_what_was_prepared_for_each_token_stands_at_the_token(side):
    def collate(rows):
        longest = max(len(row["input_ids"]) for row in rows)
        pads = [[0] * (longest - len(row["input_ids"])) for row in rows]
        masks = [[1] * len(row["input_ids"]) for row in rows]
        pairs = zip(pads, masks, strict=True) if side == "left" else zip(masks, pads, strict=True)
        return {"attention_mask": torch.tensor([first + second for first, second in pairs])}

    products = {"keywords": Keywords(), "bias": BiasProbabilities()}
    rows = [
        {"input_ids": [5, 6, 7], "prepared_keywords": [1, 2, 3], "prepared_bias": [0.1, 0.9]},
        {"input_ids": [8], "prepared_keywords": [4], "prepared_bias": [0.5, 0.5]},
    ]
    batch = PreparedColumns(collate, products)(rows)
    assert batch["prepared_keywords"].tolist() == [[1, 2, 3], [0, 0, 4] if side == "left" else [4, 0, 0]]
    assert torch.equal(batch["prepared_bias"], torch.tensor([[0.1, 0.9], [0.5, 0.5]]))
    assert "prepared_bias" in rows[0]


@pytest.mark.parametrize("family", ["bert", "bart"])
@pytest.mark.parametrize("smallest", [1, 10_000])
def test_all_but_small_models_draw_their_dropout_masks_faster_in_training_alone(trainer, monkeypatch, family, smallest):
    monkeypatch.setattr(dropout, "SMALLEST_HIDDEN_SIZE", smallest)
    masks = []

    def drawn(draw=torch.Tensor.bernoulli_):
        return draw(torch.empty(64), 0.5, generator=torch.Generator().manual_seed(0))

    class Draws(TrainerCallback):
        def on_step_end(self, args, state, control, **rest):
            masks.append(drawn())

    trainer(family, callbacks=[Draws()], max_steps=1).train()
    assert torch.equal(masks[0], drawn(dropout.bernoulli_) if smallest == 1 else drawn())
    assert not torch.equal(drawn(), drawn(dropout.bernoulli_))
