"""What the grid itself costs: planning, gathering and tables of large made-up studies. Nothing is trained."""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

MODELS, TASKS = 10, ("sentiment", "inference", "paraphrase")
HEURISTICS = ("lexical_overlap", "subsequence", "constituent")
SUBCASES = 30


def measure_planning(cells: int) -> dict[str, float]:
    """Plan a study of about so many cells: its table read, its cells made, the plan written."""
    from masktune.study.design.load import parse_study
    from masktune.study.plan import listing

    rates = numpy.linspace(0.01, 0.99, max(2, cells // (MODELS * len(TASKS)))).tolist()
    table = _study({"label": "Mask-tuning", "method": "mask_tuning", "mask_rate": rates}, models=MODELS, seeds=1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MASKTUNE_RESULTS"] = folder
        return _time(lambda: listing.plan(parse_study(table), lambda cell: True))


def measure_gathering(runs: int, examples: int) -> dict[str, float]:
    """Gather so many stored runs, each with so many predictions; the runs are links to the files of one."""
    from masktune.study.design.load import parse_study
    from masktune.study.store import gather

    table = _study({"label": "Mask-tuning", "method": "mask_tuning"}, models=1, seeds=max(1, runs // len(TASKS)))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MASKTUNE_RESULTS"] = folder
        study = parse_study(table)
        _store(study, examples)
        return _time(lambda: gather.gather(study))


def measure_tables(examples: int, seeds: int, methods: int) -> dict[str, float]:
    """All tables of a gathered study of the size of HANS, beside a validation set a third as large."""
    from masktune.analysis import accuracy, results
    from masktune.analysis.table import write as write_table
    from masktune.study.store import gather

    with tempfile.TemporaryDirectory() as folder:
        os.environ["MASKTUNE_RESULTS"] = folder
        _store_gathered(Path(folder) / "made_up", examples, seeds, methods)

        def make() -> None:
            computed = results.of(*gather.read("made_up"))
            for table in (*computed.tables, accuracy.tables.seeds(computed.seeds)):
                write_table(table, Path(folder))

        return _time(make)


def _time(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds of the work, and the highest memory of this process."""
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    return {"seconds": seconds, "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}


def _study(row: dict[str, Any], models: int, seeds: int) -> dict[str, Any]:
    names = [f"model-{number}" for number in range(models)]
    return {
        "name": "made_up",
        "data": "embedded",
        "tasks": list(TASKS),
        "seeds": seeds,
        "models": {name: {"checkpoint": name} for name in names},
        "grid": [row],
    }


def _store(study: Any, examples: int) -> None:
    """Store the first run of the study; the folders of all others hold links to its results."""
    import pyarrow

    from masktune.study.store import runs

    half = examples // 2
    labels = numpy.arange(examples, dtype=numpy.int16) % 2
    predictions = pyarrow.table(
        {
            "set": ["validation"] * half + ["contrast"] * (examples - half),
            "kind": ["in_distribution"] * half + ["out_of_distribution"] * (examples - half),
            **{name: [f"{name}-{number}" for number in range(examples)] for name in ("example_id", "cluster_id")},
            "group": [""] * examples,
            "label": labels,
            "prediction": labels[::-1],
            "logits": list(numpy.random.default_rng(0).normal(size=(examples, 2)).astype(numpy.float32)),
        }
    )
    records = {
        "run": {},
        "metrics": {"accuracy": {"validation": 0.9, "contrast": 0.7}, "n": {"validation": half}},
        "environment": {"device": "cpu", "precision": "fp32", "data": {}},
        "cost": {"train_seconds": 1.0, "evaluate_seconds": 0.1, "steps": 100},
        "history": [{"step": step, "epoch": step / 100, "loss": 0.5, "grad_norm": 1.0} for step in range(0, 100, 4)],
    }
    first, *others = [(cell, seed) for cell in study.cells for seed in cell.seeds]
    stored = runs.write(study.name, first[0].run_id(first[1]), records, predictions)
    for cell, seed in others:
        path = runs.run_folder(study.name, cell.run_id(seed))
        path.mkdir()
        for file in stored.iterdir():
            if file.name not in ("run.json", "DONE"):
                os.link(file, path / file.name)
        (path / "run.json").write_text(json.dumps({"run_id": path.name}))
        runs.seal(path)


def _store_gathered(folder: Path, examples: int, seeds: int, methods: int) -> None:
    """The files that `gather` writes; methods differ a little, seeds too."""
    import pandas
    import pyarrow
    import pyarrow.parquet

    from masktune.study.design.cells import Training
    from masktune.study.store import gather

    training = {f"training/{name}": getattr(Training(), name) for name in gather.TRAINING}
    runs, histories, predictions = [], [], []
    generator = numpy.random.default_rng(0)
    for method in range(methods):
        for seed in range(seeds):
            run_id = f"{method:08x}{seed:08x}"
            runs.append(
                {
                    "run_id": run_id,
                    "data": "embedded",
                    "model": "bert",
                    "task": "inference",
                    "seed": seed,
                    "status": "done",
                    "error": "",
                    "method": "fine_tuning" if method == 0 else "mask_tuning",
                    "label": f"method {method}",
                    "part": "main",
                    "adaptation": "null",
                    "options": "{}",
                    "alpha": None if method == 0 else 0.6,
                    "mask_rate": None if method == 0 else 0.05,
                    **training,
                }  # fmt: skip
            )
            histories += [{"run_id": run_id, "step": step, "loss": 1 / step} for step in range(1, 26)]
            share = 0.6 + 0.01 * method + 0.02 * generator.normal()
            predictions += [_answers(run_id, share, generator, *each) for each in _sets(examples)]
    (folder / gather.PREDICTIONS).mkdir(parents=True)
    pandas.DataFrame(runs).to_parquet(folder / gather.RUNS)
    pandas.DataFrame(histories).to_parquet(folder / gather.HISTORIES)
    path = folder / gather.PREDICTIONS / "00.parquet"
    pyarrow.parquet.write_table(pyarrow.concat_tables(predictions), path, compression="zstd")


def _sets(examples: int) -> list[tuple[str, str, int, int]]:
    """(name, kind, examples, clusters): HANS has thirty sub-cases, validation examples stand alone."""
    validation = examples // 3
    return [
        ("mnli_matched", "in_distribution", validation, validation),
        ("hans", "out_of_distribution", examples, min(SUBCASES, examples)),
    ]


def _answers(
    run_id: str, share: float, generator: numpy.random.Generator, name: str, kind: str, examples: int, clusters: int
) -> Any:
    """What one run answered: right with the given probability."""
    import pyarrow

    number = numpy.arange(examples)
    cluster = number * clusters // examples
    labels = (number % 2).astype(numpy.int16)
    answers = numpy.where(generator.random(examples) < share, labels, 1 - labels).astype(numpy.int16)
    logits = pyarrow.array(generator.normal(size=3 * examples).astype(numpy.float32))
    offsets = pyarrow.array(numpy.arange(0, 3 * examples + 1, 3, dtype=numpy.int32))
    groups = [f"{HEURISTICS[i * 3 // clusters]}/{label}" for i, label in zip(cluster, labels, strict=True)]
    return pyarrow.table(
        {
            "run_id": [run_id] * examples,
            "set": [name] * examples,
            "kind": [kind] * examples,
            "example_id": [f"{name}-{index}" for index in number],
            "cluster_id": [f"{name}-{index}" for index in cluster],
            "group": groups if name == "hans" else [""] * examples,
            "label": labels,
            "prediction": answers,
            "logits": pyarrow.ListArray.from_arrays(offsets, logits),
        }
    )
