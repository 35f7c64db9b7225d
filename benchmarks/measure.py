"""One measurement of the training step, made in a process of its own: time, tokens, peak memory, operations."""

import json
import os
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import psutil
import torch
from torch.profiler import ProfilerActivity, profile
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.utils import logging

from benchmarks import arms, lengths, operations
from benchmarks.sizes import MINIATURE, Size
from masktune.training.sampling import lengths_of

EPOCH = 400  # batches of the epoch that the measured ones are taken from; fewer would be grouped in smaller pools


@dataclass(frozen=True)
class Task:
    """What is measured: one arm, one size, one distribution of lengths (the name and its counts), one repetition."""

    arm: str
    size: Size
    lengths: str
    histogram: numpy.ndarray
    repetition: int


def measure(task: Task) -> dict[str, Any]:
    """Train the steps of `task.size` and return what they took, as a row of measurements.csv.

    Seconds run from the end of the warm-up to the end of the last step: reading and padding of batches, the passes,
    clipping, optimizer. Tokens (without padding) and operations are the epoch's, in proportion to the examples.
    Memory is what training took beyond the imports: weights, gradients, optimizer state, activations. On a GPU
    `peak_bytes` is the most that torch held at once, for a CPU see `measure_peak_memory`; `resident_bytes`, of a CPU
    alone, is the highest resident memory of the process less that before the model was made: what is held, and what
    malloc could not use again.
    """
    rehearse(task)
    before = psutil.Process().memory_info().rss
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    timer = Timer()
    trainer = train(task.arm, task.size, task.histogram, task.repetition, timer)
    tokens: numpy.ndarray = numpy.array(lengths_of(trainer.train_dataset))
    examples = task.size.steps * task.size.batch_size
    share = examples / len(tokens)
    return {
        "size": task.size.name,
        "lengths": task.lengths,
        "arm": task.arm,
        "repetition": task.repetition,
        "precision": "bf16" if trainer.args.bf16 else "fp32",
        "batch_size": task.size.batch_size,
        "steps": task.size.steps,
        "examples": examples,
        "tokens": share * int(tokens.sum()),
        "seconds": timer.end.seconds - timer.start.seconds,
        "stolen": timer.end.stolen_since(timer.start),
        **_memory(before),
        "operations": share * count_operations(task.arm, task.size, tokens),
    }


def rehearse(task: Task) -> None:
    """Train a miniature of the arm: everything is loaded and has run once."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    train(task.arm, MINIATURE[task.size.family], task.histogram, task.repetition, Timer())


def _memory(before: int) -> dict[str, int | None]:
    if torch.cuda.is_available():
        return {"peak_bytes": torch.cuda.max_memory_allocated(), "resident_bytes": None}
    return {"peak_bytes": None, "resident_bytes": _highest_resident() - before}


def measure_peak_memory(task: Task) -> int:
    """The most that torch holds at once on a CPU, in bytes, in a step on the longest batch.

    Every allocation is recorded, from the making of the model to the end of the last backward pass of the first step,
    which is that on the longest batch. The optimizer's state, which is made after it and stays, is added.
    """
    rehearse(task)
    recorder = Recorder()
    trainer = train(task.arm, task.size, task.histogram, task.repetition, recorder)
    with tempfile.TemporaryDirectory(prefix="masktune-") as folder:
        trace = Path(folder) / "trace.json"
        recorder.profiler.export_chrome_trace(str(trace))
        events = json.loads(trace.read_bytes())["traceEvents"]
    assert trainer.optimizer is not None  # it has trained
    state = (value for values in trainer.optimizer.state.values() for value in values.values())
    most = max(event["args"]["Total Allocated"] for event in events if event["name"] == "[memory]")
    return most + sum(value.nbytes for value in state)


def count_operations(arm: str, size: Size, tokens: numpy.ndarray) -> float:
    """The operations that the arm's method cannot do without, however the arm does it."""
    if arm == "naive" or arm in arms.MASK_TUNING:
        return operations.mask_tuning(size, tokens, arms.MASK_RATE)
    return operations.fine_tuning(size, tokens)


def product_speed(precision: str) -> float:
    """Operations a second of a large matrix product in that precision: the speed that arithmetic alone allows."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    side = 8192 if device == "cuda" else 1536
    matrix = torch.randn(side, side, device=device, dtype=kind)
    best = float("inf")
    for _ in range(30):
        start = now()
        matrix @ matrix
        best = min(best, now() - start)
    return 2 * side**3 / best


def train(arm: str, size: Size, histogram: numpy.ndarray, repetition: int, timer: TrainerCallback) -> arms.FewBatches:
    """Train the few batches of an epoch of examples with these lengths; the Trainer as it is afterwards."""
    drawn = lengths.quantiles(histogram, EPOCH * size.batch_size)
    numpy.random.default_rng(repetition).shuffle(drawn)
    with tempfile.TemporaryDirectory(prefix="masktune-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Trainer's defaults, pinned memory without a GPU among them
        trainer = arms.make_trainer(arm, size, arms.make_examples(size, drawn, repetition), timer, folder, repetition)
        trainer.train()
    return trainer


class Timer(TrainerCallback):
    """The clock at the end of the warm-up and at the end of the last step."""

    start: "Moment"
    end: "Moment"

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        if state.global_step == arms.WARM_UP:
            self.begin()
        if state.global_step == state.max_steps:
            self.end = Moment.now()

    def begin(self) -> None:
        self.start = Moment.now()


class Recorder(TrainerCallback):
    """Records every allocation from now on, until the first step has its gradients; that step is the last."""

    def __init__(self) -> None:
        self.profiler = profile(activities=[ProfilerActivity.CPU], profile_memory=True)
        with _silence_stderr():
            self.profiler.start()

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: Any
    ) -> None:
        with _silence_stderr():
            self.profiler.stop()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        control.should_training_stop = True


@contextmanager
def _silence_stderr() -> Iterator[None]:
    """Libraries of torch write to the terminal past Python; within the block that goes nowhere."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def now() -> float:
    """The clock, once a GPU has done all it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


@dataclass(frozen=True)
class Moment:
    """The clock, and the seconds of all cores that went to other guests of the same hardware (0 where none tells)."""

    seconds: float
    stolen: float

    @classmethod
    def now(cls) -> "Moment":
        return cls(now(), getattr(psutil.cpu_times(), "steal", 0.0))

    def stolen_since(self, start: "Moment") -> float:
        """The share of this machine that others had since then."""
        return (self.stolen - start.stolen) / (self.seconds - start.seconds) / psutil.cpu_count()


def _highest_resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
