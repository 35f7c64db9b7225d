"""The folder of a run: whole or not there."""

import json
import threading

import pytest
from study.conftest import predictions, records, store

from masktune.errors import MaskTuneError
from masktune.study.store import runs


@pytest.fixture
def cell(study):
    return study.cells[0]


def test_a_stored_run_is_done_and_verifies(cell):
    assert not runs.is_done(cell.study, cell.run_id(0))
    path = store(cell, 0)
    assert runs.is_done(cell.study, cell.run_id(0))
    assert runs.find_done(cell.study, [cell.run_id(0), cell.run_id(1)]) == {cell.run_id(0)}
    names = {"run.json", "metrics.json", "predictions.parquet", "environment.json", "cost.json", "history.json", "DONE"}
    assert {file.name for file in path.iterdir()} == names
    assert set(json.loads((path / "DONE").read_text())) == names - {"DONE"}
    runs.verify(cell.study, cell.run_id(0))


def test_what_is_not_a_number_is_stored_as_null(cell):
    history = json.loads((store(cell, 0) / "history.json").read_text())
    assert history[0] == {"step": 1, "loss": 0.5, "grad_norm": None}


def test_an_interrupted_write_leaves_nothing(cell, results, monkeypatch):
    def interrupted(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "seal", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store(cell, 0)
    assert list((results / "small" / "runs").iterdir()) == []


def test_of_two_writers_one_whole_run_stands(cell, results):
    barrier = threading.Barrier(8)

    def write(right: int) -> None:
        barrier.wait()
        runs.write(cell.study, cell.run_id(0), records(right), predictions(right))

    threads = [threading.Thread(target=write, args=(number % 4,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runs.verify(cell.study, cell.run_id(0))
    assert [path.name for path in (results / "small" / "runs").iterdir()] == [cell.run_id(0)]


def test_a_stored_run_is_not_replaced_and_what_is_none_is_put_aside(cell):
    path = store(cell, 0, right=1)
    store(cell, 0, right=3)
    assert json.loads((path / "metrics.json").read_text())["accuracy"] == {"validation": 0.25}
    (path / "DONE").unlink()
    store(cell, 0, right=3)
    assert json.loads((path / "metrics.json").read_text())["accuracy"] == {"validation": 0.75}
    aside = path.with_name(f"{path.name}.damaged")
    assert json.loads((aside / "metrics.json").read_text())["accuracy"] == {"validation": 0.25}


def test_a_failure_is_listed_until_the_run_succeeds(cell):
    runs.mark_failed(cell, 0, "ValueError: no")
    [(run_id, record)] = runs.read_failures(cell.study).items()
    assert (run_id, record["error"], record["seed"]) == (cell.run_id(0), "ValueError: no", 0)
    store(cell, 0)
    assert runs.read_failures(cell.study) == {}


def test_a_folder_that_cannot_be_written_is_a_one_line_error(cell, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path / "file"))
    with pytest.raises(MaskTuneError, match="cannot write to .*file/small/runs: .*; free it or set MASKTUNE_RESULTS"):
        store(cell, 0)
    with pytest.raises(MaskTuneError, match="cannot write to"):
        runs.mark_failed(cell, 0, "x")


def test_an_error_line_is_one_line_without_places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = runs.error_line(OSError(f"cannot read\n{tmp_path}/data/x"))
    assert line == "OSError: cannot read .../data/x"
