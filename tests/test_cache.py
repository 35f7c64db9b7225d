import json
import os
import time
from pathlib import Path

import pytest

from masktune import cache, files
from masktune.errors import MaskTuneError


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_cache_is_where_the_environment_says(monkeypatch, root):
    assert cache.root() == root
    monkeypatch.delenv("MASKTUNE_CACHE")
    assert cache.root() == Path.home() / ".cache" / "masktune"


def test_a_thing_is_made_once_and_another_origin_is_another_folder():
    made = []

    def make(folder):
        made.append(folder)
        (folder / "it").write_text("here")

    first = cache.make_once("things", "x", {"size": 1}, make)
    assert cache.make_once("things", "x", {"size": 1}, make) == first
    assert cache.make_once("things", "x", {"size": 2}, make) != first
    assert len(made) == 2 and (first / "it").read_text() == "here"


def test_the_cache_knows_how_long_making_took_since_a_moment(root):
    cache.make_once("things", "before", {}, lambda folder: None)
    os.utime(next(root.glob("things/before-*/made.json")), (0, 0))
    start = time.time()
    assert cache.seconds_since("things", start) == 0
    for name in ("x", "y"):
        cache.make_once("things", name, {}, lambda folder: time.sleep(0.1))
    assert 0.2 <= cache.seconds_since("things", start) <= time.time() - start


def test_of_two_processes_the_first_one_wins(root):
    key = files.digest(json.dumps({}))[:12]

    def make_while_another_does(folder):
        for beside in (folder, root / "things" / f"x-{key}"):
            beside.mkdir(exist_ok=True)
            (beside / "mine").write_text(beside.name)

    folder = cache.make_once("things", "x", {}, make_while_another_does)
    assert (folder / "mine").read_text() == folder.name
    assert [path.name for path in (root / "things").iterdir()] == [folder.name]


def test_nothing_half_made_stays_behind(root):
    def fail(folder):
        (folder / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.make_once("things", "x", {}, fail)
    assert not list((root / "things").iterdir())


def _make(folder):
    (folder / "deep").mkdir()
    (folder / "weights").write_bytes(bytes(range(200)))
    (folder / "deep" / "words").write_text("a b c")


def _flip(path, place=0):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def _as_an_older_version_wrote_it(path):
    path.write_text(json.dumps({"seconds": json.loads(path.read_bytes())["seconds"]}))


@pytest.mark.parametrize(
    "damage, said",
    [
        (lambda folder: _flip(folder / "weights"), "weights is not what was written"),
        (lambda folder: _flip(folder / "weights", 199), "weights is not what was written"),
        (lambda folder: _flip(folder / "deep" / "words"), "deep/words is not what was written"),
        (lambda folder: (folder / "weights").unlink(), "weights is gone"),
        (lambda folder: (folder / "weights").write_bytes(b""), "weights is not what was written"),
        (lambda folder: (folder / "added").write_text("?"), "added is not what was written"),
        (lambda folder: (folder / "made.json").unlink(), "made.json does not say what was written"),
        (lambda folder: _flip(folder / "made.json"), "made.json does not say what was written"),
        (lambda folder: _as_an_older_version_wrote_it(folder / "made.json"), "made.json does not say"),
    ],
)
def test_what_is_not_as_it_was_made_is_put_aside_and_made_again(root, capsys, damage, said):
    folder = cache.make_once("things", "x", {}, _make)
    assert cache.make_once("things", "x", {}, None) == folder
    damage(folder)
    damaged = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert cache.make_once("things", "x", {}, _make) == folder
    line = capsys.readouterr().err
    assert f"{folder}: {said}" in line and "put aside" in line and line.count("\n") == 1
    assert (folder / "weights").read_bytes() == bytes(range(200)) and (folder / "deep" / "words").read_text() == "a b c"
    [aside] = (root / "things").glob(".damaged-*")
    assert {path.name: path.read_bytes() for path in aside.rglob("*") if path.is_file()} == damaged
    assert cache.make_once("things", "x", {}, None) == folder and not capsys.readouterr().err


def test_what_was_put_aside_does_not_count_as_made(root):
    start = time.time()
    folder = cache.make_once("things", "x", {}, _make)
    (folder / "made.json").write_text("{")
    cache.make_once("things", "x", {}, _make)
    assert cache.seconds_since("things", start) >= 0


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path / "file"))
    with pytest.raises(MaskTuneError, match="cannot write to the cache .*MASKTUNE_CACHE"):
        cache.make_once("things", "x", {}, lambda folder: None)
