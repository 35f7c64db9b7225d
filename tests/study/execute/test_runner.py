"""The grid on a real Dask cluster and real kernels, with a light notebook in place of the real cell."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from study.conftest import TABLE, store, write_notebook

from masktune.errors import MaskTuneError
from masktune.study import paths
from masktune.study.design import arms
from masktune.study.design.load import parse_study
from masktune.study.design.study import Study
from masktune.study.execute import cluster, efficiency, execution, runner
from masktune.study.run import cell as cell_module
from masktune.study.store import gather, runs

pytestmark = pytest.mark.slow

DEFAULTS = "\n".join(f"{name} = None" for name in cell_module.PARAMETERS)
# Each label meets another fate on its first attempt, and every attempt leaves its mark.
FATES = """
import os, signal, sys, time
from pathlib import Path
from types import SimpleNamespace

import psutil
from masktune.study.execute import kernels

marks = Path(os.environ["MASKTUNE_RESULTS"]) / "marks"
marks.mkdir(parents=True, exist_ok=True)
first = not list(marks.glob(f"{label} began*"))
(marks / f"{label} began {os.getpid()}").touch()
(marks / f"memory kept {os.environ['MALLOC_TRIM_THRESHOLD_']}, threads {os.environ['OMP_NUM_THREADS']}").touch()
if first and label == "its worker is killed":
    worker = psutil.Process(os.getppid()).parent() if kernels.CAN_FORK else psutil.Process(os.getppid())
    worker.kill()
    time.sleep(4)
    (marks / f"{label} survived").touch()
if label == "its kernel dies" and first:
    os.kill(os.getpid(), signal.SIGKILL)
sys.path.insert(0, TESTS)
from study.conftest import predictions, records
from masktune.study.store import runs

ids = RUN_IDS[label]
for seed in seeds:
    if label == "one seed fails" and seed == 1:
        runs.mark_failed(SimpleNamespace(study=study, id="", label=label, run_id=ids.__getitem__), seed, "odd seed")
    else:
        runs.write(study, ids[seed], records(), predictions())
if label == "one seed fails":
    raise ValueError("1 of 2 seeds failed")
"""
LABELS = ("all is well", "its worker is killed", "its kernel dies", "one seed fails")


def study_of(labels) -> Study:
    rows = [{"label": label, "method": "mask_tuning", "alpha": 0.1 * number} for number, label in enumerate(labels)]
    experiment = {"task": "sentiment", "seeds": 1}
    return parse_study({**TABLE, "tasks": ["sentiment"], "grid": rows, "claims": [], "diversity": experiment})


def notebook(folder, study):
    """The light notebook: it knows the ids of its runs, so that its kernels need not import what makes them."""
    ids = {cell.label: [cell.run_id(seed) for seed in cell.seeds] for cell in study.cells}
    source = FATES.replace("TESTS", repr(str(paths.PROJECT / "tests"))).replace("RUN_IDS", repr(ids))
    return write_notebook(folder / "fates.ipynb", [DEFAULTS, source])


PREPARATION = """
import time
from masktune import cache
cache.make_once("checkpoints", "a model", {}, lambda folder: time.sleep(0.3))
"""


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """One run of the whole small grid: its study, its summary, its folders."""
    folder = tmp_path_factory.mktemp("grid")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKTUNE_RESULTS", str(folder / "results"))
        private = folder / "private"
        patch.setattr(execution, "private_folder", lambda: private.mkdir() or private)
        study = study_of(LABELS)
        fates = notebook(folder, study)
        patch.setattr(runner, "cell_notebook", lambda: fates)
        patch.setenv("MASKTUNE_CACHE", str(folder / "cache"))
        patch.setattr(runner, "preparation_code", lambda cell, pretraining: PREPARATION)
        patch.setattr(
            runner, "experiment_code", lambda study: f"open({str(arms.kept_file(study))!r}, 'w').write('seed')"
        )
        yield SimpleNamespace(
            study=study, summary=runner.run(study, jobs=2), results=folder / "results", private=private
        )


@pytest.fixture
def marks(grid, monkeypatch):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(grid.results))
    return lambda pattern: sorted(path.name for path in (grid.results / "marks").glob(pattern))


def test_every_run_but_the_failed_seed_is_done(grid, marks):
    assert grid.summary.done_before == 0
    assert grid.summary.made == 7
    [record, *_] = efficiency.read(grid.study.name)
    # Each stored run says 2 s of training, 1 s of evaluation and 0.5 s for the learning curve.
    assert (record["workers"], record["found"], record["runs"], record["pure_seconds"]) == (2, 0, 7, 7 * 3.5)
    assert 0.3 <= record["made_seconds"] < 1
    pure = 24.5 + record["made_seconds"]
    assert grid.summary.pure_share == efficiency.share(record) == pytest.approx(pure / (2 * record["wall_seconds"]))
    states = gather.gather(grid.study).set_index(["label", "seed"])["status"]
    assert states[("one seed fails", 1)] == "failed"
    assert (states.drop(index=("one seed fails", 1)) == "done").all()


def test_a_lost_worker_takes_its_kernel_along_and_the_cell_runs_once_elsewhere(grid, marks):
    assert len(marks("its worker is killed began*")) == 2
    assert marks("* survived") == []


def test_a_kernel_keeps_its_memory_and_its_share_of_the_cores(grid, marks):
    threads = cluster.kernel_environment(2)["OMP_NUM_THREADS"]
    assert marks("memory kept*") == [f"memory kept {cluster.KEPT_BYTES}, threads {threads}"]


def test_a_dead_kernel_is_tried_again(grid, marks):
    assert len(marks("its kernel dies began*")) == 2


def test_an_exception_is_not_tried_again(grid, marks):
    assert len(marks("one seed fails began*")) == 1
    [(cell, line)] = grid.summary.failed
    assert (cell.label, line) == ("one seed fails", "ValueError: 1 of 2 seeds failed")


def test_executed_notebooks_are_kept_and_sockets_are_not(grid, marks):
    for cell in grid.study.cells:
        executed = json.loads(paths.executed_cell(cell.study, cell.id).read_text())
        errors = [output for part in executed["cells"] for output in part.get("outputs", []) if "ename" in output]
        assert [error["ename"] for error in errors] == (["ValueError"] if cell.label == "one seed fails" else [])
        assert executed["metadata"]["papermill"]["parameters"]["label"] == cell.label
    assert not grid.private.exists()


def test_a_second_run_finds_what_is_done_and_starts_no_cluster(grid, marks, monkeypatch):
    monkeypatch.setattr(runner.cluster, "local_cluster", lambda jobs: pytest.fail("a cluster was started"))
    summary = runner.run(grid.study, jobs=2, select=lambda cell: cell.label != "one seed fails")
    assert (summary.done_before, summary.made, summary.failed) == (6, 0, [])


def test_a_damaged_run_is_put_aside_and_made_again(grid, marks, monkeypatch):
    monkeypatch.setattr(runner, "preparation_code", lambda cell, pretraining: "pass")
    well = next(cell for cell in grid.study.cells if cell.label == "all is well")
    damaged = runs.run_folder(well.study, well.run_id(1))
    (damaged / "metrics.json").write_text("{}")
    summary = runner.run(grid.study, jobs=1, select=lambda cell: cell.label == well.label)
    assert (summary.done_before, summary.made, summary.failed) == (1, 1, [])
    assert summary.damaged[damaged.name].startswith("metrics.json is not what was stored; ")
    runs.verify(well.study, damaged.name)
    assert (damaged.with_name(f"{damaged.name}.damaged") / "metrics.json").read_text() == "{}"
    record = efficiency.read(grid.study.name)[-1]
    assert (record["found"], record["runs"]) == (1, 1)


def test_the_experiment_on_diversity_runs_with_the_cells_and_is_gathered(grid, marks):
    gather.gather(grid.study)
    assert arms.gathered_file(grid.study.name).read_text() == "seed"


def test_an_experiment_that_fails_is_listed_and_one_outside_the_filter_does_not_run(grid, marks, monkeypatch):
    monkeypatch.setattr(arms, "kept_file", lambda study: paths.runs_folder(study.name) / "diversity-other.csv")
    monkeypatch.setattr(runner, "experiment_code", lambda study: "raise ValueError('no such encoder')")
    monkeypatch.setattr(runner, "preparation_code", lambda cell, pretraining: "pass")

    def well(cell):
        return cell.label == "all is well"

    assert runner.run(grid.study, jobs=1, select=well).failed == []
    summary = runner.run(grid.study, jobs=1, select=lambda cell: well(cell) or cell.label == arms.MASK_TUNING)
    [(cell, line)] = summary.failed
    assert (cell.label, line) == ("diversity", "ValueError: no such encoder")


def test_a_parameter_that_the_notebook_lacks_is_an_error_before_anything_runs(study, tmp_path, monkeypatch):
    lacking = write_notebook(tmp_path / "lacking.ipynb", [DEFAULTS.replace("options = None", "option = None")])
    monkeypatch.setattr(runner, "cell_notebook", lambda: lacking)
    monkeypatch.setattr(runner.cluster, "local_cluster", lambda jobs: pytest.fail("a cluster was started"))
    with pytest.raises(
        MaskTuneError, match=re.escape("unknown parameter of lacking.ipynb 'options' (did you mean 'option'?)")
    ):
        runner.run(study)


def test_a_model_that_cannot_be_prepared_fails_its_cells_only(study, monkeypatch):
    done, *others = study.cells
    for seed in done.seeds:
        store(done, seed)
    monkeypatch.setattr(runner, "preparation_code", lambda cell, pretraining: "raise ValueError('no such checkpoint')")
    summary = runner.run(study, jobs=1)
    assert summary.done_before == 2
    assert {cell.id for cell, _ in summary.failed} == {cell.id for cell in others}
    line = "bert could not be prepared: ValueError: no such checkpoint"
    assert {record["error"] for record in runs.read_failures(study.name).values()} == {line}


@pytest.mark.parametrize(
    ("jobs", "seeds"),
    [
        (1, [(0, 1, 2, 3, 4)]),
        (2, [(0, 2, 4), (1, 3)]),
        (3, [(0, 4), (2,), (1, 3)]),
        (8, [(0,), (4,), (2,), (1,), (3,)]),
    ],
)
def test_with_fewer_cells_than_workers_a_cell_is_cut_by_its_seeds(study, jobs, seeds):
    cell = replace(study.cells[0], seeds=(0, 1, 2, 3, 4))
    whole = runner.Job(runner.model_key(cell), cell, [cell.run_id(seed) for seed in cell.seeds])
    pieces = runner._enough([whole], jobs)
    assert [piece.cell.seeds for piece in pieces] == seeds
    assert [piece.missing for piece in pieces] == [[cell.run_id(seed) for seed in each] for each in seeds]
    submitted, grid = [], runner._Grid(None, jobs, {}, pieces, runner.Summary(0), None)
    grid.client = SimpleNamespace(submit=lambda *given, **named: submitted.append(given[2:]))
    for piece in pieces:
        grid._submit(piece)
    notebooks, parameters = zip(*submitted, strict=True)
    assert len(set(notebooks)) == len(seeds) and all(each.name.startswith(cell.id) for each in notebooks)
    assert [each["seeds"] for each in parameters] == [list(each) for each in seeds]


def test_a_cell_of_which_a_seed_is_done_is_cut_by_the_others(study):
    cell = replace(study.cells[0], seeds=(0, 1, 2))
    whole = runner.Job(runner.model_key(cell), cell, [cell.run_id(seed) for seed in (0, 2)])
    assert [piece.cell.seeds for piece in runner._enough([whole], 2)] == [(0,), (2,)]


def test_enough_cells_are_left_whole(study):
    todo = [runner.Job(runner.model_key(cell), cell, ["a", "b"]) for cell in study.cells]
    assert runner._enough(todo, 2) == todo


def test_a_cell_waits_for_every_pretraining_of_its_model(table, monkeypatch):
    monkeypatch.setattr(runner, "preparation_code", lambda cell, pretraining: str(pretraining))
    table["models"]["bert"]["pretrainings"] = 2
    study = parse_study(table)
    todo = [runner.Job(runner.model_key(cell), cell, ["a run"]) for cell in study.cells]
    grid, submitted = runner._Grid(None, 2, {}, todo, runner.Summary(0), None), []
    grid._submit = submitted.append
    grid._prepare()
    first, second = submitted
    assert (first.code, second.code) == ("0", "1")
    for job, waiting in ((first, True), (second, False)):
        grid._fill()
        assert submitted == [first, second]
        grid._settle(job, cluster.Outcome("done", ""))
        assert bool(grid.unprepared[job.model]) is waiting
    grid.active = {}
    grid._submit = lambda job: (submitted.append(job), grid.active.update({job: job}))
    grid._fill()
    assert submitted[2:] == todo[:4]
