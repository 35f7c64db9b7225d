"""Train one seed of a cell, and predict every evaluation set: what a run's folder is made of."""

import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import datasets
import numpy
import pyarrow
import torch
from transformers import (
    AutoConfig,
    AutoTokenizer,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.utils import logging

from masktune import data
from masktune.data import encode
from masktune.data.tasks import TaskData
from masktune.methods import Method
from masktune.models.joint import MaskTuningModel
from masktune.pretraining import checkpoints
from masktune.streams import derive
from masktune.study.design.cells import Cell, Training, build_method
from masktune.study.run import energy, environment, record
from masktune.study.run.readings import Readings, entry
from masktune.study.run.source import source
from masktune.training import precision
from masktune.training.collate import InMemory, Padding
from masktune.training.features import CachedFeatureBuilder
from masktune.training.sampling import StagePlan
from masktune.training.trainer import MaskTuningTrainer

CURVE_POINTS = 4
CURVE_EXAMPLES = 120
LOSS_POINTS = 25
LARGER_EVALUATION_BATCH = 4


@dataclass(frozen=True)
class Start:
    """What seeds of one pre-training start from: its checkpoint, and the train set with the features made by it."""

    checkpoint: str
    train: datasets.Dataset
    seconds: float


@dataclass(frozen=True)
class CellInputs:
    """What all seeds of a cell share, loaded and tokenised once.

    `train` has what the method must know of each example (masktune.training.features). `evaluation` holds the examples
    of every set one after the other, `examples` what is stored of them; `seconds` what loading, tokenising and
    preparing took. What other cells have prepared counts as it did for them. Where seeds start from several
    pre-trainings, `checkpoint`, `train` and `seconds` are those of the first seed; `of` has those of another.
    """

    cell: Cell
    method: Method
    task: TaskData
    checkpoint: str
    tokenizer: PreTrainedTokenizerBase
    train: datasets.Dataset
    curve: datasets.Dataset
    evaluation: datasets.Dataset
    examples: pyarrow.Table
    seconds: dict[str, float] = field(default_factory=dict)
    starts: dict[int, Start] = field(default_factory=dict)

    def of(self, seed: int) -> "CellInputs":
        """The same for a seed: with the checkpoint of its pre-training and the features that this one gave."""
        start = self.starts.get(self.cell.model.pretraining_of(seed))
        if start is None:
            return self
        seconds = self.seconds | {"prepare": start.seconds}
        return replace(self, checkpoint=start.checkpoint, train=start.train, seconds=seconds)


def load_inputs(cell: Cell) -> CellInputs:
    """Load the data and the checkpoints of a cell and tokenise: what is needed before its first seed."""
    quiet()
    read_source(cell)  # now: the files may be edited while the seeds are trained
    seconds: dict[str, float] = {}
    method = build_method(cell.method, cell.options)
    with _record_time(seconds, "load"):
        task = data.load(cell.data, cell.task, train_examples=cell.training.train_examples, **cell.data_options)
        task = task.also_cut_to(cell.training.evaluation_lengths)
        places = _prepare_checkpoints(cell)
        checkpoint = next(iter(places.values()))
        task = replace(task, digests=task.digests | checkpoints.digests(cell.model))
        tokenizer = AutoTokenizer.from_pretrained(checkpoint, revision=cell.model.revision or "main")
    with _record_time(seconds, "tokenise"):
        read = {column for feature in method.needs.values() for column in feature.reads}
        train = encode.encode(task.train, tokenizer, cell.training.max_length, keep=read)
        encoded = [encode.encode(each.examples, tokenizer, each.max_length) for each in task.evaluation]
        curve = _sample(encoded[[each.kind for each in task.evaluation].index("in_distribution")])
    starts = {pretraining: _start(cell, method, task, tokenizer, train, place) for pretraining, place in places.items()}
    evaluation, examples = datasets.concatenate_datasets(encoded), record.describe_examples(task.evaluation)
    inputs = CellInputs(cell, method, task, checkpoint, tokenizer, train, curve, evaluation, examples, seconds, starts)
    return inputs.of(cell.seeds[0])


def _prepare_checkpoints(cell: Cell) -> dict[int, str]:
    """The checkpoint of each pre-training that seeds of the cell start from, that of its first seed first."""
    pretrainings = dict.fromkeys(map(cell.model.pretraining_of, cell.seeds))
    return {pretraining: checkpoints.prepare(cell.model, cell.task, pretraining) for pretraining in pretrainings}


def _start(
    cell: Cell,
    method: Method,
    task: TaskData,
    tokenizer: PreTrainedTokenizerBase,
    train: datasets.Dataset,
    checkpoint: str,
) -> Start:
    args = _arguments(cell.training, tempfile.gettempdir(), bf16=_auxiliary_precision(cell, checkpoint) == "bf16")
    names, revision, fast = task.label_names, cell.model.revision, _use_accelerators(cell.training)
    builder = CachedFeatureBuilder(train, tokenizer, args, checkpoint, names, revision, fast_dropout=fast)
    prepared = builder.prepare(method)
    return Start(checkpoint, prepared, sum(builder.seconds.values()))


def read_source(cell: Cell) -> str:
    """The digest of the code that trains the cell, as this process has loaded it."""
    made_here = cell.model.is_embedded  # on the text of the embedded world
    return source(*sorted({cell.data, *(["embedded"] if made_here else [])}))


def train_seed(inputs: CellInputs, seed: int, bar: Any = None) -> tuple[dict[str, Any], pyarrow.Table]:
    """Train and evaluate one seed. Returns the records and predictions that runs.write stores.

    `bar` is updated by one at each optimizer step. A GPU without enough memory is tried once more with half the
    micro-batch, two of them to a step.
    """
    inputs = inputs.of(seed)
    try:
        return _train_seed(inputs, seed, bar, accumulation=1)
    except torch.OutOfMemoryError:
        if inputs.cell.training.batch_size % 2:
            raise
        torch.cuda.empty_cache()
    return _train_seed(inputs, seed, bar, accumulation=2)


def quiet() -> None:
    """No bars for what takes a moment: the cell has one bar of its own."""
    datasets.disable_progress_bars()
    logging.disable_progress_bar()


def count_steps(inputs: CellInputs) -> int:
    """Optimizer steps of a seed that starts as `inputs` say."""
    training, plan = inputs.cell.training, _second_stage(inputs)
    if plan is not None:
        return plan.steps
    return math.ceil(training.epochs * math.ceil(len(inputs.train) / training.batch_size))


def _second_stage(inputs: CellInputs) -> StagePlan | None:
    training, stage = inputs.cell.training, inputs.method.second_stage
    return None if stage is None else StagePlan.of(stage, inputs.train, int(training.epochs), training.batch_size)


def _train_seed(inputs: CellInputs, seed: int, bar: Any, accumulation: int) -> tuple[dict[str, Any], pyarrow.Table]:
    seconds: dict[str, float] = {}
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory(prefix="masktune-") as scratch, energy.measure(_gpu()) as drawn:
        with _record_time(seconds, "model"):
            trainer = build_trainer(inputs, seed, bar, accumulation, scratch)
        readings = Readings(lambda: record.measure(_predict(inputs, trainer))["accuracy"])
        if inputs.cell.training.readings == "epochs":
            trainer.add_callback(readings)
        with _record_time(seconds, "train"):
            trainer.train()
        with _record_time(seconds, "evaluate"):
            predictions = _predict(inputs, trainer)
    curve = sum(logged.get("eval_runtime", 0.0) for logged in trainer.state.log_history) + readings.seconds
    seconds |= {"train": seconds["train"] - curve, "curve": curve}
    metrics = record.measure(predictions)
    if inputs.cell.training.readings == "epochs":
        trainer.state.log_history.append(entry(trainer.state, metrics["accuracy"]))
    used = "bf16" if trainer.args.bf16 else "fp32"
    records = {
        "run": record.define(inputs.cell, inputs.method, seed),
        "metrics": metrics,
        "environment": environment.describe(
            used,
            accumulation,
            inputs.task.digests,
            inputs.checkpoint,
            _cpu_accelerators(inputs, trainer),
            read_source(inputs.cell),
            checkpoints.describe(inputs.checkpoint),
        ),
        "cost": _count_cost(inputs, trainer, {**inputs.seconds, **seconds}) | drawn,
        "history": trainer.state.log_history,
    }
    return records, predictions


def _predict(inputs: CellInputs, trainer: MaskTuningTrainer) -> pyarrow.Table:
    """The predictions of every evaluation set, by the model as it is."""
    logits = numpy.asarray(trainer.predict(InMemory(inputs.evaluation)).predictions, dtype=numpy.float32)
    return record.tabulate_predictions(inputs.examples, inputs.task.evaluation, logits)


def _auxiliary_precision(cell: Cell, checkpoint: str) -> str:
    """The precision of auxiliary models, "fp32" or "bf16", chosen as for the run's own."""
    config = AutoConfig.from_pretrained(checkpoint, revision=cell.model.revision or "main")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return precision.choose(cell.training.precision, config, device)


def build_trainer(inputs: CellInputs, seed: int, bar: Any, accumulation: int, scratch: str) -> MaskTuningTrainer:
    """The trainer of one seed, its model loaded; it writes to the folder `scratch` what transformers must write."""
    cell, method = inputs.cell, inputs.method
    # The seed alone decides what follows, whichever seeds this process has trained before.
    set_seed(seed)
    model = MaskTuningModel.from_pretrained(
        inputs.checkpoint, inputs.task.label_names, seed, revision=cell.model.revision, encoder=method.encoder
    )
    if torch.cuda.is_available():
        model.to("cuda")
    chosen = precision.choose(cell.training.precision, model.config, model.device)
    trainer = MaskTuningTrainer(
        model=model,
        args=_run_arguments(inputs, seed, accumulation, scratch, chosen),
        method=method,
        measure_gradients=True,
        advice=False,
        fast_dropout=_use_accelerators(cell.training),
        fast_word_gradient=_use_accelerators(cell.training),
        train_dataset=InMemory(inputs.train),
        eval_dataset=InMemory(inputs.curve),
        processing_class=inputs.tokenizer,
        data_collator=Padding(inputs.tokenizer),
        compute_metrics=_accuracy,
        callbacks=[] if bar is None else [_Steps(bar)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _use_accelerators(training: Training) -> bool | None:
    """The argument of each CPU accelerator of the trainer: None uses it where it pays."""
    return None if training.cpu_accelerators == "auto" else False


def _cpu_accelerators(inputs: CellInputs, trainer: MaskTuningTrainer) -> dict[str, bool | None]:
    """Which accelerators the run used, and whether the checkpoint was trained with fast dropout masks."""
    before = {"checkpoint_fast_dropout": checkpoints.used_fast_dropout(inputs.checkpoint)}
    return trainer.decide_cpu_accelerators() | before


def _run_arguments(inputs: CellInputs, seed: int, accumulation: int, scratch: str, chosen: str) -> TrainingArguments:
    steps = count_steps(inputs)
    return _arguments(
        inputs.cell.training,
        scratch,
        accumulation,
        seed=seed,
        bf16=chosen == "bf16",
        eval_strategy="steps",
        eval_steps=max(1, steps // CURVE_POINTS),
        logging_steps=max(1, steps // LOSS_POINTS),
        logging_nan_inf_filter=False,
        remove_unused_columns=False,  # there are none
    )


def _arguments(training: Training, scratch: str, accumulation: int = 1, **own: Any) -> TrainingArguments:
    """What the training of a run and of the auxiliary models that it learns from have in common."""
    return TrainingArguments(
        output_dir=scratch,
        num_train_epochs=training.epochs,
        learning_rate=training.learning_rate,
        per_device_train_batch_size=training.batch_size // accumulation,
        gradient_accumulation_steps=accumulation,
        per_device_eval_batch_size=training.batch_size * LARGER_EVALUATION_BATCH,
        warmup_steps=training.warmup_ratio,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        use_cpu=not torch.cuda.is_available(),
        train_sampling_strategy=training.sampling,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **own,
    )


class _Steps(TrainerCallback):
    """One tick of the cell's bar for each optimizer step."""

    def __init__(self, bar: Any):
        self.bar = bar

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        self.bar.update(1)


def _accuracy(output: Any) -> dict[str, float]:
    return {"accuracy": float((output.predictions.argmax(-1) == output.label_ids).mean())}


def _sample(rows: datasets.Dataset) -> datasets.Dataset:
    """At most CURVE_EXAMPLES of the rows, the same for every seed: the learning curve is a picture, not a result.

    Drawn at random: in some sets the labels take turns, and every fourth row would be of one class.
    """
    order = numpy.random.default_rng(derive(0, "learning curve")).permutation(len(rows))
    return rows.select(numpy.sort(order[:CURVE_EXAMPLES]))


def _count_cost(inputs: CellInputs, trainer: MaskTuningTrainer, seconds: dict[str, float]) -> dict[str, Any]:
    evaluated, epochs = len(inputs.evaluation), inputs.cell.training.epochs
    return record.count_cost(inputs.train, evaluated, epochs, _second_stage(inputs), trainer, seconds)


def _gpu() -> str | None:
    """The GPU of this process by the name that NVML knows it by."""
    if not torch.cuda.is_available():
        return None
    return f"GPU-{torch.cuda.get_device_properties(torch.cuda.current_device()).uuid}"


@contextmanager
def _record_time(seconds: dict[str, float], phase: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[phase] = time.perf_counter() - start
