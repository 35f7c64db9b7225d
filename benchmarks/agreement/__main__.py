"""python -m benchmarks.agreement: hold what masktune computes against what others wrote; writes results/agreement.

    python -m benchmarks.agreement --study embedded --task sentiment --seeds 10
    MASKTUNE_MIRROR=... python -m benchmarks.agreement --study collapse --model adapted-0 --seeds 5 --jobs 2 \
        --only fine_tuning
    python -m benchmarks.agreement --only processors --study embedded --other ../elsewhere/results
    python -m benchmarks.agreement --only tables

What is measured is added to the CSV files, run by run, so that it may be measured on several machines and resumed.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas

from masktune.errors import MaskTuneError, one_of
from masktune.study.design.cells import Cell
from masktune.study.design.load import load_study
from masktune.study.design.parsing import seeds_of
from masktune.study.paths import results_root, studies

RUNS, START, COUNTS = "fine_tuning_runs.csv", "same_start.csv", "masking_counts.csv"
ELSEWHERE, VERDICTS = "processor_runs.csv", "processor_verdicts.csv"
SEEDS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    folder = options.output or results_root() / "agreement"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for name in options.only or PARTS:
            PARTS[name](folder, options)
    except MaskTuneError as error:
        print(f"benchmarks.agreement: {error}", file=sys.stderr)
        return 2
    print(f"written to {folder}")
    return 0


def _parser() -> argparse.ArgumentParser:
    summary = "What masktune computes, held against what others wrote."
    parser = argparse.ArgumentParser("python -m benchmarks.agreement", description=summary)
    parser.add_argument("--study", default="embedded", help="whose data, models and settings (default: embedded)")
    parser.add_argument("--model", help="a model of the study (default: its first)")
    parser.add_argument("--task", help="a task of the study (default: its first)")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"so many of each side (default: {SEEDS})")
    parser.add_argument("--first-seed", type=int, default=0, help="the first of them (default: 0)")
    parser.add_argument("--train-examples", type=int, help="train on so many (default: as the study says)")
    parser.add_argument("--jobs", type=int, default=1, help="seeds at a time, in processes of their own (default: 1)")
    parser.add_argument("--other", type=Path, help="processors: the folder results/ of another machine's checkout")
    parser.add_argument("--output", type=Path, help="the folder to write to (default: results/agreement)")
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; may be repeated (default: all)")
    return parser


def _cell(options: argparse.Namespace, seeds: Sequence[int]) -> Cell:
    """The cell of plain fine-tuning that the study declares, the longest of several, with these seeds."""
    from dataclasses import replace

    study = load_study(options.study)
    cells = [cell for cell in study.cells if cell.method == "fine_tuning" and not cell.data_options]
    model = one_of(options.model or cells[0].model.name, dict.fromkeys(cell.model.name for cell in cells), "model")
    tasks = dict.fromkeys(cell.task for cell in cells if cell.model.name == model)
    task = one_of(options.task or next(iter(tasks)), tasks, f"task of {model}")
    here = [cell for cell in cells if (cell.model.name, cell.task) == (model, task)]
    cell = max(here, key=lambda cell: cell.training.epochs)
    chosen = cell.training
    if options.train_examples is not None:
        chosen = replace(chosen, train_examples=options.train_examples)
    return replace(cell, seeds=tuple(seeds), training=chosen)


def _fine_tuning(folder: Path, options: argparse.Namespace) -> None:
    """Train what is not measured yet; every run is stored when it ends."""
    from benchmarks.agreement import fine_tuning

    if options.seeds < 1 or options.jobs < 1 or options.first_seed < 0:
        raise MaskTuneError("--seeds and --jobs are at least 1, --first-seed at least 0")
    seeds = [options.first_seed + number for number in seeds_of(options.seeds)]
    cell, path = _cell(options, seeds), folder / RUNS
    rows = _read(path)
    done = set() if rows.empty else set(rows[fine_tuning.KEY].drop_duplicates().itertuples(index=False, name=None))
    inputs = fine_tuning.prepare(cell)  # before processes start: what all need is made once
    todo = [
        (trainer, seed)
        for seed in seeds
        for trainer in (fine_tuning.OURS, fine_tuning.STOCK)
        if (*fine_tuning.place(inputs).values(), trainer, seed) not in done
    ]
    for new in _train(inputs, todo, options.jobs):
        rows = fine_tuning.add(rows, new)
        _write(path, rows)
        said = ", ".join(f"{row['set']} {row['accuracy']:.1f}" for row in new)
        print(f"{new[0]['trainer']} seed {new[0]['seed']}: {said}", flush=True)


def _train(inputs: Any, todo: list[tuple[str, int]], jobs: int) -> Any:
    """The rows of each run of `todo` as it ends."""
    from benchmarks.agreement import fine_tuning

    if jobs == 1:
        yield from (fine_tuning.run(inputs, *each) for each in todo)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(fine_tuning.run_anew, inputs.cell, *each) for each in todo]
        yield from (each.result() for each in as_completed(waiting))


def _same_start(folder: Path, options: argparse.Namespace) -> None:
    from benchmarks.agreement import fine_tuning

    cell = _cell(options, [options.first_seed])
    row = fine_tuning.same_start(fine_tuning.prepare(cell), options.first_seed)
    before, key = _read(folder / START), [*fine_tuning.PLACE, "seed", "device"]
    rows = pandas.concat([before, pandas.DataFrame([row])], ignore_index=True).drop_duplicates(key, keep="last")
    _write(folder / START, rows)
    print(f"from the same start the logits differ by {row['largest_difference']:.2g} at most", flush=True)


def _masking(folder: Path, options: argparse.Namespace) -> None:
    from benchmarks.agreement import fine_tuning, masking

    inputs = fine_tuning.prepare(_cell(options, [options.first_seed]))
    _write(folder / COUNTS, pandas.DataFrame(masking.count(inputs.tokenizer, list(inputs.train["input_ids"]))))


def _processors(folder: Path, options: argparse.Namespace) -> None:
    """The runs of a study beside those that another machine has gathered; of all parts left out where none is named."""
    if options.other is None:
        if options.only:
            raise MaskTuneError("processors: name the folder results/ of another machine's checkout with --other")
        return
    from benchmarks.agreement import processors

    both = results_root() / options.study, options.other / options.study
    for name, rows in ((ELSEWHERE, processors.compare(*both)), (VERDICTS, processors.verdicts(*both))):
        before = _read(folder / name)
        others = [] if before.empty else [before[before["study"] != options.study]]
        _write(folder / name, pandas.concat([*others, rows], ignore_index=True))


def _tables(folder: Path, options: argparse.Namespace) -> None:
    """Lay out what has been measured, and compute the scores of every study with tables once more."""
    from benchmarks.agreement import scores, tables
    from masktune.analysis.table import markdown

    both = [
        row
        for name in studies()
        if (results_root() / name / "tables" / "details.csv").is_file()
        for row in scores.summarise(name, scores.compare(results_root() / name))
    ]
    measured = {"fine_tuning": _read(folder / RUNS), "same_start": _read(folder / START)}
    measured |= {"masking": _read(folder / COUNTS), "scores": pandas.DataFrame(both)}
    measured |= {"processors": _read(folder / ELSEWHERE), "verdicts": _read(folder / VERDICTS)}
    for name, rows in measured.items():
        if not rows.empty:
            table = getattr(tables, name)(rows)
            (folder / f"{name}.md").write_text(markdown(table), encoding="utf-8", newline="\n")
            _write(folder / f"{name}.csv", table.frame)


PARTS = {
    "fine_tuning": _fine_tuning, "same_start": _same_start, "masking": _masking, "processors": _processors,
    "tables": _tables,
}  # fmt: skip


def _read(path: Path) -> pandas.DataFrame:
    return pandas.read_csv(path) if path.is_file() else pandas.DataFrame()


def _write(path: Path, frame: pandas.DataFrame) -> None:
    frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


if __name__ == "__main__":
    sys.exit(main())
