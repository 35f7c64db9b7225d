"""How many cells at once make the most of one GPU: several processes train on it side by side."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from threading import BrokenBarrierError
from typing import Any

import numpy
import torch

from benchmarks import measure
from benchmarks.sizes import Size

CELLS = (1, 2, 3, 4, 6, 8)
LONGEST_WAIT = 600  # seconds that one process may warm up later than another
AT_ONCE: Any = None  # in a process that trains: the barrier at which all wait for each other


def run(size: Size, lengths: str, histogram: numpy.ndarray, cells: tuple[int, ...] = CELLS) -> list[dict[str, Any]]:
    """A row for each number of cells at once: examples a second of all of them together.

    The clock runs from the moment when all have warmed up to the end of the last. A number of cells that the GPU's
    memory does not hold has a row without a speed, and larger numbers are not tried.
    """
    rows = []
    for count in cells:
        speed = train_together(count, size, lengths, histogram)
        rows.append({"size": size.name, "lengths": lengths, "cells": count, "examples_per_second": speed})
        if speed is None:
            break
    return rows


def train_together(count: int, size: Size, lengths: str, histogram: numpy.ndarray) -> float | None:
    """Examples a second of `count` processes that mask-tune side by side; None where memory does not suffice."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count)
    with ProcessPoolExecutor(count, mp_context=context, initializer=_share, initargs=(barrier,)) as pool:
        futures = [pool.submit(_train_one, size, histogram, number) for number in range(count)]
    errors = [error for future in futures if (error := future.exception())]
    if any(isinstance(error, torch.OutOfMemoryError) for error in errors):
        return None
    if errors:
        # Whoever waited in vain for another does not know why.
        raise min(errors, key=lambda error: isinstance(error, BrokenBarrierError))
    starts, ends = zip(*(future.result() for future in futures), strict=True)
    return count * size.steps * size.batch_size / (max(ends) - min(starts))


def _share(barrier: Any) -> None:
    global AT_ONCE
    AT_ONCE = barrier


def _train_one(size: Size, histogram: numpy.ndarray, number: int) -> tuple[float, float]:
    """Begin and end of one process's training by a clock that all share. One that fails lets the others go."""
    timer = _Together()
    try:
        measure.train("mask_tuning", size, histogram, number, timer)
    except Exception:
        AT_ONCE.abort()
        raise
    return timer.start.seconds, timer.end.seconds


class _Together(measure.Timer):
    """The clock starts when every process has warmed up."""

    def begin(self) -> None:
        AT_ONCE.wait(LONGEST_WAIT)
        super().begin()
