"""What notebooks/cell.ipynb calls: describe a cell, run its seeds, look at what was stored.

this = cell.from_parameters(study=..., label=..., data=..., task=..., model=..., method=..., ...)
cell.run(this)
cell.accuracies(this)
cell.histories(this)
"""

import time
import warnings
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from masktune.errors import MaskTuneError, one_of
from masktune.statistics.intervals import wilson
from masktune.study.design.cells import Cell, from_parameters
from masktune.study.notebooks import assigned_names
from masktune.study.run import progress
from masktune.study.store import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas

    from masktune.study.store.stored import Stored

PARAMETERS = tuple(item.name for item in fields(Cell))


def check_injected() -> None:
    """Raise MaskTuneError if papermill set a parameter that a cell does not have: papermill itself only warns.

    The cell that papermill injects opens with the comment "# Parameters" and is in the kernel's history.
    """
    from IPython import get_ipython

    for source in get_ipython().user_ns["In"]:
        if source.startswith("# Parameters"):
            for name in assigned_names(source):
                one_of(name, PARAMETERS, "parameter of the cell notebook")


def describe(cell: Cell) -> "pandas.DataFrame":
    """The cell in a table of two columns, settings that equal the default left out."""
    import pandas

    settings = {**cell.identity, "label": cell.label, "seeds": ", ".join(map(str, cell.seeds)), "cell id": cell.id}
    rows = [(name, _write_out(value)) for name, value in settings.items()]
    return pandas.DataFrame(rows, columns=["setting", "value"]).set_index("setting")


def run(cell: Cell) -> None:
    """Train, evaluate and store every seed that is not done yet, one after the other.

    What lies in the place of a seed that is not done, a damaged run, is put aside. A seed that raises leaves a marker,
    the others still run, and at the end MaskTuneError says in a line which failed.
    """
    done = runs.find_done(cell.study, map(cell.run_id, cell.seeds))
    todo = [seed for seed in cell.seeds if cell.run_id(seed) not in done]
    if not todo:
        return
    runs.check_writable(cell.study)
    runs.make_room(cell.study, map(cell.run_id, todo))
    # Loading alone is seconds: only a cell that has something to do pays for it.
    from masktune.study.run import training

    start = time.perf_counter()
    try:
        inputs = training.load_inputs(replace(cell, seeds=tuple(todo)))
    except Exception as error:
        for seed in todo:
            runs.mark_failed(cell, seed, runs.error_line(error), (time.perf_counter() - start) / len(todo))
        raise
    failed = {}
    steps = sum(training.count_steps(inputs.of(seed)) for seed in todo)
    with progress.bar(steps, "step") as bar, warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)
        for number, seed in enumerate(todo):
            bar.set_description(f"seed {seed} ({number + 1} of {len(todo)})")
            start = time.perf_counter()
            try:
                runs.write(cell.study, cell.run_id(seed), *training.train_seed(inputs, seed, bar))
            except Exception as error:
                failed[seed] = runs.error_line(error)
                runs.mark_failed(cell, seed, failed[seed], time.perf_counter() - start)
    if failed:
        seed, line = next(iter(failed.items()))
        raise MaskTuneError(f"{len(failed)} of {len(cell.seeds)} seeds failed; seed {seed}: {line}")


def accuracies(cell: Cell) -> "pandas.DataFrame":
    """A row for each stored seed and evaluation set: seed, set, kind, n, accuracy (a share), low, high.

    From low to high is Wilson's interval at 95 %: it covers the sampling of examples and not the variation over seeds.
    """
    import pandas

    rows = []
    for seed, run in _read_stored(cell):
        sets = run.predictions(["set", "kind", "label", "prediction"]).to_pandas()
        for (name, kind), rows_of_set in sets.groupby(["set", "kind"], sort=False):
            right = int((rows_of_set["label"] == rows_of_set["prediction"]).sum())
            share = right / len(rows_of_set)
            rows.append((seed, name, kind, len(rows_of_set), share, *wilson(share, len(rows_of_set))))
    return pandas.DataFrame(rows, columns=["seed", "set", "kind", "n", "accuracy", "low", "high"])


def results(cell: Cell) -> "pandas.DataFrame":
    """A row for each stored seed: seed, method, label, accuracy/<set> (a share), as `cell_accuracies` draws them."""
    import pandas

    rows = []
    for seed, run in _read_stored(cell):
        shares = {f"accuracy/{name}": share for name, share in run.record("metrics")["accuracy"].items()}
        rows.append({"seed": seed, "method": cell.method, "label": cell.label, **shares})
    return pandas.DataFrame(rows)


def histories(cell: Cell) -> dict[int, list[dict[str, float]]]:
    """The training log of each stored seed: step, epoch, loss, loss_<term>, eval_accuracy and what else is logged."""
    return {seed: run.record("history") for seed, run in _read_stored(cell)}


def costs(cell: Cell) -> "pandas.DataFrame":
    """A row for each stored seed with the numbers of its cost.json."""
    import pandas

    rows = [{"seed": seed, **run.record("cost")} for seed, run in _read_stored(cell)]
    return pandas.DataFrame(rows).drop(columns="hardware", errors="ignore")


def _read_stored(cell: Cell) -> "Iterator[tuple[int, Stored]]":
    """The seeds that are done, and what is stored of each. Raises MaskTuneError naming a file that is damaged."""
    read = ((seed, runs.read(cell.study, cell.run_id(seed))) for seed in cell.seeds)
    return ((seed, run) for seed, run in read if run is not None)


def _write_out(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_write_out(item)}" for key, item in value.items())
    return str(value)


__all__ = [
    "Cell",
    "accuracies",
    "check_injected",
    "costs",
    "describe",
    "from_parameters",
    "histories",
    "results",
    "run",
]
