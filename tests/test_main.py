"""The command line: what it prints, and one line for every mistake."""

import os
import shutil
import subprocess
import sys

import pytest
import synthetic_study
from study.conftest import results, store  # noqa: F401

from masktune import analysis
from masktune.__main__ import main
from masktune.study import paths
from masktune.study.design import arms
from masktune.study.design.load import load_study
from masktune.study.store import runs

pytestmark = pytest.mark.slow

COMMANDS = ("plan", "run", "status", "gather", "neutral", "figures", "report")


def masktune(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """The command line in a process of its own."""
    settings = {**os.environ, "PYTHONPATH": str(paths.PROJECT), **environment}
    command = [sys.executable, "-m", "masktune", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=settings, check=False)


def test_help_names_every_command_and_imports_nothing_heavy():
    ended = masktune("--help", PYTHONPROFILEIMPORTTIME="1")
    assert ended.returncode == 0
    for command in (*COMMANDS, "mirror", "check", "train", "evaluate", "predict"):
        assert f"    {command} " in ended.stdout
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert not imported & {"torch", "transformers", "datasets", "pandas", "dask", "papermill", "matplotlib"}


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_study_is_one_line(command, capsys):
    assert main([command, "embeded"]) == 2
    output = capsys.readouterr()
    assert output.err.startswith("masktune: no study 'embeded'; expected one of ")
    assert output.err.count("\n") == 1
    assert output.out == ""


def test_all_figures_are_those_of_the_studies_that_have_results(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    for name in ("laptop", "embedded"):
        synthetic_study.store(tmp_path / name, *synthetic_study.make(seeds=2, examples=6))
    (tmp_path / "methods").mkdir()
    monkeypatch.setattr(analysis, "build", lambda name: [tmp_path / name / "figures" / "main.svg"])
    assert main(["figures", "--all"]) == 0
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == ["embedded", "laptop"]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (["--task", "sentimental"], "unknown task 'sentimental' (did you mean 'sentiment'?)"),
        (["--model", "berta"], "unknown model 'berta' (did you mean 'bert'?)"),
        (["--method", "mask-tunning"], "unknown method 'mask-tunning'"),
    ],
)
def test_an_unknown_filter_is_one_line(filters, message, capsys):
    assert main(["plan", "embedded", *filters]) == 2
    assert capsys.readouterr().err.startswith(f"masktune: {message}")


def test_an_error_ends_the_process_with_status_2_and_no_traceback(tmp_path):
    (tmp_path / "file").write_text("")
    ended = masktune("run", "embedded", "--jobs", "1", MASKTUNE_RESULTS=str(tmp_path / "file"))
    assert ended.returncode == 2
    assert ended.stderr.startswith("masktune: cannot write to ")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("command", "package"), [("run", "dask"), ("tune", "papermill"), ("run", "matplotlib"), ("gather", "pandas")]
)
def test_a_package_that_is_not_installed_is_one_line_before_anything_is_written(
    command,
    package,
    monkeypatch,
    capsys,
    results,  # noqa: F811
):
    monkeypatch.setitem(sys.modules, package, None)
    assert main([command, "embedded"]) == 2
    expected = f"masktune: this needs the package '{package}', which is not installed; pip install 'masktune[study]'\n"
    assert capsys.readouterr().err == expected
    assert not results.exists()


def test_a_module_of_its_own_that_is_missing_is_no_users_mistake(monkeypatch):
    monkeypatch.setitem(sys.modules, "masktune.study.plan.listing", None)
    monkeypatch.delattr("masktune.study.plan.listing")
    with pytest.raises(ModuleNotFoundError):
        main(["plan", "embedded"])


def test_jobs_must_be_a_number(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["run", "embedded", "--jobs", "many"])
    assert "'many'; expected a whole number of at least 1" in capsys.readouterr().err


def test_plan_shows_cells_runs_time_and_claims(capsys):
    study = load_study("embedded")
    assert main(["plan", "embedded"]) == 0
    text = capsys.readouterr().out
    runs_planned = sum(len(cell.seeds) for cell in study.cells)
    assert f"{len(study.cells)} cells, {runs_planned} runs, 0 done, {runs_planned} to do" in text
    assert "time unknown" in text
    assert "1. Mask-tuning is more accurate than fine-tuning on out-of-distribution sets" in text
    assert "2. Mask-tuning is at most 0.5 points less accurate than fine-tuning on in-distribution sets" in text


def test_plan_estimates_from_finished_runs(capsys):
    study = load_study("embedded")
    for cell in study.cells:
        store(cell, 0)
    assert main(["plan", "embedded", "--jobs", "2", "--task", "sentiment", "--method", "fine_tuning"]) == 0
    text = capsys.readouterr().out
    # Each made-up run says that it took 4 seconds; one seed of each cell is done, two run at a time.
    chosen = [cell for cell in study.cells if (cell.task, cell.method) == ("sentiment", "fine_tuning")]
    count, done = sum(len(cell.seeds) for cell in chosen), len(chosen)
    assert f"{done} cells, {count} runs, {done} done, {count - done} to do" in text
    assert f"about {(count - done) * 4 // 2} s with 2 at a time" in text


def test_status_counts_and_lists_errors(capsys):
    study = load_study("embedded")
    store(study.cells[0], 0)
    runs.mark_failed(study.cells[0], 1, "ValueError: no")
    assert main(["status", "embedded"]) == 0
    text = capsys.readouterr().out
    planned = sum(len(cell.seeds) for cell in study.cells)
    assert f"embedded: 1 done, 1 failed, {planned - 2} missing" in text
    assert f"{study.cells[0].label} / bert / sentiment / seed 1: ValueError: no" in text


def test_gather_says_what_it_wrote(capsys):
    study = load_study("embedded")
    store(study.cells[0], 0)
    assert main(["gather", "embedded"]) == 0
    planned = sum(len(cell.seeds) for cell in study.cells)
    assert f"embedded: 1 done, 0 failed, {planned - 1} missing; written to " in capsys.readouterr().out
    shutil.rmtree(paths.runs_folder(study.name))
    assert main(["gather", "embedded"]) == 0
    assert "1 done, 0 failed" in (text := capsys.readouterr().out) and "(1 done as they were gathered before" in text


def test_run_with_everything_done_trains_nothing(capsys):
    study = load_study("embedded")
    planned = [(cell, seed) for cell in study.cells for seed in cell.seeds]
    for cell, seed in planned:
        store(cell, seed)
    arms.kept_file(study).touch()
    assert main(["run", "embedded"]) == 0
    assert capsys.readouterr().out == f"embedded: 0 runs made, {len(planned)} were done before, 0 cells failed\n"
