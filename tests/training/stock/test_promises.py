"""What scripts do with a Trainer besides setting arguments: optimizers, searches, checkpoints, cards, the hub."""

import importlib.machinery
import re
import sys
import types
from pathlib import Path

import pytest
import torch
from tiny_runs import METHOD, StockOrder, classifier, losses, same, weights
from transformers import Trainer, TrainingArguments
from transformers.trainer_utils import HPSearchBackend

from masktune import FineTuning, MaskTuneError, MaskTuning, MaskTuningModel, MaskTuningTrainer, methods
from masktune.features import PREFIX
from masktune.models.masked_lm import HEAD_FILE
from masktune.training.sampling import SeededSampler

pytestmark = pytest.mark.slow


# ---- optimizers


def head_of(model):
    return [each for name, each in model.named_parameters() if name.startswith("mlm_")]


def test_an_optimizer_that_lacks_the_language_models_weights_is_refused_before_training(trainer, checkpoints):
    model = classifier(checkpoints["bert"])
    with pytest.raises(MaskTuneError) as error:
        trainer(given={"model": model, "optimizers": (torch.optim.AdamW(model.parameters()), None)})
    assert "the optimizer does not have 'mlm_head" in str(error.value) and "\n" not in str(error.value)


def test_an_optimizer_of_a_subclass_that_lacks_them_is_refused_when_training_begins(trainer):
    class Classifiers(MaskTuningTrainer):
        def create_optimizer(self, model=None):
            self.optimizer = torch.optim.AdamW(self.model.classifier.parameters(), lr=1e-3)
            return self.optimizer

    with pytest.raises(MaskTuneError, match="the optimizer does not have 'mlm_head"):
        trainer(kind=Classifiers).train()


def joint_optimizer(model):
    return {"model": model, "optimizers": (torch.optim.AdamW(model.parameters(), lr=1e-2), None)}


@pytest.mark.parametrize("way", ["of the joint model", "a class", "a subclass"])
def test_an_optimizer_that_has_them_trains_both(trainer, checkpoints, way):
    class Own(MaskTuningTrainer):
        def create_optimizer(self, model=None):
            self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
            return self.optimizer

    model = MaskTuningModel.from_classifier(classifier(checkpoints["bert"]))
    options = {
        "of the joint model": {"given": joint_optimizer(model)},
        "a class": {"given": {"optimizer_cls_and_kwargs": (torch.optim.AdamW, {"lr": 1e-2})}},
        "a subclass": {"kind": Own},
    }[way]
    run = trainer(max_steps=2, **options)
    before = [each.detach().clone() for each in head_of(run.model)]
    run.train()
    assert before and not any(map(torch.equal, before, head_of(run.model)))


@pytest.mark.parametrize(
    "method",
    [FineTuning(), MaskTuning(encoder="frozen"), MaskTuning(alpha=0.0)],
    ids=["no language model", "a frozen one", "none of its loss"],
)
def test_what_is_not_trained_needs_no_optimizer(trainer, checkpoints, method):
    model = classifier(checkpoints["bert"])
    run = trainer(
        method=method, max_steps=2, given={"model": model, "optimizers": (torch.optim.AdamW(model.parameters()), None)}
    )
    run.train()
    assert len(losses(run)) == 2


def test_frozen_weights_stay_and_need_no_optimizer(trainer, checkpoints):
    model = MaskTuningModel.from_classifier(classifier(checkpoints["bert"]))
    for each in head_of(model):
        each.requires_grad_(False)
    model.classifier.get_input_embeddings().requires_grad_(False)
    frozen = [each.detach().clone() for each in model.parameters() if not each.requires_grad]
    trained = [each for each in model.parameters() if each.requires_grad]
    run = trainer(max_steps=2, given={"model": model, "optimizers": (torch.optim.AdamW(trained, lr=1e-2), None)})
    run.train()
    assert all(map(torch.equal, frozen, [each for each in run.model.parameters() if not each.requires_grad]))
    assert len(losses(run)) == 2


def test_a_classifiers_optimizer_may_leave_out_what_it_likes_of_the_classifier(trainer, checkpoints):
    """As with a stock Trainer: the encoder stays as it is."""
    model = MaskTuningModel.from_classifier(classifier(checkpoints["bert"]))
    encoder = [each.detach().clone() for each in model.classifier.bert.encoder.parameters()]
    known = [*model.classifier.classifier.parameters(), *head_of(model)]
    trainer(max_steps=2, given={"model": model, "optimizers": (torch.optim.AdamW(known, lr=1e-2), None)}).train()
    assert all(map(torch.equal, encoder, model.classifier.bert.encoder.parameters()))


# ---- model_init and searches


def test_each_training_begins_with_a_model_of_model_init_and_is_the_same(trainer, checkpoints):
    made = []

    def model_init():
        made.append(classifier(checkpoints["bert"]))
        return made[-1]

    run = trainer(max_steps=3, given={"model": None, "model_init": model_init})
    run.train()
    first = weights(run)
    run.train()
    assert len(made) == 3 and same(first, weights(run))
    whole = trainer(folder="whole", max_steps=3)
    whole.train()
    assert same(first, weights(whole))


class Search:
    """A search that tries two learning rates, as optuna's does."""

    default_hp_space = None

    def ensure_available(self):
        pass

    def run(self, trainer, n_trials, direction, **rest):
        found = []
        for number in range(n_trials):
            trainer.objective = None
            trial = types.SimpleNamespace(number=number, params={"learning_rate": 10.0 ** -(3 + number)})
            trainer.train(resume_from_checkpoint=None, trial=trial)
            found.append((trainer.objective, trainer.args.learning_rate, trainer.args.seed, losses(trainer)[-1]))
        return found


def searched(trainer, kind, checkpoints, monkeypatch, **options):
    optuna = types.ModuleType("optuna")
    optuna.trial = types.SimpleNamespace(BaseTrial=types.SimpleNamespace)
    optuna.__spec__ = importlib.machinery.ModuleSpec("optuna", None)
    monkeypatch.setitem(sys.modules, "optuna", optuna)
    monkeypatch.setitem(
        sys.modules["transformers.trainer"].ALL_HYPERPARAMETER_SEARCH_BACKENDS, HPSearchBackend.OPTUNA, Search
    )
    seen = []

    def model_init(trial):
        seen.append(trial)
        return classifier(checkpoints["bert"])

    run = trainer(
        kind=kind, folder=kind.__name__, max_steps=2, eval_strategy="steps", eval_steps=2, save_strategy="steps",
        save_steps=2, given={"model": None, "model_init": model_init}, **options,
    )  # fmt: skip
    found = run.hyperparameter_search(
        lambda trial: {"learning_rate": trial.params["learning_rate"], "seed": 1 + trial.number},
        lambda metrics: metrics["eval_loss"], n_trials=2, backend="optuna",
    )  # fmt: skip
    return found, [getattr(trial, "number", None) for trial in seen], run


class Stock(Trainer):
    """A stock Trainer in our order; it reads the seed of a trial for the order as ours does."""

    def _get_train_sampler(self, train_dataset=None):
        return SeededSampler([0] * 60, 8, seed=self.args.seed, grouped=False)


def test_a_search_tries_what_a_stock_trainers_tries(trainer, checkpoints, monkeypatch):
    ours, seen, run = searched(trainer, MaskTuningTrainer, checkpoints, monkeypatch, method=FineTuning())
    stock, also_seen, _ = searched(trainer, Stock, checkpoints, monkeypatch)
    assert ours == [pytest.approx(trial, rel=1e-4) for trial in stock]
    assert seen == also_seen == [None, 0, 1]
    assert sorted(path.name for path in Path(run.args.output_dir).iterdir()) == ["run-0", "run-1"]


def test_a_search_trains_the_language_model_too(trainer, checkpoints, monkeypatch):
    found, _, run = searched(trainer, MaskTuningTrainer, checkpoints, monkeypatch, method=METHOD)
    assert found[0][0] != found[1][0]
    assert "loss_mlm" in run.state.log_history[0] and run.streams.seed == 2


def test_a_search_over_a_second_stage_is_refused(trainer, checkpoints, monkeypatch, data):
    rows = data["bert"].add_column(PREFIX + "forgotten", [number % 2 == 0 for number in range(60)])
    run = trainer(
        method=methods.build("forgettable"),
        given={"train_dataset": rows, "model": None, "model_init": lambda: classifier(checkpoints["bert"])},
    )
    with pytest.raises(MaskTuneError, match="^hyperparameter_search: the second stage"):
        run._hp_search_setup(types.SimpleNamespace(number=0))


# ---- a training again, and one that starts with too large batches


def test_a_second_training_is_as_one_that_begins(trainer, checkpoints):
    """It has the masks of its own steps; its logs hold nothing of the first."""
    whole = trainer(folder="whole", max_steps=1)
    whole.train()
    again = trainer(folder="again", max_steps=1)
    again.train()
    again.model.load_state_dict(trainer(folder="fresh").model.state_dict())
    again.optimizer = None
    torch.manual_seed(1)
    again.train()
    assert losses(again)[-1] == losses(whole)[0]


def test_a_batch_that_does_not_fit_is_made_smaller_and_leaves_no_trace(trainer, monkeypatch):
    failed = []
    terms = MaskTuning.terms

    def too_large(self, model, batch, *rest, **named):
        found = terms(self, model, batch, *rest, **named)
        yield next(found)
        if len(batch["labels"]) > 7 and failed.append(len(batch["labels"])) is None:
            raise RuntimeError("CUDA out of memory.")
        yield from found

    monkeypatch.setattr(MaskTuning, "terms", too_large)
    run = trainer(auto_find_batch_size=True, max_steps=3, logging_steps=3)
    run.train()
    assert failed == [8] and run.state.train_batch_size == 7
    entry = next(entry for entry in run.state.log_history if "loss_mlm" in entry)
    assert entry["loss"] == pytest.approx(0.6 * entry["loss_mlm"] + 0.4 * entry["loss_classification"], rel=1e-5)


# ---- names and order


@pytest.mark.parametrize(("given", "words"), [(MaskTuning, "pass one of it: method=MaskTuning()"), (0.6, "expected a")])
def test_what_is_no_method_is_refused_by_name(trainer, given, words):
    with pytest.raises(MaskTuneError, match=re.escape(words)):
        trainer(method=given)


def test_a_method_may_be_given_by_its_name(trainer):
    assert trainer(method="mask_tuning+free_lb").method == methods.build("mask_tuning+free_lb")
    assert trainer(method="mask_tuning").method == MaskTuning.paper()
    with pytest.raises(MaskTuneError, match="unknown method 'mask_tunning' \\(did you mean 'mask_tuning'\\?\\)"):
        trainer(method="mask_tunning")


@pytest.mark.parametrize("column", ["length", "tokens"])
def test_lengths_are_read_from_a_column_where_there_is_one(trainer, data, column):
    rows = data["bert"].add_column(column, [number % 7 for number in range(60)])
    run = trainer(
        train_sampling_strategy="group_by_length", remove_unused_columns=False, length_column_name=column,
        given={"train_dataset": rows},
    )  # fmt: skip
    assert run._get_train_sampler().lengths == [number % 7 for number in range(60)]
    other = trainer(train_sampling_strategy="group_by_length")
    assert other._get_train_sampler().lengths == [len(ids) for ids in data["bert"]["input_ids"]]


# ---- what is stored, and the hub


def test_a_folder_holds_the_training_arguments_as_a_stock_trainers(tmp_path, trainer):
    run = trainer(save_strategy="steps", save_steps=2, max_steps=2)
    run.train()
    run.save_model(str(tmp_path / "saved"))
    for folder in (tmp_path / "saved", tmp_path / "run" / "checkpoint-2"):
        loaded = torch.load(folder / "training_args.bin", weights_only=False)
        assert type(loaded) is TrainingArguments and loaded.to_dict() == run.args.to_dict()


@pytest.mark.parametrize("method", [METHOD, FineTuning(), methods.build("mask_tuning+r_drop")])
def test_a_saved_folder_has_a_card_that_says_how_the_model_came_about(tmp_path, trainer, data, checkpoints, method):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "README.md").write_text("of the user's")
    run = trainer(
        method=method, max_steps=2, eval_strategy="epoch", given={"eval_dataset": data["bert"].select(range(7))}
    )
    run.train()
    for name in ("saved", "kept"):
        run.save_model(str(tmp_path / name))
    text = (tmp_path / "saved" / "README.md").read_text()
    assert f"minimises {method.formula}" in text and f"# {method.label}, from " in text
    assert all(f"{name} = {value}" in text for name, value in method.settings().items())
    assert ("with the masked-LM head" in text) == (method.encoder is not None)
    assert "2 steps, batches of 8 a process, peak learning rate 0.001, seed 1" in text
    assert "Train examples: 60 (negative 30, positive 30); the commonest class is right on 50.0 %" in text
    assert "Evaluation examples: 7 (negative 4, positive 3); the commonest class is right on 57.1 %" in text
    assert f"- eval_loss: {run.state.log_history[-2]['eval_loss']:.4g}" in text
    assert str(tmp_path) not in text and str(checkpoints["bert"]) not in text and "not the authors' code" in text
    assert (tmp_path / "kept" / "README.md").read_text() == "of the user's"
    assert not list((tmp_path / "run").glob("checkpoint-*/README.md"))


def test_a_card_is_made_as_a_stock_trainer_makes_it(tmp_path, trainer):
    texts = []
    for kind in (MaskTuningTrainer, Trainer):
        run = trainer(kind=kind, method=FineTuning(), folder=kind.__name__, max_steps=2, eval_strategy="epoch")
        run.train()
        run.create_model_card(model_name="a model", language="en", tags="robust", finetuned_from="bert")
        texts.append((Path(run.args.output_dir) / "README.md").read_text())
    ours, stock = (text.splitlines() for text in texts)
    numbers = ("|", "- Loss:", "- train_runtime")
    assert [line for line in ours if not line.startswith(numbers)] == [
        line for line in stock if not line.startswith(numbers)
    ]


@pytest.mark.parametrize("call", ["init", "push_to_hub"])
def test_without_the_hub_it_fails_as_a_stock_trainer_does(trainer, monkeypatch, call):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    failures = []
    for kind in (MaskTuningTrainer, Trainer):
        with pytest.raises(Exception) as error:
            run = trainer(kind=kind, folder=kind.__name__, push_to_hub=call == "init", hub_token="none")
            run.push_to_hub()
        failures.append(type(error.value))
    assert failures[0] is failures[1]


def test_a_checkpoint_is_pushed_with_the_language_models_weights(trainer, monkeypatch):
    run = trainer(save_strategy="steps", save_steps=2, max_steps=2)
    pushed = []

    class Api:
        def upload_folder(self, folder_path=None, **rest):
            pushed.append({path.name for path in Path(folder_path).iterdir()})
            return types.SimpleNamespace(done=lambda: True)

    module = sys.modules["transformers.trainer"]
    if not hasattr(module, "hf_api"):
        pytest.skip("this transformers pushes in another way")
    monkeypatch.setattr(module, "hf_api", Api)
    run.train()
    run.args.push_to_hub, run.hub_model_id, run.push_in_progress = True, "someone/model", None
    run._push_from_checkpoint(str(Path(run.args.output_dir) / "checkpoint-2"))
    assert {HEAD_FILE, "model.safetensors", "training_args.bin"} <= pushed[0]


# ---- what a Trainer asks of a model


@pytest.mark.parametrize("name", ["activation_checkpointing", "gradient_checkpointing"])
@pytest.mark.parametrize("method", [FineTuning(), METHOD], ids=["fine-tuning", "Mask-tuning"])
def test_activations_that_are_computed_again_change_nothing(trainer, family, name, method):
    if name not in TrainingArguments.__dataclass_fields__:
        pytest.skip("this transformers has the other name alone")
    plain = trainer(family, folder="plain", method=method, max_steps=3)
    kwargs = {name: True, f"{name}_kwargs": {"use_reentrant": False}}
    again = trainer(family, folder="again", method=method, max_steps=3, **kwargs)
    again.train(), plain.train()
    checkpointed = [module for module in again.model.modules() if getattr(module, "gradient_checkpointing", False)]
    assert checkpointed
    assert losses(again) == pytest.approx(losses(plain), rel=1e-5)


def test_neftune_puts_its_noise_on_the_embeddings(trainer):
    ours, stock = (
        trainer(folder="ours", method=FineTuning(), neftune_noise_alpha=5.0, max_steps=3),
        trainer(kind=StockOrder, folder="stock", neftune_noise_alpha=5.0, max_steps=3),
    )
    plain = trainer(folder="plain", method=FineTuning(), max_steps=3)
    for run in (ours, stock, plain):
        torch.manual_seed(0)
        run.train()
    assert losses(ours) == pytest.approx(losses(stock), rel=1e-5)
    assert losses(ours) != pytest.approx(losses(plain), rel=1e-4)
    assert not any(module._forward_hooks for module in ours.model.modules())
    joint = trainer(folder="joint", method=METHOD, neftune_noise_alpha=5.0, max_steps=3)
    joint.train()
    assert all(torch.isfinite(torch.tensor(losses(joint))))
