"""The command line: masktune check|train|evaluate|predict for one's own data.

Of a study: masktune plan|tune|run|status|gather|neutral|figures|report|summary|mirror.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from masktune.errors import MaskTuneError, not_installed, one_of
from masktune.own import commands as own

if TYPE_CHECKING:
    from masktune.study.design.cells import Cell
    from masktune.study.design.study import Study

DESCRIPTION = """Mask-tuning of your own data, and the study of it. check, train, evaluate and predict take a file of
texts and labels. The other commands take a study, which is declared in studies/<name>.toml; its results go to
results/<name> (or below $MASKTUNE_RESULTS)."""
EPILOG = """your own data:
  masktune check reviews.csv                              what is in the file, and what is wrong with it
  masktune train reviews.csv --model bert-base-uncased --compare fine_tuning --output reviews
  masktune evaluate reviews more.csv                      score the trained model
  masktune predict reviews new.csv --output answers.csv   label texts with it

a study:
  python -m masktune plan embedded                        what will run, and what it claims
  python -m masktune run embedded --jobs 2                run what is missing
  python -m masktune run laptop --task sentiment          one part of a study
  python -m masktune run embedded --keep-gathered         only what was never gathered, here or elsewhere
  python -m masktune tune embedded                        choose the settings that a study searches
  python -m masktune gather embedded                      stored runs -> the files that tables are made of
  python -m masktune figures embedded                     tables and figures, no training
  python -m masktune summary                              RESULTS.md, and the findings in README, from all studies
  python -m masktune mirror --check                       is the local copy of the real data whole?"""
# What workers and the kernels of cells import, and the library does without: asked for before anything runs.
RUN_NEEDS = ("cryptography", "dask", "distributed", "papermill", "ipykernel", "matplotlib", "seaborn")
PRELOAD = ("masktune.preload",)  # what every kernel finds imported and set up


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status: 0, 1 if cells failed, 2 for a user's mistake, 130 if interrupted."""
    options = parser().parse_args(arguments)
    try:
        return options.command(options)
    except MaskTuneError as error:
        print(f"masktune: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        package = (error.name or "masktune").partition(".")[0]
        if package == "masktune":
            raise
        print(f"masktune: {not_installed(package)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("masktune: interrupted; finished runs are kept, the same command goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        print(f"masktune: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    form = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser("masktune", description=DESCRIPTION, epilog=EPILOG, formatter_class=form)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    own.add(commands)
    for name, command, summary in (
        ("plan", plan, "list cells, runs, expected time and claims of a study; run nothing"),
        ("tune", tune, "give every method its trials, judged in distribution, and keep the best settings of each"),
        ("run", run, "make the models and the missing runs of a study"),
        ("status", status, "count done, failed, damaged and missing runs, and list the errors"),
        ("gather", gather, "collect stored runs into runs.parquet, predictions/ and histories.parquet"),
        ("neutral", neutral, "train some stored runs again: does the code of today give the same to the bit?"),
        ("figures", figures, "rebuild tables and figures from the gathered files, without training"),
        ("report", report, "execute the chapter notebooks and write the report as a folder of HTML"),
    ):
        sub = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        sub.add_argument("study", nargs="?", default="embedded", help="name of the study (default: embedded)")
        sub.set_defaults(command=command)
        if name in ("plan", "run", "status"):
            _add_filters(sub)
        if name == "figures":
            sub.add_argument("--all", action="store_true", help="of every study that has results, whatever its name")
        if name == "neutral":
            sub.add_argument("--runs", type=_count, default=6, help="stored runs to train again (default: 6)")
            sub.add_argument(
                "--make-checkpoints", action="store_true", help="make what the runs start from again too (slow)"
            )
        if name in ("plan", "tune", "run"):
            sub.add_argument(
                "--jobs",
                type=_count,
                help="cells, or parts of their seeds, at a time (default: what cores, memory and GPUs allow)",
            )
            sub.add_argument(
                "--keep-gathered", action="store_true",
                help="runs that the gathered files of the study hold are done, and not made again",
            )  # fmt: skip
    _add_summary(commands)
    _add_mirror(commands)
    return top


def _add_filters(sub: argparse.ArgumentParser) -> None:
    what = {"model": "of this model", "task": "of this task", "method": "of this method, by name or label"}
    for name, meaning in what.items():
        sub.add_argument(f"--{name}", action="append", default=[], help=f"only cells {meaning}; may be repeated")


def _add_summary(commands: argparse._SubParsersAction) -> None:
    summary = "write RESULTS.md, README's findings and the tables of the deviations log from what is stored"
    sub = commands.add_parser("summary", help=summary, description=summary[0].upper() + summary[1:] + ".")
    sub.set_defaults(command=summarise)


def _add_mirror(commands: argparse._SubParsersAction) -> None:
    summary = "fill a folder with the real data sets, for a machine without network, or check one"
    sub = commands.add_parser("mirror", help=summary, description=summary[0].upper() + summary[1:] + ".")
    sub.add_argument("folder", nargs="?", help="the mirror (default: $MASKTUNE_MIRROR)")
    sub.add_argument("--check", action="store_true", help="download nothing: say whether the mirror is whole")
    sub.add_argument(
        "--only", action="append", default=[], metavar="SET", help="only this set, by name or its beginning"
    )
    sub.set_defaults(command=mirror)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number of at least 1")
    return int(text)


def plan(options: argparse.Namespace) -> int:
    from masktune.study.plan import listing

    study, select = _study(options)
    print(listing.plan(study, select, options.jobs, options.keep_gathered))
    return 0


def tune(options: argparse.Namespace) -> int:
    from masktune.study.design.load import load_study
    from masktune.study.plan import trials
    from masktune.study.store import gather as gathering

    study = load_study(options.study)
    of_trials = trials.study_of_trials(study)
    status = _run(of_trials, options)
    paths = trials.write(study, trials.judge(study, gathering.gather(of_trials)))
    print(f"{study.name}: every trial in {paths[0]}, the best of each method in {paths[1]}")
    return status


def run(options: argparse.Namespace) -> int:
    study, select = _study(options)
    return _run(study, options, select)


def _run(study: "Study", options: argparse.Namespace, select: "Callable[[Cell], bool]" = lambda cell: True) -> int:
    from masktune.study.execute import runner

    for package in RUN_NEEDS:
        if find_spec(package) is None:
            raise not_installed(package)
    summary = runner.run(study, options.jobs, select, PRELOAD, options.keep_gathered)
    for run_id, line in sorted(summary.damaged.items()):
        print(f"  run {run_id} was damaged, was put aside and is made again: {line.partition(';')[0]}")
    kept = f" ({summary.kept} as they were gathered, without a folder here)" if summary.kept else ""
    before = f"{summary.done_before} were done before{kept}"
    print(f"{study.name}: {summary.made} runs made, {before}, {len(summary.failed)} cells failed")
    if summary.pure_share is not None:
        print(f"{summary.pure_share:.0%} of the workers' time was training and evaluation")
    for cell, line in summary.failed:
        print(f"  {cell.label} / {cell.model.name} / {cell.task}: {line}")
    return 1 if summary.failed else 0


def status(options: argparse.Namespace) -> int:
    from masktune.study.plan import listing

    print(listing.status(*_study(options)))
    return 0


def gather(options: argparse.Namespace) -> int:
    from masktune.study.design.load import load_study
    from masktune.study.store import gather as gathering
    from masktune.study.store import runs

    study = load_study(options.study)
    table = gathering.gather(study)
    counts = table["status"].value_counts()
    words = ", ".join(f"{counts.get(state, 0)} {state}" for state in ("done", "failed", "missing"))
    words += f", {counts['damaged']} damaged" if "damaged" in counts else ""
    done = table.loc[table["status"] == "done", "run_id"]
    if gone := len(done) - len(runs.find_folders(study.name, done)):
        words += f" ({gone} done as they were gathered before, their folders are not here)"
    print(f"{study.name}: {words}; written to {gathering.folder(study.name) / gathering.RUNS}")
    for row in table[table["status"] == "damaged"].itertuples():
        print(f"  run {row.run_id} is damaged: {row.error}")
    return 0


def neutral(options: argparse.Namespace) -> int:
    from masktune.study.design.load import load_study
    from masktune.study.execute import neutral as neutral_changes
    from masktune.study.store.neutral import file

    for change in neutral_changes.check(load_study(options.study), options.runs, options.make_checkpoints):
        runs = f"{len(change.checked)} run{'s' * (len(change.checked) != 1)}"
        print(f"{change.study}: source {change.before[:7]} -> {change.after[:7]}: {runs} trained again, all the same")
        print(f"  recorded in {file()}")
    return 0


def figures(options: argparse.Namespace) -> int:
    from masktune import analysis
    from masktune.study.design.load import load_study
    from masktune.study.store.gather import gathered

    names = [load_study(name).name for name in (gathered() if options.all else [options.study])]
    for name in names:
        analysis.build(name)
    for name in names:  # what is drawn stays; the paper's claims in the tables of each follow the claims of all
        paths = analysis.build(name)
        print(f"{name}: {len(paths)} tables and figures in {paths[0].parents[1]}")
    return 0


def report(options: argparse.Namespace) -> int:
    from masktune import analysis
    from masktune.study.design.load import load_study

    print(f"{options.study}: open {analysis.write_report(load_study(options.study).name, PRELOAD)}")
    return 0


def summarise(options: argparse.Namespace) -> int:
    from masktune.analysis.summary.write import write

    changed = write()
    print(f"written: {', '.join(map(str, changed))}" if changed else "RESULTS.md and README say what is stored")
    return 0


def mirror(options: argparse.Namespace) -> int:
    from masktune.data import mirror as mirrors

    table = mirrors.check(options.folder) if options.check else mirrors.fill(options.folder, options.only or None)
    print(table.to_string(index=False))
    return 0 if mirrors.good(table) else 1


def _study(options: argparse.Namespace) -> "tuple[Study, Callable[[Cell], bool]]":
    """The study, and which of its cells the filters keep. Raises MaskTuneError for a name that the study lacks."""
    from masktune.study.design.load import load_study

    study = load_study(options.study)
    models, methods = {cell.model.name for cell in study.cells}, {cell.method for cell in study.cells}
    for values, known, what in (
        (options.model, sorted(models), "model"),
        (options.task, study.tasks, "task"),
        (options.method, [*sorted(methods), *study.labels], "method"),
    ):
        for value in values:
            one_of(value, known, what)

    def select(cell: "Cell") -> bool:
        return (
            (not options.model or cell.model.name in options.model)
            and (not options.task or cell.task in options.task)
            and (not options.method or cell.method in options.method or cell.label in options.method)
        )

    return study, select


if __name__ == "__main__":
    sys.exit(main())
