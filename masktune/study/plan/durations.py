"""How long cells will take, from what their finished runs took."""

from collections.abc import Iterable
from statistics import fmean

from masktune.study.design.cells import Cell
from masktune.study.store import runs

PHASES = ("model_seconds", "train_seconds", "curve_seconds", "evaluate_seconds")
RUNS_READ = 2


class Estimate:
    """Seconds of one run of a cell: the mean of its finished runs, else of finished runs of its model and task."""

    def __init__(self, cells: Iterable[Cell], done: set[str]):
        self.by_cell: dict[str, float] = {}
        alike: dict[tuple[str, str], list[float]] = {}
        for cell in cells if done else ():
            ids = [run_id for run_id in map(cell.run_id, cell.seeds) if run_id in done][:RUNS_READ]
            if ids:
                self.by_cell[cell.id] = fmean(_seconds(cell, run_id) for run_id in ids)
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


def _seconds(cell: Cell, run_id: str) -> float:
    """Seconds of the run's own phases, and its share of what is prepared once for all seeds of the cell."""
    cost = runs.read_json(runs.run_folder(cell.study, run_id) / "cost.json")
    own = sum(cost.get(phase) or 0.0 for phase in PHASES)
    return own + (cost.get("prepare_seconds") or 0.0) / len(cell.seeds)


def format_seconds(seconds: float) -> str:
    """A duration as "about 40 s", "about 12 min" or "about 3.5 h"."""
    if seconds < 90:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
