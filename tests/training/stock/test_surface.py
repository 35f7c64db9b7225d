"""Every argument of Trainer and TrainingArguments: it has a row, and what the row says of it is so.

An argument that is said to be as stock is set in two trainings of the same classifier in the same order, of plain
fine-tuning here and of a stock Trainer: losses, weights, logs, evaluations and stored files have to be the same.
"""

import dataclasses
import inspect
import json
import math
import types
from pathlib import Path

import numpy
import pytest
import torch
import transformers
from tiny_runs import classifier
from torch.nn.functional import cross_entropy
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments

from masktune import FineTuning, MaskTuneError, MaskTuning, MaskTuningTrainer, methods
from masktune.features import PREFIX
from masktune.training.sampling import SeededSampler
from masktune.training.stock import card, surface
from masktune.training.stock.refusals import REFUSALS

pytestmark = pytest.mark.slow

SAVED = {"save_strategy": "steps", "save_steps": 2}
EVALUATED = {"eval_strategy": "steps", "eval_steps": 2}
BEST = {**SAVED, **EVALUATED, "load_best_model_at_end": True}
WORKERS = {"dataloader_num_workers": 1}
COMPILED = {"torch_compile": True, "torch_compile_backend": "eager", "torch_compile_mode": "default", "max_steps": 2}
LOGGED = {"logging_steps": 2}


class Noted(TrainerCallback):
    """A callback with a state, that stops early."""

    def on_step_end(self, args, state, control, **rest):
        if state.global_step == 3:
            control.should_training_stop = True


def accuracy(found, compute_result=True):
    parts = found.predictions if isinstance(found.predictions, list) else [found.predictions]
    classes = found.label_ids[0] if isinstance(found.label_ids, tuple) else found.label_ids
    labels = classes if isinstance(classes, list) else [classes]
    right = [numpy.asarray(part).argmax(-1) == numpy.asarray(label) for part, label in zip(parts, labels, strict=True)]
    return {"accuracy": float(numpy.concatenate(right).mean())}


def weighted(outputs, labels, num_items_in_batch=None):
    return cross_entropy(outputs["logits"], labels, torch.tensor([0.2, 1.8]), reduction="sum") / num_items_in_batch


class Freed(torch.optim.SGD):
    """An optimizer that, like those free of a schedule, wants to know whether the model is trained."""

    modes: list[str] = []

    def train(self):
        self.modes.append("train")

    def eval(self):
        self.modes.append("eval")


# What is set, by the argument that it is about. `given` are arguments of Trainer.
CASES = {
    "args": {},
    "output_dir": SAVED,
    "per_device_train_batch_size": {"per_device_train_batch_size": 4},
    "num_train_epochs": {"num_train_epochs": 1.5, "max_steps": -1},
    "max_steps": {"max_steps": 3},
    "learning_rate": {"learning_rate": 5e-4},
    "lr_scheduler_type": {"lr_scheduler_type": "cosine"},
    "lr_scheduler_kwargs": {"lr_scheduler_type": "cosine_with_restarts", "lr_scheduler_kwargs": {"num_cycles": 2}},
    "warmup_steps": {"warmup_steps": 3},
    "optim": {"optim": "adafactor"},
    "optim_args": {"optim": "rmsprop", "optim_args": "momentum=0.5"},
    "weight_decay": {"weight_decay": 0.5, "learning_rate": 1e-2},
    "adam_beta1": {"adam_beta1": 0.3},
    "adam_beta2": {"adam_beta2": 0.5},
    "adam_epsilon": {"adam_epsilon": 0.1},
    "average_tokens_across_devices": {"average_tokens_across_devices": False},
    "max_grad_norm": {"max_grad_norm": 0.01, "optim": "sgd"},
    "label_smoothing_factor": {"label_smoothing_factor": 0.3},
    "bf16": {"bf16": True},
    "bf16_full_eval": {"bf16_full_eval": True, **EVALUATED},
    "fp16_full_eval": {"fp16_full_eval": True, **EVALUATED},
    "torch_compile": COMPILED,
    "use_cache": {"use_cache": True},
    "torch_empty_cache_steps": {"torch_empty_cache_steps": 1},
    "auto_find_batch_size": {"auto_find_batch_size": True},
    "logging_strategy": {"logging_strategy": "epoch"},
    "logging_steps": {"logging_steps": 3},
    "logging_first_step": {"logging_first_step": True, "logging_steps": 3},
    "log_on_each_node": {"log_on_each_node": False},
    "logging_nan_inf_filter": {"logging_nan_inf_filter": False},
    "include_num_input_tokens_seen": {"include_num_input_tokens_seen": "non_padding"},
    "log_level": {"log_level": "error"},
    "log_level_replica": {"log_level_replica": "error"},
    "disable_tqdm": {"disable_tqdm": False},
    "report_to": {"report_to": "none"},
    "run_name": {"run_name": "a name"},
    "project": {"project": "a project"},
    "trackio_space_id": {"trackio_space_id": "a space"},
    "trackio_bucket_id": {"trackio_bucket_id": "a bucket"},
    "trackio_static_space_id": {"trackio_static_space_id": "a space"},
    "eval_strategy": {"eval_strategy": "epoch"},
    "eval_steps": EVALUATED,
    "eval_delay": {**EVALUATED, "eval_delay": 3},
    "per_device_eval_batch_size": {**EVALUATED, "per_device_eval_batch_size": 7},
    "prediction_loss_only": {**EVALUATED, "prediction_loss_only": True},
    "eval_on_start": {**EVALUATED, "eval_on_start": True},
    "eval_do_concat_batches": {**EVALUATED, "eval_do_concat_batches": False},
    "eval_use_gather_object": {**EVALUATED, "eval_use_gather_object": True},
    "eval_accumulation_steps": {**EVALUATED, "eval_accumulation_steps": 2},
    "include_for_metrics": {**EVALUATED, "include_for_metrics": ["inputs", "loss"]},
    "batch_eval_metrics": {**EVALUATED, "batch_eval_metrics": True},
    "save_only_model": {**SAVED, "save_only_model": True},
    "save_strategy": {"save_strategy": "best", "metric_for_best_model": "loss", **EVALUATED},
    "save_steps": {**SAVED, "save_steps": 3},
    "save_on_each_node": {**SAVED, "save_on_each_node": True},
    "save_total_limit": {**SAVED, "save_total_limit": 1},
    "enable_jit_checkpoint": {**SAVED, "enable_jit_checkpoint": True},
    "load_best_model_at_end": BEST,
    "metric_for_best_model": {**BEST, "metric_for_best_model": "accuracy"},
    "greater_is_better": {**BEST, "metric_for_best_model": "loss", "greater_is_better": True},
    "ignore_data_skip": {**SAVED, "ignore_data_skip": True, "resumed": 2},
    "restore_callback_states_from_checkpoint": {
        **BEST, "restore_callback_states_from_checkpoint": True, "resumed": 2,
        "given": {"callbacks": [EarlyStoppingCallback(7)]},
    },
    "seed": {"seed": 3},
    "data_seed": {"data_seed": 3},
    "full_determinism": {"full_determinism": True},
    "train_sampling_strategy": {"train_sampling_strategy": "sequential"},
    "dataloader_drop_last": {"dataloader_drop_last": True, "per_device_train_batch_size": 7, **EVALUATED},
    "dataloader_num_workers": WORKERS,
    "dataloader_pin_memory": {"dataloader_pin_memory": True},
    "dataloader_persistent_workers": {**WORKERS, "dataloader_persistent_workers": True, **EVALUATED},
    "dataloader_prefetch_factor": {**WORKERS, "dataloader_prefetch_factor": 3},
    "dataloader_multiprocessing_context": {**WORKERS, "dataloader_multiprocessing_context": "fork"},
    "dataloader_in_order": {**WORKERS, "dataloader_in_order": False},
    "remove_unused_columns": {"remove_unused_columns": False},
    "label_names": {"label_names": ["labels", "attention_mask"], **EVALUATED},
    "use_cpu": {"use_cpu": True},
    "accelerator_config": {"accelerator_config": {"split_batches": True, "gradient_accumulation_kwargs": {}}},
    "ddp_find_unused_parameters": {"ddp_find_unused_parameters": False},
    "ddp_bucket_cap_mb": {"ddp_bucket_cap_mb": 1},
    "ddp_broadcast_buffers": {"ddp_broadcast_buffers": False},
    "ddp_static_graph": {"ddp_static_graph": True},
    "ddp_timeout": {"ddp_timeout": 60},
    "fsdp_config": {"fsdp_config": {"min_num_params": 0}},
    "debug": {"debug": "underflow_overflow"},
    "skip_memory_metrics": {"skip_memory_metrics": False},
    "compute_metrics": {**EVALUATED, "given": {"compute_metrics": accuracy}},
    "compute_loss_func": {"given": {"compute_loss_func": weighted}},
    "callbacks": {"given": {"callbacks": [Noted()]}},
    "optimizer_cls_and_kwargs": {"given": {"optimizer_cls_and_kwargs": (Freed, {"lr": 0.1})}, **EVALUATED},
    "preprocess_logits_for_metrics": {
        **EVALUATED, "given": {"preprocess_logits_for_metrics": lambda logits, labels: -logits},
    },
}  # fmt: skip

# Of the rows that are not in CASES, the test that holds them; or why there is none.
ELSEWHERE = {
    "model": "test_training",
    "data_collator": "test_evaluation",
    "train_dataset": "test_collate",
    "eval_dataset": "test_evaluation",
    "processing_class": "test_refusals",
    "model_init": "test_promises",
    "optimizers": "test_promises",
    "gradient_accumulation_steps": "test_training",
    "activation_checkpointing": "test_promises",
    "activation_checkpointing_kwargs": "test_promises",
    "gradient_checkpointing": "test_promises",
    "gradient_checkpointing_kwargs": "test_promises",
    "neftune_noise_alpha": "test_promises",
    "torch_compile_backend": "torch_compile, in CASES",
    "torch_compile_mode": "torch_compile, in CASES",
    "hub_strategy": "test_promises",
    "push_to_hub": "test_promises",
    "length_column_name": "test_promises",
    "ddp_backend": "test_devices",
    "hub_token": "needs the hub",
    "hub_private_repo": "needs the hub",
    "hub_model_id": "needs the hub",
    "hub_always_push": "needs the hub",
    "hub_revision": "needs the hub",
    "fp16": "needs a GPU",
    "tf32": "needs a GPU",
}
# These fail in a stock Trainer too: it looks for large numbers in masks of truth values.
FAIL_AS_STOCK = {"debug": NotImplementedError}


def arguments() -> dict[str, surface.Row]:
    return surface.TRAINER | surface.ARGUMENTS


def test_every_argument_of_the_installed_transformers_has_a_row_and_no_other_has():
    given = {field.name for field in dataclasses.fields(TrainingArguments)}
    trainer = set(inspect.signature(Trainer.__init__).parameters) - {"self"}
    new = (given - surface.ARGUMENTS.keys()) | (trainer - surface.TRAINER.keys())
    assert not new, (
        f"transformers {transformers.__version__} has arguments that have no row in masktune/training/stock/surface.py:"
        f" {', '.join(sorted(new))}; find out what becomes of each, prove it in {Path(__file__).name}, and write the "
        "page again with python -m masktune.training.stock.surface"
    )
    gone = (surface.ARGUMENTS.keys() - given) | (surface.TRAINER.keys() - trainer)
    assert gone <= set(surface.NOT_EVERYWHERE)


def test_the_page_is_as_generated():
    assert surface.PAGE.read_text(encoding="utf-8") == surface.page(), "python -m masktune.training.stock.surface"


def test_no_argument_is_ignored_and_each_is_proved_once():
    rows = arguments()
    refused = {refusal.name for refusal in REFUSALS}
    for name, row in rows.items():
        if row.status == surface.SCRIPT:
            assert f"args.{name}" not in inspect.getsource(Trainer), name
            continue
        assert (row.status == surface.REFUSED) <= (name in refused), name
        proofs = [name in CASES, name in ELSEWHERE, row.status == surface.REFUSED]
        assert sum(proofs) == 1, (name, proofs)
    assert CASES.keys() | ELSEWHERE.keys() | refused <= rows.keys()
    for name in refused:
        assert rows[name].status in (surface.REFUSED, surface.PARTLY), name


# ---- as stock


class Stock(Trainer):
    """A stock Trainer that reads in our order; a strategy of its own it keeps."""

    def _get_train_sampler(self, train_dataset=None):
        if self.args.train_sampling_strategy != "random":
            return super()._get_train_sampler(train_dataset)
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        return SeededSampler([0] * len(self.train_dataset), self.args.train_batch_size, seed, grouped=False)


def trained(trainer, kind, folder, case):
    """Everything that a user sees of a training."""
    case = {"max_steps": 4, **LOGGED, **case}
    given = {"compute_metrics": accuracy, **case.pop("given", {})}
    resumed = case.pop("resumed", None)
    run = trainer(kind=kind, folder=folder, method=FineTuning(), given=given, **case)
    run.train()
    if resumed:
        checkpoint = Path(run.args.output_dir) / f"checkpoint-{resumed}"
        run = trainer(kind=kind, folder=folder, method=FineTuning(), given=given, **case)
        run.train(resume_from_checkpoint=str(checkpoint))
    model = run.model if kind is Stock else run.model.classifier
    run.save_model()
    if kind is not Stock:
        (Path(run.args.output_dir) / card.NAME).unlink()  # the model card, which a stock Trainer does not write here
    return {
        "logs": [sorted(entry.items()) for entry in plain(run.state.log_history)],
        "weights": torch.cat([each.detach().float().flatten() for each in model.parameters()]),
        "files": sorted(str(path.relative_to(run.args.output_dir)) for path in Path(run.args.output_dir).rglob("*")),
        "state": state_of(run),
        "config": {**model.config.to_dict(), "_name_or_path": None},
        "groups": [sorted((k, v) for k, v in group.items() if k != "params") for group in groups_of(run)],
        "modes": list(Freed.modes),
    }


def plain(history):
    """Logs without times, without what a stock Trainer does not log, and with rounded numbers."""
    return [
        {
            name: value
            for name, value in entry.items()
            if not any(
                word in name for word in ("runtime", "per_second", "time", "loss_classification", "mem_", "flos")
            )
        }
        for entry in history
    ]


def state_of(run):
    state = json.loads(json.dumps(dataclasses.asdict(run.state), default=str))
    best = state.pop("best_model_checkpoint")
    kept = {"best_metric", "best_global_step", "epoch", "global_step", "max_steps", "num_input_tokens_seen"}
    return {"best": best and Path(best).name, **{name: value for name, value in state.items() if name in kept}}


def groups_of(run):
    return run.optimizer.param_groups


def close(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(close, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=2e-4, abs_tol=1e-5) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, torch.Tensor):
        return one.shape == other.shape and torch.allclose(one, other, rtol=1e-3, atol=2e-4)
    return one == other


@pytest.fixture
def undone():
    """What an argument changes in the process is as before."""
    import os

    environment, verbosity = dict(os.environ), transformers.logging.get_verbosity()
    yield
    torch.use_deterministic_algorithms(False)
    os.environ.clear()
    os.environ.update(environment)
    transformers.logging.set_verbosity(verbosity)
    torch._dynamo.reset()


@pytest.mark.proof
@pytest.mark.parametrize("name", CASES)
def test_an_argument_has_the_effect_that_it_has_in_a_stock_trainer(trainer, undone, name):
    if name in FAIL_AS_STOCK:
        for kind in (MaskTuningTrainer, Stock):
            with pytest.raises(FAIL_AS_STOCK[name]):
                trained(trainer, kind, kind.__name__, dict(CASES[name]))
        return
    outcomes = []
    for kind in (MaskTuningTrainer, Stock):
        Freed.modes.clear()
        outcomes.append(trained(trainer, kind, kind.__name__, dict(CASES[name])))
    ours, stock = outcomes
    for what in stock:
        assert close(ours[what], stock[what]), (what, ours[what], stock[what])


# ---- refused

SECOND = "forgettable"
REFUSED = {
    "fsdp": {"fsdp": "full_shard"},
    "fsdp_config": {"attribute": {"fsdp_plugin_args": {"fsdp_version": 2}}},
    "deepspeed": {"attribute": {"deepspeed": "a file"}},
    "parallelism_config": {"attribute": {"parallelism_config": types.SimpleNamespace(tp_size=2)}},
    "use_liger_kernel": {"use_liger_kernel": True},
    "liger_kernel_config": {"liger_kernel_config": {"rope": True}},
    "optim": {"optim": "lomo"},
    "optim_target_modules": {"optim_target_modules": "all-linear"},
    "torch_compile": {**COMPILED, "method": MaskTuning(fill="soft")},
    "label_names": {"label_names": ["targets"]},
    "auto_find_batch_size": {"auto_find_batch_size": True, "method": SECOND},
    "dataloader_drop_last": {"dataloader_drop_last": True, "method": SECOND},
    "train_sampling_strategy": {"train_sampling_strategy": "sequential", "method": SECOND},
}


@pytest.mark.parametrize("name", sorted({refusal.name for refusal in REFUSALS}))
def test_an_argument_that_cannot_be_honoured_is_refused_by_name(tmp_path, checkpoints, data, undone, name):
    case = dict(REFUSED[name])
    method, attribute = case.pop("method", FineTuning()), case.pop("attribute", {})
    args = TrainingArguments(str(tmp_path), use_cpu=True, report_to="none", **case)
    for key, value in attribute.items():
        setattr(args, key, value)
    rows = data["bert"].add_column(PREFIX + "forgotten", [number % 2 == 0 for number in range(60)])
    with pytest.raises(MaskTuneError) as error:
        MaskTuningTrainer(
            classifier(checkpoints["bert"]), args, train_dataset=rows,
            method=methods.build(method) if isinstance(method, str) else method,
        )  # fmt: skip
    assert str(error.value).startswith(f"{name} = ") and "\n" not in str(error.value)
