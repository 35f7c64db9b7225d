import json
import os
import time
from pathlib import Path

import pytest

from masktune import cache
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

    first = cache.made("things", "x", {"size": 1}, make)
    assert cache.made("things", "x", {"size": 1}, make) == first
    assert cache.made("things", "x", {"size": 2}, make) != first
    assert len(made) == 2 and (first / "it").read_text() == "here"


def test_the_cache_knows_how_long_making_took_since_a_moment(root):
    cache.made("things", "before", {}, lambda folder: None)
    os.utime(next(root.glob("things/before-*/made.json")), (0, 0))
    start = time.time()
    assert cache.seconds_since("things", start) == 0
    for name in ("x", "y"):
        cache.made("things", name, {}, lambda folder: time.sleep(0.1))
    assert 0.2 <= cache.seconds_since("things", start) <= time.time() - start


def test_of_two_processes_the_first_one_wins(root):
    key = cache.digest(json.dumps({}))[:12]

    def make_while_another_does(folder):
        for beside in (folder, root / "things" / f"x-{key}"):
            beside.mkdir(exist_ok=True)
            (beside / "mine").write_text(beside.name)

    folder = cache.made("things", "x", {}, make_while_another_does)
    assert (folder / "mine").read_text() == folder.name
    assert [path.name for path in (root / "things").iterdir()] == [folder.name]


def test_nothing_half_made_stays_behind(root):
    def fail(folder):
        (folder / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.made("things", "x", {}, fail)
    assert not list((root / "things").iterdir())


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path / "file"))
    with pytest.raises(MaskTuneError, match="cannot write to the cache .*MASKTUNE_CACHE"):
        cache.made("things", "x", {}, lambda folder: None)
