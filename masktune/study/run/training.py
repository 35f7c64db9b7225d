"""Train one seed of a cell, and predict every evaluation set: what a run's folder is made of."""

import math
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from types import SimpleNamespace
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
    TrainingArguments,
    set_seed,
)
from transformers.utils import logging

from masktune import data, methods
from masktune.data import encode
from masktune.data.tasks import EvaluationSet, TaskData
from masktune.models.joint import MaskTuningModel
from masktune.pretraining import checkpoints
from masktune.streams import derive
from masktune.study.run import energy, environment
from masktune.study.spec.cells import Cell, Training
from masktune.training import precision
from masktune.training.collate import InMemory, Padding
from masktune.training.features import CachedFeatureBuilder
from masktune.training.sampling import StagePlan, lengths_of
from masktune.training.trainer import MaskTuningTrainer

CURVE_POINTS = 4
CURVE_EXAMPLES = 120
LOSS_POINTS = 25
LARGER_EVALUATION_BATCH = 4
COLUMNS = ("example_id", "cluster_id", "group")


@dataclass(frozen=True)
class Workbench:
    """What all seeds of a cell share, loaded and tokenised once.

    `train` has what the method must know of each example (masktune.training.features). `evaluation` holds the examples
    of every set one after the other, `columns` what is stored of them; `seconds` what loading, tokenising and preparing
    took. What other cells have prepared counts as it did for them.
    """

    cell: Cell
    task: TaskData
    checkpoint: str
    tokenizer: PreTrainedTokenizerBase
    train: datasets.Dataset
    curve: datasets.Dataset
    evaluation: datasets.Dataset
    columns: pyarrow.Table
    seconds: dict[str, float] = field(default_factory=dict)


def open_workbench(cell: Cell) -> Workbench:
    """Load the data and the checkpoint of a cell and tokenise: what is needed before its first seed."""
    quiet()
    environment.source()  # read now: the files may be edited while the seeds are trained
    seconds: dict[str, float] = {}
    with _timed(seconds, "load"):
        task = data.load(cell.data, cell.task, train_examples=cell.training.train_examples)
        task = task.also_cut_to(cell.training.evaluation_lengths)
        checkpoint = checkpoints.prepare(cell.model, cell.task)
        task = replace(task, digests=task.digests | checkpoints.digests(cell.model))
        tokenizer = AutoTokenizer.from_pretrained(checkpoint, revision=cell.model.revision or "main")
    with _timed(seconds, "tokenise"):
        train = encode.encode(task.train, tokenizer, cell.training.max_length)
        encoded = [encode.encode(part.examples, tokenizer, part.max_length) for part in task.evaluation]
        curve = encoded[[part.kind for part in task.evaluation].index("in_distribution")]
    args = _arguments(cell.training, tempfile.gettempdir(), bf16=_numbers(cell, checkpoint) == "bf16")
    builder = CachedFeatureBuilder(train, tokenizer, args, checkpoint, task.label_names, cell.model.revision)
    train = builder.prepare(methods.build(cell.method, **cell.options))
    seconds["prepare"] = sum(builder.seconds.values())
    columns = pyarrow.concat_tables([_columns(part) for part in task.evaluation])
    evaluation = datasets.concatenate_datasets(encoded)
    return Workbench(cell, task, checkpoint, tokenizer, train, _sample(curve), evaluation, columns, seconds)


def train_seed(bench: Workbench, seed: int, bar: Any = None) -> tuple[dict[str, Any], pyarrow.Table]:
    """Train and evaluate one seed. Returns the records and predictions that runs.write stores.

    `bar` is updated by one at each optimizer step. A GPU without enough memory is tried once more with half the
    micro-batch, two of them to a step.
    """
    try:
        return _train_seed(bench, seed, bar, accumulation=1)
    except torch.OutOfMemoryError:
        if bench.cell.training.batch_size % 2:
            raise
        torch.cuda.empty_cache()
    return _train_seed(bench, seed, bar, accumulation=2)


def quiet() -> None:
    """No bars for what takes a moment: the cell has one bar of its own."""
    datasets.disable_progress_bars()
    logging.disable_progress_bar()


def steps_of(bench: Workbench) -> int:
    """Optimizer steps of one seed."""
    training, plan = bench.cell.training, _second_stage(bench)
    if plan is not None:
        return plan.steps
    return math.ceil(training.epochs * math.ceil(len(bench.train) / training.batch_size))


def _second_stage(bench: Workbench) -> StagePlan | None:
    training, stage = bench.cell.training, methods.build(bench.cell.method, **bench.cell.options).second_stage
    return None if stage is None else StagePlan.of(stage, bench.train, int(training.epochs), training.batch_size)


def _train_seed(bench: Workbench, seed: int, bar: Any, accumulation: int) -> tuple[dict[str, Any], pyarrow.Table]:
    seconds: dict[str, float] = {}
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory(prefix="masktune-") as scratch, energy.measured(_gpu()) as drawn:
        with _timed(seconds, "model"):
            trainer = build_trainer(bench, seed, bar, accumulation, scratch)
        with _timed(seconds, "train"):
            trainer.train()
        with _timed(seconds, "evaluate"):
            logits = trainer.predict(InMemory(bench.evaluation)).predictions
    curve = sum(entry.get("eval_runtime", 0.0) for entry in trainer.state.log_history)
    seconds |= {"train": seconds["train"] - curve, "curve": curve}
    predictions = _predictions(bench, numpy.asarray(logits, dtype=numpy.float32))
    used = "bf16" if trainer.args.bf16 else "fp32"
    records = {
        "run": _definition(bench.cell, seed),
        "metrics": _metrics(predictions),
        "environment": environment.describe(
            used, accumulation, bench.task.digests, bench.checkpoint, _cpu_accelerators(bench, trainer)
        ),
        "cost": _cost(bench, trainer, {**bench.seconds, **seconds}) | drawn,
        "history": trainer.state.log_history,
    }
    return records, predictions


def _numbers(cell: Cell, checkpoint: str) -> str:
    """The precision of auxiliary models, "fp32" or "bf16", chosen as for the run's own."""
    config = AutoConfig.from_pretrained(checkpoint, revision=cell.model.revision or "main")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return precision.choose(cell.training.precision, SimpleNamespace(config=config, device=device))


def build_trainer(bench: Workbench, seed: int, bar: Any, accumulation: int, scratch: str) -> MaskTuningTrainer:
    """The trainer of one seed, its model loaded; it writes to the folder `scratch` what transformers must write."""
    cell = bench.cell
    method = methods.build(cell.method, **cell.options)
    # The seed alone decides what follows, whichever seeds this process has trained before.
    set_seed(seed)
    model = MaskTuningModel.from_pretrained(
        bench.checkpoint, bench.task.label_names, seed, revision=cell.model.revision, encoder=method.encoder
    )
    if torch.cuda.is_available():
        model.to("cuda")
    accelerate = None if cell.training.cpu_accelerators == "auto" else False
    trainer = MaskTuningTrainer(
        model=model,
        args=_run_arguments(bench, seed, accumulation, scratch, precision.choose(cell.training.precision, model)),
        method=method,
        measure_gradients=True,
        fast_dropout=accelerate,
        fast_word_gradient=accelerate,
        train_dataset=InMemory(bench.train),
        eval_dataset=InMemory(bench.curve),
        processing_class=bench.tokenizer,
        data_collator=Padding(bench.tokenizer),
        compute_metrics=_accuracy,
        callbacks=[] if bar is None else [_Steps(bar)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _cpu_accelerators(bench: Workbench, trainer: MaskTuningTrainer) -> dict[str, bool | None]:
    """Which accelerators the run used, and whether the checkpoint was trained with fast dropout masks."""
    before = {"checkpoint_fast_dropout": checkpoints.used_fast_dropout(bench.checkpoint)}
    return trainer.decide_cpu_accelerators() | before


def _run_arguments(bench: Workbench, seed: int, accumulation: int, scratch: str, numbers: str) -> TrainingArguments:
    steps = steps_of(bench)
    return _arguments(
        bench.cell.training,
        scratch,
        accumulation,
        seed=seed,
        bf16=numbers == "bf16",
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

    def on_step_end(self, args, state, control, **rest) -> None:
        self.bar.update(1)


def _accuracy(output: Any) -> dict[str, float]:
    return {"accuracy": float((output.predictions.argmax(-1) == output.label_ids).mean())}


def _sample(rows: datasets.Dataset) -> datasets.Dataset:
    """At most CURVE_EXAMPLES of the rows, the same for every seed: the learning curve is a picture, not a result.

    Drawn at random: in some sets the labels take turns, and every fourth row would be of one class.
    """
    order = numpy.random.default_rng(derive(0, "learning curve")).permutation(len(rows))
    return rows.select(numpy.sort(order[:CURVE_EXAMPLES]))


def _columns(part: EvaluationSet) -> pyarrow.Table:
    count = len(part.examples)
    named = {"set": pyarrow.array([part.name] * count), "kind": pyarrow.array([part.kind] * count)}
    texts = {name: pyarrow.array(part.examples[name][:], pyarrow.string()) for name in COLUMNS}
    return pyarrow.table({**named, **texts, "label": pyarrow.array(part.examples["label"][:], pyarrow.int16())})


def _predictions(bench: Workbench, logits: numpy.ndarray) -> pyarrow.Table:
    """The stored table: what is known of each example, the predicted label in the terms of its set, logits [C]."""
    classes = logits.argmax(-1)
    start = 0
    for part in bench.task.evaluation:
        stop = start + len(part.examples)
        if part.fold is not None:
            classes[start:stop] = numpy.asarray(part.fold)[classes[start:stop]]
        start = stop
    offsets = numpy.arange(0, logits.size + 1, logits.shape[1], dtype=numpy.int32)
    lists = pyarrow.ListArray.from_arrays(offsets, logits.ravel())
    table = bench.columns.append_column("prediction", pyarrow.array(classes, pyarrow.int16()))
    return table.append_column("logits", lists)


def _metrics(predictions: pyarrow.Table) -> dict[str, dict[str, float]]:
    frame = predictions.select(["set", "label", "prediction"]).to_pandas()
    right = (frame["label"] == frame["prediction"]).groupby(frame["set"], sort=False)
    return {"accuracy": right.mean().to_dict(), "n": {name: int(count) for name, count in right.size().items()}}


def _definition(cell: Cell, seed: int) -> dict[str, Any]:
    method = methods.build(cell.method, **cell.options)
    model = {"revision": None, "adaptation": None} | cell.model.settings()
    written_out = {"options": method.settings(), "training": asdict(cell.training), "model": model}
    names = {name: getattr(cell, name) for name in ("study", "label", "data", "task", "method")}
    ids = {"run_id": cell.run_id(seed), "cell_id": cell.id}
    return ids | names | written_out | {"seed": seed, "identity": {"cell": cell.identity, "seed": seed}}


def _cost(bench: Workbench, trainer: MaskTuningTrainer, seconds: dict[str, float]) -> dict[str, Any]:
    """Loading and tokenising are the cell's, the other phases the seed's. Tokens are counted without padding.

    `parameters` are those of the classifier, the model that is kept; what a method trains besides is not counted.
    """
    lengths, epochs, plan = lengths_of(bench.train), bench.cell.training.epochs, _second_stage(bench)
    again = [] if plan is None else [lengths[row] for row in plan.rows] * plan.passes
    examples, tokens = round(epochs * len(lengths)) + len(again), round(epochs * sum(lengths)) + sum(again)
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        **{f"{phase}_seconds": round(value, 4) for phase, value in seconds.items()},
        "steps": trainer.state.global_step,
        "train_examples": examples,
        "train_tokens": tokens,
        "train_examples_per_second": round(examples / seconds["train"], 2),
        "train_tokens_per_second": round(tokens / seconds["train"], 2),
        "evaluated_examples": len(bench.evaluation),
        "parameters": trainer.model.classifier.num_parameters(),
        "hardware": environment.hardware(),
        "device_peak_bytes": torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None,
        "process_peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
    }


def _gpu() -> str | None:
    """The GPU of this process by the name that NVML knows it by."""
    if not torch.cuda.is_available():
        return None
    return f"GPU-{torch.cuda.get_device_properties(torch.cuda.current_device()).uuid}"


@contextmanager
def _timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[phase] = time.perf_counter() - start
