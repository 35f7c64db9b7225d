"""The folder of a training: whole runs or none, and no other training's."""

import json
import multiprocessing

import numpy as np
import pytest

from masktune import MaskTuneError, files
from masktune.own.settings import Settings
from masktune.own.stored import LOCK, RECORD, RUN, Folder, Run, write_run

SETTINGS = Settings("a.csv", "out", "bert")
IDENTITY = {"data": {"train": "a" * 64}, "settings": {"alpha": 0.3}}


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "out")


def test_a_run_is_read_as_it_was_written(folder):
    run = Run(
        "r_drop", 1, 2, 0.5, [{"epoch": 1.0, "score": 0.5, "loss": 1.0}], [], 3.0, "fp32", {"b c": np.eye(2)}, {"n": 1}
    )
    assert not folder.is_done("r_drop", 1)
    with files.replace_folder(folder.run("r_drop", 1)) as unfinished:
        write_run(unfinished, run)
    assert folder.is_done("r_drop", 1)
    again = folder.read("r_drop", 1)
    assert np.array_equal(again.logits.pop("b c"), run.logits.pop("b c"))
    assert again == run


def test_what_was_interrupted_leaves_nothing_and_is_cleared_away(folder):
    with pytest.raises(KeyboardInterrupt), files.replace_folder(folder.run("r_drop", 1)) as unfinished:
        (unfinished / RUN).write_text("{}")
        raise KeyboardInterrupt
    assert not folder.is_done("r_drop", 1) and not list(folder.place.glob("runs/*/*"))
    killed = folder.place / "runs" / "r_drop" / ".seed-0.abc"  # of a process that could not clear up
    killed.mkdir(parents=True)
    files.write_file(folder.place / RECORD, json.dumps({"identity": IDENTITY}))
    with pytest.raises(KeyboardInterrupt), folder.claimed(SETTINGS, IDENTITY):
        assert not killed.exists()
        raise KeyboardInterrupt
    assert not (folder.place / LOCK).exists()


def test_the_same_training_goes_on_and_another_is_refused_by_what_differs(folder):
    with folder.claimed(SETTINGS, IDENTITY):
        pass
    with folder.claimed(SETTINGS, IDENTITY):
        pass
    for changed, message in (
        ({**IDENTITY, "settings": {"alpha": 0.5}}, "settings: alpha was 0.3, now 0.5"),
        ({**IDENTITY, "data": {"train": "b" * 64}}, "data: train was aaaaaaaaaaaa, now bbbbbbbbbbbb"),
    ):
        with pytest.raises(MaskTuneError, match=message), folder.claimed(SETTINGS, changed):
            pass
    assert json.loads((folder.place / RECORD).read_text())["identity"] == IDENTITY


def test_a_place_that_is_taken_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(MaskTuneError, match="holds other files"):
        Folder(tmp_path).check()
    with pytest.raises(MaskTuneError, match="is a file"):
        Folder(tmp_path / "thesis.txt").check()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_damaged_run_is_named(folder):
    folder.run("r_drop", 0).mkdir(parents=True)
    (folder.run("r_drop", 0) / RUN).write_text("{")
    with pytest.raises(MaskTuneError, match="seed-0 is damaged .*remove it"):
        folder.read("r_drop", 0)


def _hold(place, began, ended):
    with Folder(place).claimed(SETTINGS, IDENTITY):
        began.set()
        ended.wait(20)


@pytest.mark.slow
def test_two_processes_do_not_write_to_one_folder(folder):
    context = multiprocessing.get_context("fork")
    began, ended = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(folder.place, began, ended))
    other.start()
    try:
        assert began.wait(20)
        with pytest.raises(MaskTuneError, match="another masktune train writes to"), folder.claimed(SETTINGS, IDENTITY):
            pass
    finally:
        ended.set()
        other.join()
    with folder.claimed(SETTINGS, IDENTITY):
        pass
