"""Train one method with one seed: the epoch that validates best is kept, and every part is read with it."""

import shutil
import time
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_utils import EvalPrediction

from masktune.errors import MaskTuneError
from masktune.methods import MaskTuning, Method
from masktune.methods.composition import components_of
from masktune.models.joint import MaskTuningModel
from masktune.own.inputs import TEXT_COLUMNS, Inputs, title
from masktune.own.stored import MODEL, Run, write_run
from masktune.statistics import metrics
from masktune.streams import Streams, derive
from masktune.training import precision
from masktune.training.collate import InMemory, Padding
from masktune.training.features import prepare
from masktune.training.perturbed import perturb
from masktune.training.trainer import MaskTuningTrainer

WARMUP, WEIGHT_DECAY = 0.06, 0.01  # of the steps; of AdamW
LARGER_EVALUATION_BATCH = 4
LOSS_POINTS = 25
LOOKED_AT = 256  # train texts whose perturbations are counted
SHOWN, SHORTEST, LONGEST = 8, 8, 60  # perturbed examples in the report, and the tokens that they may have


def train_seed(inputs: Inputs, key: str, seed: int, folder: Path, prepared: dict[str, Any]) -> Run:
    """Train, evaluate and store in the empty `folder`. `prepared` keeps train sets with features, by method.

    Raises MaskTuneError for a training that diverges or does not fit into the memory of its device.
    """
    method = inputs.method(key)
    began = time.perf_counter()
    try:
        trainer = _trainer(inputs, key, method, seed, folder / "checkpoints", prepared)
        trainer.train()
        logits = {
            name: predict(
                trainer.model.classifier, inputs.start.tokenizer, inputs.encoded[name], inputs.settings.batch_size
            )
            for name in inputs.data.parts
            if name != "train"
        }
    except torch.OutOfMemoryError:
        half = max(1, inputs.settings.batch_size // 2)
        raise MaskTuneError(f"the device is out of memory; try --batch-size {half} or a smaller --max-length") from None
    if not all(np.isfinite(values).all() for values in logits.values()):
        rate = inputs.learning_rate
        raise MaskTuneError(f"{title(key)}, seed {seed}, diverged; try --learning-rate {rate / 3:.0e}")
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    curve = [entry for entry in trainer.state.log_history if "eval_score" in entry]
    run = Run(
        method=key,
        seed=seed,
        epoch=1 + int(np.argmax([entry["eval_score"] for entry in curve])),
        score=max(entry["eval_score"] for entry in curve),
        curve=[{"epoch": entry["epoch"], "score": entry["eval_score"], "loss": entry["eval_loss"]} for entry in curve],
        losses=[
            {"epoch": entry["epoch"], "loss": entry.get("loss_classification", entry["loss"])}
            for entry in trainer.state.log_history
            if "loss" in entry
        ],
        seconds=time.perf_counter() - began,
        precision="bf16" if trainer.args.bf16 else "fp32",
        logits=logits,
        perturbed=show_perturbed(inputs, trainer.model, method, seed),
    )
    if key == inputs.settings.method:
        trainer.model.save_pretrained(folder / MODEL)
        inputs.start.tokenizer.save_pretrained(folder / MODEL)
    write_run(folder, run)
    return run


def _trainer(
    inputs: Inputs, key: str, method: Method, seed: int, scratch: Path, prepared: dict[str, Any]
) -> MaskTuningTrainer:
    set_seed(seed)  # the seed alone decides what follows, whichever runs this process has made before
    start = inputs.start
    model = MaskTuningModel.from_pretrained(
        start.place, inputs.label_names, seed, revision=start.revision, encoder=method.encoder
    )
    chosen = precision.choose(inputs.settings.precision, model.config, device(inputs))
    if key not in prepared:
        plain = _arguments(inputs, seed, scratch, chosen)
        train, names = inputs.encoded["train"], inputs.label_names
        train = prepare(method, train, start.tokenizer, plain, start.place, names, start.revision)
        prepared[key] = InMemory(_numbers_only(train))
    trainer = MaskTuningTrainer(
        model=model,
        args=_arguments(inputs, seed, scratch, chosen, **_choosing(inputs)),
        method=method,
        train_dataset=prepared[key],
        eval_dataset=InMemory(_numbers_only(inputs.encoded["validation"])),
        processing_class=start.tokenizer,
        data_collator=Padding(start.tokenizer),
        compute_metrics=_Score(inputs.settings.class_weights == "balanced"),
        callbacks=[_Bar(f"{title(key)}, seed {seed}")],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def device(inputs: Inputs) -> torch.device:
    """The device that is asked for. Raises MaskTuneError for a GPU that is not there."""
    asked = inputs.settings.device
    if asked == "cuda" and not torch.cuda.is_available():
        raise MaskTuneError("--device cuda: torch sees no GPU; leave --device out, or install torch with CUDA")
    return torch.device("cuda" if asked != "cpu" and torch.cuda.is_available() else "cpu")


def _arguments(inputs: Inputs, seed: int, scratch: Path, chosen: str, **own: Any) -> TrainingArguments:
    """What a run and the auxiliary models that it learns from have in common, and what is its `own`."""
    settings = inputs.settings
    return TrainingArguments(
        output_dir=str(scratch),
        num_train_epochs=settings.epochs,
        learning_rate=inputs.learning_rate,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size * LARGER_EVALUATION_BATCH,
        warmup_steps=WARMUP,
        weight_decay=WEIGHT_DECAY,
        use_cpu=device(inputs).type == "cpu",
        bf16=chosen == "bf16",
        seed=seed,
        train_sampling_strategy="group_by_length",
        report_to="none",
        disable_tqdm=True,
        **({"save_strategy": "no"} | own),
    )


def _choosing(inputs: Inputs) -> dict[str, Any]:
    """The arguments of a run that keeps its best epoch."""
    steps = inputs.settings.epochs * -(-len(inputs.encoded["train"]) // inputs.settings.batch_size)
    return {
        "eval_strategy": "epoch",
        "save_strategy": "best",
        "save_only_model": True,
        "save_total_limit": 1,
        "load_best_model_at_end": True,
        "metric_for_best_model": "score",
        "greater_is_better": True,
        "logging_steps": max(1, steps // LOSS_POINTS),
        "logging_nan_inf_filter": False,
        "remove_unused_columns": False,
    }


class _Score:
    """What chooses the epoch and the seed: accuracy, or with class weights the mean accuracy of the classes."""

    def __init__(self, balanced: bool):
        self.measure = metrics.balanced_accuracy if balanced else metrics.accuracy

    def __call__(self, output: EvalPrediction) -> dict[str, float]:
        return {"score": self.measure(np.asarray(output.predictions).argmax(-1), np.asarray(output.label_ids))}


class _Bar(TrainerCallback):
    """A bar of the steps, with the validation score of the last epoch."""

    def __init__(self, words: str):
        self.words = words
        self.bar: Any = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: Any
    ) -> None:
        self.bar = tqdm(total=state.max_steps, desc=self.words, unit="step")

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        self.bar.update(1)

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        score = rest.get("metrics", {}).get("eval_score")
        if self.bar is not None and score is not None:
            self.bar.set_postfix_str(f"validation {100 * score:.1f} %")

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        self.bar.close()


def _numbers_only(rows: datasets.Dataset) -> datasets.Dataset:
    return rows.remove_columns([name for name in TEXT_COLUMNS if name in rows.column_names])


@torch.no_grad()
def predict(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: datasets.Dataset,
    batch_size: int,
    title: str | None = None,
) -> np.ndarray:
    """Logits [n, C] in the order of the rows, read by length, the longest first; `title` names a bar."""
    read, pad = InMemory(_numbers_only(rows).remove_columns("labels")), Padding(tokenizer)
    order = sorted(range(len(read)), key=lambda row: -len(read[row]["input_ids"]))
    size = batch_size * LARGER_EVALUATION_BATCH
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    found = np.zeros((len(read), model.config.num_labels or 0), dtype=np.float32)
    was_training = model.training
    model.eval()
    for batch in tqdm(batches, desc=title, unit="batch", disable=title is None):
        inputs = {name: values.to(model.device) for name, values in pad([read[row] for row in batch]).items()}
        found[batch] = model(**inputs).logits.float().cpu().numpy()
    model.train(was_training)
    return found


def show_perturbed(inputs: Inputs, model: MaskTuningModel, method: Method, seed: int) -> dict[str, Any] | None:
    """What the trained model makes of train texts, as the method asks it in training; None where nothing is made.

    "examples" are pieces of text (before, after), of which "after" is None where nothing was masked; the rest counts
    the tokens that were masked, those that came back as others, and the texts that changed, among LOOKED_AT texts.
    """
    own = next((part for part in components_of(method) if isinstance(part, MaskTuning)), None)
    if own is None or own.fill == "soft" or own.mask_rate == 0:
        return None
    rows = InMemory(_numbers_only(inputs.encoded["train"]).remove_columns("labels"))
    order = np.random.default_rng(derive(0, "perturbed examples")).permutation(len(rows))[:LOOKED_AT].tolist()
    batch = Padding(inputs.start.tokenizer)([rows[row] for row in order])
    positions, texts = (each[0] for each in perturb(model, own, batch, Streams(derive(seed, "shown")), 1))
    before = batch["input_ids"]
    changed = before != texts
    sizes = batch["attention_mask"].sum(1).tolist()
    shown = [row for row, size in enumerate(sizes) if changed[row].any() and SHORTEST <= size <= LONGEST][:SHOWN]
    train, tokenizer = inputs.data.parts["train"], inputs.start.tokenizer
    return {
        "texts": len(order),
        "texts_changed": int(changed.any(1).sum()),
        "masked": int(positions.sum()),
        "changed": int(changed.sum()),
        "examples": [
            {"label": train.labels[order[row]], "pieces": pieces(tokenizer, before[row], texts[row], positions[row])}
            for row in shown
        ],
    }


def pieces(
    tokenizer: PreTrainedTokenizerBase, before: Tensor, after: Tensor, positions: Tensor
) -> list[tuple[str, str | None]]:
    """A text as pieces (before, after): runs of tokens that nobody touched, and each masked token by itself.

    `before` and `after` are token ids [L], `positions` where they were masked, bool [L]. Special tokens are left out.
    """
    special = set(tokenizer.all_special_ids)
    found: list[tuple[str, str | None]] = []
    untouched: list[int] = []

    def close() -> None:
        if untouched:
            found.append((_decode(tokenizer, untouched), None))
            untouched.clear()

    for old, new, masked in zip(before.tolist(), after.tolist(), positions.tolist(), strict=True):
        if masked:
            close()
            found.append((_decode(tokenizer, [old]), _decode(tokenizer, [new])))
        elif old not in special:
            untouched.append(old)
    close()
    return found


def _decode(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    return str(tokenizer.decode(ids, clean_up_tokenization_spaces=False)).strip()
