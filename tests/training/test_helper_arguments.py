"""Models that `prepare` trains know of the user's arguments what defines a training, and nothing that goes outward."""

from dataclasses import MISSING, fields

import pytest
from transformers import Trainer, TrainingArguments

from masktune import methods
from masktune.training.features import MACHINE, TRAINING, helper_arguments

# Of each argument that is kept another value than its default.
KEPT = {
    "num_train_epochs": 7, "max_steps": 11, "learning_rate": 0.125, "per_device_train_batch_size": 3,
    "gradient_accumulation_steps": 5, "lr_scheduler_type": "cosine", "lr_scheduler_kwargs": {"num_cycles": 1},
    "warmup_steps": 13, "weight_decay": 0.25, "max_grad_norm": 0.5, "adam_beta1": 0.75, "adam_beta2": 0.875,
    "adam_epsilon": 0.375, "optim": "sgd", "optim_args": "momentum=0.5", "train_sampling_strategy": "group_by_length",
    "data_seed": 17, "bf16": True, "fp16": True, "dataloader_drop_last": True, "label_smoothing_factor": 0.0625,
    "neftune_noise_alpha": 0.03125, "use_cpu": True, "per_device_eval_batch_size": 19, "eval_accumulation_steps": 23,
    "auto_find_batch_size": True, "full_determinism": True, "tf32": False, "torch_empty_cache_steps": 29,
    "length_column_name": "size", "optim_target_modules": "all-linear", "dataloader_num_workers": 1,
    "dataloader_pin_memory": False, "dataloader_prefetch_factor": 2, "dataloader_multiprocessing_context": "spawn",
    "dataloader_in_order": False, "activation_checkpointing": True,
    "activation_checkpointing_kwargs": {"use_reentrant": False},
}  # fmt: skip
NEEDED = {"dataloader_prefetch_factor": {"dataloader_num_workers": 1}}
FIELDS = [field for field in fields(TrainingArguments) if field.init]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_argument_defines_the_training_or_stays_behind(tmp_path, field):
    cpu = {"use_cpu": True, **NEEDED.get(field.name, {})}
    own = helper_arguments(
        TrainingArguments(str(tmp_path / "users"), **cpu), output_dir=str(tmp_path / "helpers"), seed=3
    )
    name = field.name
    if name in KEPT:
        args = TrainingArguments(str(tmp_path / "users"), **{**cpu, name: KEPT[name]})
        assert name in (*TRAINING, *MACHINE)
        assert getattr(args, name) != (field.default if field.default is not MISSING else None)
        assert getattr(helper_arguments(args, output_dir=str(tmp_path)), name) == getattr(args, name)
        return
    assert name not in (*TRAINING, *MACHINE)
    args = TrainingArguments(str(tmp_path / "users"), **cpu)
    outward = object()
    object.__setattr__(args, name, outward)
    made = helper_arguments(args, output_dir=str(tmp_path / "helpers"), seed=3)
    assert getattr(made, name) == getattr(own, name) != outward


def test_nothing_is_evaluated_stored_reported_or_sent(tmp_path):
    args = helper_arguments(
        TrainingArguments(str(tmp_path), use_cpu=True, push_to_hub=True, eval_strategy="steps", report_to="all")
    )
    assert (args.eval_strategy, args.save_strategy, args.report_to) == ("no", "no", [])
    assert not (args.push_to_hub or args.load_best_model_at_end or args.torch_compile or args.resume_from_checkpoint)


@pytest.mark.slow
def test_prepare_sends_nothing_to_the_hub_and_leaves_the_users_folder_alone(make_builder, monkeypatch, tmp_path):
    sent = []
    for name in ("init_hf_repo", "push_to_hub", "_push_from_checkpoint"):
        monkeypatch.setattr(Trainer, name, lambda *given, **named: sent.append(given))
    builder = make_builder()
    builder.args.output_dir = str(tmp_path / "users")
    builder.args.push_to_hub = True
    builder.args.hub_model_id = "somebody/model"
    builder.args.save_strategy = "steps"
    builder.args.save_steps = 1
    builder.prepare(methods.build("confidence_regularisation", bias_model="small"))
    assert not sent and not (tmp_path / "users").exists()
