"""python -m benchmarks: run all benchmarks, print the tables, store them in results/bench."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pandas

from benchmarks import grid, processes, report
from masktune.errors import MaskTuneError
from masktune.study.execute import cluster
from masktune.study.paths import results_root
from masktune.study.run import environment

STEP_SECONDS = 660  # of the fifteen minutes, what the training step may take before repetitions are left out
GRID = (
    ("plan 100,000 cells", grid.measure_planning, (100_000,)),
    ("gather 10,000 runs", grid.measure_gathering, (10_000, 1_000)),
    ("tables of 30,000 examples x 10 seeds x 12 methods", grid.measure_tables, (30_000, 10, 12)),
)
QUICK_GRID = (
    ("plan 300 cells", grid.measure_planning, (300,)),
    ("gather 30 runs", grid.measure_gathering, (30, 10)),
    ("tables of 60 examples x 3 seeds x 2 methods", grid.measure_tables, (60, 3, 2)),
)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    folder = options.output or (Path(tempfile.mkdtemp()) if options.quick else results_root() / "bench")
    if _on_gpu():
        folder /= "gpu"
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    try:
        for name in options.only or PARTS:
            PARTS[name](folder, options.quick)
    except MaskTuneError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    print(f"\nwritten to {folder} in {(time.perf_counter() - start) / 60:.1f} minutes")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description="What training and the grid cost, measured.")
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; may be repeated (default: all)")
    parser.add_argument("--quick", action="store_true", help="see that it runs: miniatures, to a temporary folder")
    parser.add_argument("--output", type=Path, help="the folder to write to (default: results/bench)")
    return parser


def _steps(folder: Path, quick: bool) -> None:
    """The training step: every measurement, their medians, and the ratios that were asked for."""
    from benchmarks import steps

    rows, speeds = steps.run(_sizes(quick), _histograms(), STEP_SECONDS)
    frame = pandas.DataFrame(rows)
    _write(folder, "measurements", frame)
    _show(folder, "step_cost", report.step_cost(frame))
    headline = report.headline(frame, {} if _on_gpu() else report.ASKED)
    _show(folder, "headline", headline)
    if report.ASKED_AT in set(headline["size"]):
        (folder / "headline.md").write_text(report.render_readme(headline), encoding="utf-8")
    machine = {**environment.hardware(), "packages": environment.packages(), "date": date.today().isoformat()}
    machine["matrix_product_operations_per_second"] = speeds
    (folder / "machine.json").write_text(json.dumps(machine, indent=1) + "\n", encoding="utf-8")


def _sharing(folder: Path, quick: bool) -> None:
    """How many cells at once make the most of a GPU; nothing without one, where cells share cores and not a device."""
    if _on_gpu():
        from benchmarks import sharing

        [size] = _sizes(quick)
        rows = [row for name, counts in _histograms().items() for row in sharing.run(size, name, counts)]
        _show(folder, "sharing", pandas.DataFrame(rows))


def _grid(folder: Path, quick: bool) -> None:
    """Planning, gathering and tables, each in a process of its own."""
    rows = []
    with processes.start_fresh(imported=False) as call:
        for work, function, size in QUICK_GRID if quick else GRID:
            rows.append({"work": work, **call(function, *size)})
    _show(folder, "grid", report.grid_cost(rows))


PARTS = {"steps": _steps, "sharing": _sharing, "grid": _grid}


@cache
def _on_gpu() -> bool:
    """Whether the GPU is what is measured. Torch is not asked where there is no device: importing it takes seconds."""
    if not cluster.gpus():
        return False
    import torch

    return torch.cuda.is_available()


def _sizes(quick: bool) -> list[Any]:
    from benchmarks import sizes

    if quick:
        return [sizes.MINIATURE["bert"]]
    return [sizes.GPU_SIZE] if _on_gpu() else list(sizes.SIZES.values())


def _histograms() -> dict[str, Any]:
    from benchmarks import lengths

    return {name: lengths.read_counts(name) for name in lengths.SETS}


def _show(folder: Path, name: str, frame: pandas.DataFrame) -> None:
    """Print a table and store it."""
    print(f"\n{name.replace('_', ' ')}\n{report.lay_out(frame)}", flush=True)
    _write(folder, name, frame)


def _write(folder: Path, name: str, frame: pandas.DataFrame) -> None:
    frame.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n")


if __name__ == "__main__":
    sys.exit(main())
