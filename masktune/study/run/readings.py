"""The accuracy of every evaluation set at the end of each epoch, where a study asks for it: readings = "epochs".

When a run is read matters: out of distribution, accuracy can fall while it still rises in distribution. A reading is an
entry of the training log, {"step", "epoch", "reading/<set>": share of right answers}; the last one is the result of the
run. Training goes on as if nothing had been read: evaluation draws from no generator that training draws from.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from masktune.study.store.stored import READING


class Readings(TrainerCallback):
    """Reads at the end of each epoch but the last, whose reading is the evaluation of the run itself.

    `accuracy` evaluates the model as it is: {set: share}. `seconds` is what that took.
    """

    def __init__(self, accuracy: Callable[[], Mapping[str, float]]):
        self.accuracy = accuracy
        self.seconds = 0.0

    def on_epoch_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        if state.global_step < state.max_steps:
            start = time.perf_counter()
            with untouched_generators():
                state.log_history.append(entry(state, self.accuracy()))
            self.seconds += time.perf_counter() - start


def entry(state: TrainerState, accuracy: Mapping[str, float]) -> dict[str, float]:
    """What the training log says of a reading."""
    assert state.epoch is not None  # it has been trained
    return {"epoch": state.epoch, "step": state.global_step} | {f"{READING}{name}": of for name, of in accuracy.items()}


@contextmanager
def untouched_generators() -> Iterator[None]:
    """Generators of torch and numpy are afterwards as they were: a data loader draws a number when it begins."""
    numbers = numpy.random.get_state()
    with torch.random.fork_rng():
        yield
    numpy.random.set_state(numbers)
