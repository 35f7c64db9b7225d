"""All measurements of the training step: the arms interleaved (a a' b c d, a a' b c d), sizes and lengths in turn."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy

from benchmarks import measure, processes
from benchmarks.report import ARMS
from benchmarks.sizes import Size

PADDED_STEPS = 2  # all batches padded to one length cost the same
NAIVE_SHARE = 0.5  # of the others' steps: they are long, and its ratio is the one that is clear at a glance
SINGLE = ("torch_dropout", "torch_word_gradient", "torch_both")  # arms of the sizes that ask for them
OURS = ("fine_tuning", "mask_tuning", *SINGLE)
OUR_STEPS = 4  # times as many as of the others: they are short, and their ratio is what is looked at most closely
DISTURBED = 0.05  # share of the machine that other guests had: a measurement with more of it is made again
ATTEMPTS = 3


def run(
    sizes: Iterable[Size],
    histograms: dict[str, numpy.ndarray],
    seconds: float = float("inf"),
    say: Callable[[str], None] = print,
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """(a row for each measurement, operations a second of a matrix product in fp32 and in bf16).

    Every arm is measured at least once; a repetition that would end after `seconds` is left out, the last ones of the
    sizes with few repetitions first.
    """
    start = time.perf_counter()
    jobs = [(each, size, name) for size in sizes for each in range(size.repetitions) for name in histograms]
    rows: list[dict[str, Any]] = []
    took: dict[tuple[Size, str], float] = {}
    memory: dict[tuple[Size, str, str], int] = {}
    with processes.start_fresh() as call:
        speeds = {precision: call(measure.product_speed, precision) for precision in ("fp32", "bf16")}
        for repetition, size, name in sorted(jobs, key=lambda job: job[0] - job[1].repetitions):
            begun = time.perf_counter()
            if begun - start + took.get((size, name), -float("inf")) > seconds:
                continue
            for arm in _arms(size):
                task = _task(arm, size, name, histograms[name], repetition)
                row = _measure_undisturbed(call, task)
                if row["peak_bytes"] is None:
                    # The same in every repetition: no clock and no other program has a part in it.
                    place = size, name, arm
                    row["peak_bytes"] = memory[place] = memory.get(place) or call(measure.measure_peak_memory, task)
                rows.append(row)
                say(describe(row))
            took[size, name] = time.perf_counter() - begun
    for row in rows:
        row["bound_seconds"] = row["operations"] / speeds[row["precision"]]
    return rows, speeds


def _arms(size: Size) -> list[str]:
    return [arm for arm in ARMS if size.single or arm not in SINGLE]


def _measure_undisturbed(call: Callable[..., Any], task: measure.Task) -> dict[str, Any]:
    """The least disturbed of at most ATTEMPTS measurements. Whether one counts never depends on the time it took."""
    tried: list[dict[str, Any]] = []
    while len(tried) < ATTEMPTS and (not tried or tried[-1]["stolen"] > DISTURBED):
        tried.append(call(measure.measure, task))
    return min(tried, key=lambda row: row["stolen"])


def _task(arm: str, size: Size, name: str, histogram: numpy.ndarray, repetition: int) -> measure.Task:
    if arm == "stock_padded":
        size = replace(size, steps=min(PADDED_STEPS, size.steps))
    if arm == "naive":
        size = replace(size, steps=math.ceil(NAIVE_SHARE * size.steps))
    if arm in OURS:
        size = replace(size, steps=OUR_STEPS * size.steps)
    return measure.Task(arm, size, name, histogram, repetition)


def describe(row: dict[str, Any]) -> str:
    """One measurement in a line."""
    each = 1000 * row["seconds"] / row["examples"]
    memory = row["peak_bytes"] / 2**20
    place = f"{row['size']}, {row['lengths']}, repetition {row['repetition'] + 1}"
    others = f", {row['stolen']:.0%} of the machine taken by others" if row["stolen"] > DISTURBED else ""
    return f"{place}: {ARMS[row['arm']]} ({row['precision']}): {each:.1f} ms an example, {memory:,.0f} MiB{others}"
