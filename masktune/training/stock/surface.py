"""Every argument of `transformers.Trainer` and of `TrainingArguments`, and what becomes of it in MaskTuningTrainer.

`python -m masktune.training.stock.surface` writes this table to masktune/training/ARGUMENTS.md. A test reads the
arguments of the installed transformers and asks each for a row here, and for its proof: the same run with a stock
Trainer, or the line that refuses it.
"""

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "ARGUMENTS.md"

STOCK = "as stock"  # by Trainer's own code
TERM = "on the classification term"  # as stock for fine-tuning; other terms of the method stay beside it
OWN = "kept in another way"  # what it promises is kept, by code of this package
PARTLY = "as stock, or refused"  # with some methods or values
REFUSED = "refused"  # in one line that names it
SCRIPT = "read by scripts"  # Trainer itself does not read it


@dataclass(frozen=True)
class Row:
    """What becomes of one argument, and where it matters how."""

    status: str
    note: str = ""


def _rows(status: str, names: str) -> dict[str, Row]:
    return {name: Row(status) for name in names.split()}


TRAINER: dict[str, Row] = {
    "model": Row(OWN, "a sequence classifier, to which the masked-LM head of its checkpoint is attached, or a "
                      "`MaskTuningModel`; `trainer.model` is that, and its parameters begin with `classifier.`"),
    "args": Row(STOCK, "field by field below"),
    "data_collator": Row(STOCK, "a `DataCollatorWithPadding` is replaced by a faster one with the same batches"),
    "train_dataset": Row(STOCK, "labels are checked, and the columns that a method needs must be there"),
    "eval_dataset": Row(STOCK, "one set, or several by name"),
    "processing_class": Row(PARTLY, "a method with a language model needs the tokenizer"),
    "model_init": Row(STOCK, "the language model is attached to each model that it makes; in "
                             "`hyperparameter_search` too"),
    "compute_loss_func": Row(TERM, "and so is an overridden `compute_loss`; refused with a method that has a loss of "
                                   "its own for the classifier, or makes some examples count more"),
    "compute_metrics": Row(OWN, "of BART and mBART it gets the logits alone, where a stock Trainer adds what the "
                                "encoder puts out"),
    "callbacks": Row(STOCK),
    "optimizers": Row(PARTLY, "refused where the language model is trained and the optimizer lacks its weights"),
    "optimizer_cls_and_kwargs": Row(STOCK),
    "preprocess_logits_for_metrics": Row(STOCK),
}  # fmt: skip

ARGUMENTS: dict[str, Row] = {
    # training
    "output_dir": Row(STOCK),
    "per_device_train_batch_size": Row(STOCK),
    "num_train_epochs": Row(STOCK, "a method with a second stage adds it after them, and wants a whole number"),
    "max_steps": Row(PARTLY, "refused with a method that has a second stage, which follows whole epochs"),
    "lr_scheduler_type": Row(PARTLY, "with a second stage one that is known beforehand, such as linear"),
    **_rows(STOCK, "learning_rate lr_scheduler_kwargs warmup_steps optim_args weight_decay adam_beta1 adam_beta2 "
                   "adam_epsilon"),
    "optim": Row(PARTLY, "refused: LOMO, AdaLOMO, GaLore, APOLLO, which step within a backward pass or pick layers by "
                         "name"),
    "optim_target_modules": Row(REFUSED, "only GaLore and APOLLO read it"),
    "gradient_accumulation_steps": Row(OWN, "the gradient is that of the whole batch: each micro-batch weighs as many "
                                            "examples as it holds; a stock Trainer adds up the means of micro-batches "
                                            "where, as in BERT, the model takes them"),
    "average_tokens_across_devices": Row(STOCK),
    "max_grad_norm": Row(STOCK, "the norm is that of all terms together"),
    "label_smoothing_factor": Row(TERM, "refused with a method that has a loss of its own for the classifier"),
    # precision and memory
    **_rows(STOCK, "bf16 fp16 bf16_full_eval fp16_full_eval tf32"),
    **_rows(STOCK, "activation_checkpointing activation_checkpointing_kwargs gradient_checkpointing "
                   "gradient_checkpointing_kwargs"),
    "torch_compile": Row(PARTLY, "the classifier's forward pass is compiled, the masked-LM head's is not; refused with "
                                 "a method that changes what modules put out, and in several processes"),
    "torch_compile_backend": Row(PARTLY, "as `torch_compile`, which it switches on"),
    "torch_compile_mode": Row(PARTLY, "as `torch_compile`, which it switches on"),
    "use_liger_kernel": Row(REFUSED),
    "liger_kernel_config": Row(REFUSED),
    "use_cache": Row(STOCK),
    "neftune_noise_alpha": Row(STOCK, "wherever the word embeddings of the classifier are read, so also where a "
                                      "shared language model reads them"),
    "torch_empty_cache_steps": Row(STOCK),
    "auto_find_batch_size": Row(PARTLY, "refused with a method that has a second stage"),
    # logs
    "logging_nan_inf_filter": Row(STOCK, "for `loss`; `loss_<term>` shows what was"),
    "report_to": Row(STOCK, "logs also hold `loss_<term>`"),
    **_rows(STOCK, "logging_strategy logging_steps logging_first_step log_on_each_node include_num_input_tokens_seen "
                   "log_level log_level_replica disable_tqdm run_name project trackio_space_id trackio_bucket_id "
                   "trackio_static_space_id"),
    # evaluation
    **_rows(STOCK, "eval_strategy eval_steps eval_delay per_device_eval_batch_size eval_on_start "
                   "eval_use_gather_object eval_accumulation_steps"),
    "prediction_loss_only": Row(STOCK, "read longest first, the results are those of the data set's order"),
    "eval_do_concat_batches": Row(STOCK, "read in the order of the data set"),
    "include_for_metrics": Row(STOCK, "read in the order of the data set"),
    "batch_eval_metrics": Row(STOCK, "read in the order of the data set"),
    # saving
    "save_strategy": Row(STOCK, "a folder holds what a stock Trainer's holds, and the language model's weights beside"),
    **_rows(STOCK, "save_only_model save_steps save_on_each_node save_total_limit enable_jit_checkpoint "
                   "load_best_model_at_end metric_for_best_model greater_is_better ignore_data_skip "
                   "restore_callback_states_from_checkpoint"),
    "hub_strategy": Row(STOCK, "the language model's weights are pushed beside the classifier"),
    **_rows(STOCK, "push_to_hub hub_token hub_private_repo hub_model_id hub_always_push hub_revision"),
    # order and data
    "seed": Row(OWN, "every random choice has a stream of its own derived from it, and batches another order than "
                     "torch draws from it"),
    "data_seed": Row(OWN, "the order of the batches alone"),
    "full_determinism": Row(STOCK),
    "train_sampling_strategy": Row(PARTLY, "`random` and `group_by_length` in an order from the seed; a method with a "
                                           "second stage takes no other"),
    "length_column_name": Row(STOCK),
    "dataloader_drop_last": Row(PARTLY, "refused with a method that has a second stage"),
    **_rows(STOCK, "dataloader_num_workers dataloader_pin_memory dataloader_persistent_workers "
                   "dataloader_prefetch_factor dataloader_multiprocessing_context dataloader_in_order"),
    "remove_unused_columns": Row(STOCK, "columns that the method needs are kept"),
    "label_names": Row(PARTLY, "`labels` must be one of them"),
    # devices
    "use_cpu": Row(STOCK),
    "accelerator_config": Row(STOCK),
    "parallelism_config": Row(REFUSED),
    **{
        name: Row(OWN, "processes average their gradients once a step, by code of this package that does not need it")
        for name in ("ddp_find_unused_parameters", "ddp_bucket_cap_mb", "ddp_broadcast_buffers", "ddp_static_graph")
    },
    **_rows(STOCK, "ddp_backend ddp_timeout"),
    "fsdp": Row(REFUSED),
    "fsdp_config": Row(PARTLY, "refused where it switches FSDP on"),
    "deepspeed": Row(REFUSED),
    **_rows(STOCK, "debug skip_memory_metrics"),
    **_rows(SCRIPT, "do_train do_eval do_predict resume_from_checkpoint local_rank"),
}  # fmt: skip

# Arguments that not every transformers with which this package works has.
NOT_EVERYWHERE = ("activation_checkpointing", "activation_checkpointing_kwargs")

HEAD = """# What becomes of the arguments of `transformers.Trainer`

`MaskTuningTrainer` takes every argument of `transformers.Trainer`, and its `args` every field of `TrainingArguments`.
None is ignored: this page says of each what becomes of it. `tests/training/stock/test_surface.py` holds it against a
stock Trainer, and asks of a new version of transformers that its new arguments get a row.
`python -m masktune.training.stock.surface` writes the page from the table in
[`surface.py`](stock/surface.py).

- **as stock**: by Trainer's own code, with the same effect.
- **on the classification term**: fine-tuning gives what a stock Trainer gives; with another method it acts on the loss
  of the classifier, and the method's other terms stay beside it.
- **kept in another way**: it does what it promises, by code of this package.
- **as stock, or refused**: in one line that names the argument, with the methods or values that are named here.
- **refused**: always, in one line that names it.
- **read by scripts**: a stock Trainer does not read it either.
"""


def page() -> str:
    """The table as a page of Markdown."""
    tables = (("`MaskTuningTrainer(...)`", TRAINER), ("`TrainingArguments(...)`", ARGUMENTS))
    return HEAD + "".join(f"\n## {title}\n\n{_table(rows)}" for title, rows in tables)


def _table(rows: dict[str, Row]) -> str:
    lines = ["| argument | what becomes of it | |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {row.status} | {row.note} |" for name, row in rows.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
