"""How long cells will take, from what their finished runs took."""

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

from masktune.study.design.cells import Cell
from masktune.study.store import runs

PHASES = ("model_seconds", "train_seconds", "curve_seconds", "evaluate_seconds")
RUNS_READ = 2


class Estimate:
    """Seconds of one run of a cell: the mean of its finished runs, else of finished runs of its model and task.

    `done` are the runs whose folders are here. Where a cell has none of them, as after cloning, its `gathered` rows by
    run id say what its runs took.
    """

    def __init__(self, cells: Iterable[Cell], done: set[str], gathered: Mapping[str, Mapping[str, Any]] | None = None):
        self.by_cell: dict[str, float] = {}
        alike: dict[tuple[str, str], list[float]] = {}
        for cell in cells if done or gathered else ():
            costs = _read_costs(cell, done) or _gathered_costs(cell, gathered or {})
            if costs:
                self.by_cell[cell.id] = fmean(_seconds(cell, cost) for cost in costs)
                alike.setdefault((cell.model.name, cell.task), []).append(self.by_cell[cell.id])
        self.by_group = {group: fmean(seconds) for group, seconds in alike.items()}

    def run_seconds(self, cell: Cell) -> float | None:
        """Seconds of one run of the cell; None when nothing like it has finished."""
        return self.by_cell.get(cell.id, self.by_group.get((cell.model.name, cell.task)))

    def weight(self, cell: Cell, count: int) -> tuple[float, float]:
        """A key by which long cells come first: seconds of `count` runs where known, before that a rough guess."""
        seconds = self.run_seconds(cell)
        guess = count * cell.training.epochs * (1 if cell.method == "fine_tuning" else 2)
        return (float("inf") if seconds is None else seconds * count, guess)


def _read_costs(cell: Cell, done: set[str]) -> list[Mapping[str, Any]]:
    """The costs of some runs of a cell whose folders are here."""
    ids = [run_id for run_id in map(cell.run_id, cell.seeds) if run_id in done][:RUNS_READ]
    return [runs.read_json(runs.run_folder(cell.study, run_id) / "cost.json") for run_id in ids]


def _gathered_costs(cell: Cell, gathered: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    rows = [gathered[run_id] for run_id in map(cell.run_id, cell.seeds) if run_id in gathered]
    return [row for row in rows if row.get("train_seconds") is not None]


def _seconds(cell: Cell, cost: Mapping[str, Any]) -> float:
    """Seconds of the run's own phases, and its share of what is prepared once for all seeds of the cell."""
    own = sum(cost.get(phase) or 0.0 for phase in PHASES)
    return own + (cost.get("prepare_seconds") or 0.0) / len(cell.seeds)


def format_seconds(seconds: float) -> str:
    """A duration as "about 40 s", "about 12 min" or "about 3.5 h"."""
    if seconds < 90:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
