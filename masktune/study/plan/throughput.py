"""How long the training of a study would take on a machine whose training steps were measured.

`python -m benchmarks` stores milliseconds an example for published shapes of models at the lengths of real sets: in
results/bench for a machine without GPU, in results/bench/gpu for one with. A model counts as the shape that it has or
comes close to, a task as the lengths that are like its own; a method without a measured step counts as fine-tuning
times its forward passes. Evaluation and auxiliary models are left out, so that this is less than the whole.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masktune.study.design.cells import Cell, build_method
from masktune.study.paths import results_root

MEASURE = "python -m benchmarks --only steps"
# Which checkpoints have a shape of the benchmarks, or come close: RoBERTa and BART base are as wide as BERT base.
SHAPES = {
    "base": re.compile(r"(bert-base|roberta-base|bart-base|L-12_H-768)"),
    "MiniLM": re.compile(r"minilm-l6", re.IGNORECASE),
    "tiny": re.compile(r"(bert-tiny|L-2_H-128)"),
}
LENGTHS = {"sentiment": "SST-2", "inference": "MNLI", "paraphrase": "MNLI"}  # pairs of questions are about as long
ARMS = {"fine_tuning": "(c) our fine-tuning", "mask_tuning": "(d) our Mask-tuning"}


@dataclass(frozen=True)
class Measured:
    """A machine, and its milliseconds an example by (shape, lengths, arm)."""

    machine: str
    has_gpu: bool
    milliseconds: Mapping[tuple[str, str, str], float]

    def train_seconds(self, cell: Cell) -> float | None:
        """Seconds of training of one run; None where no shape that was measured is like the model."""
        shape = shape_of(cell.model.checkpoint)
        arm = ARMS.get(cell.method, ARMS["fine_tuning"])
        each = self.milliseconds.get((shape or "", LENGTHS.get(cell.task, ""), arm))
        if each is None:
            return None
        passes = 1 if cell.method in ARMS else build_method(cell.method, cell.options).passes()[0]
        return each / 1000 * passes * cell.training.epochs * _examples(cell)


def shape_of(checkpoint: str) -> str | None:
    """The measured shape that a checkpoint has; None where none is like it."""
    return next((shape for shape, pattern in SHAPES.items() if pattern.search(checkpoint)), None)


def _examples(cell: Cell) -> int:
    from masktune.data.catalogue import card  # real data bring `datasets`, which takes seconds to import
    from masktune.data.real import TASKS

    return cell.training.train_examples or card(TASKS[cell.task].train).rows


def read() -> list[Measured]:
    """Every machine whose steps are stored, GPUs last."""
    folders = (results_root() / "bench", results_root() / "bench" / "gpu")
    return [_read(folder) for folder in folders if (folder / "step_cost.csv").is_file()]


def _read(folder: Path) -> Measured:
    with (folder / "step_cost.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    path = folder / "machine.json"
    machine: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    cost = {(row["size"], row["lengths"], row["arm"]): float(row["ms_per_example"]) for row in rows}
    name = machine.get("gpu") or f"{machine.get('cores', 'unknown')} cores of {machine.get('processor', 'a processor')}"
    return Measured(name, bool(machine.get("gpu")), cost)


def describe(cells: Iterable[Cell], left: Mapping[str, int]) -> list[str]:
    """A line for each machine, and how to measure a GPU where none was. `left`: runs to do, by the id of their cell.

    Nothing where the data are made on the spot: their runs are timed as they finish.
    """
    real = [cell for cell in cells if cell.data == "real" and left.get(cell.id)]
    if not real:
        return []
    machines = read()
    lines = [_line(machine, real, left) for machine in machines]
    if not any(machine.has_gpu for machine in machines):
        lines.append(f"training on a GPU: not measured; `{MEASURE}` on one takes minutes, and plan then says its hours")
    return lines


def _line(machine: Measured, cells: list[Cell], left: Mapping[str, int]) -> str:
    known = {cell.id: seconds for cell in cells if (seconds := machine.train_seconds(cell)) is not None}
    unknown = dict.fromkeys(cell.model.name for cell in cells if cell.id not in known)
    others = f"; not measured for {', '.join(unknown)}" if unknown else ""
    if not known:
        return f"training on {machine.machine}: not measured for these models"
    hours = sum(seconds * left[name] for name, seconds in known.items()) / 3600
    return (
        f"training alone on {machine.machine}, by measured steps: about {hours:,.0f} h, one run after another{others}"
    )
