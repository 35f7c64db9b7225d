"""What is written appears whole, for a file and for a folder alike; digests."""

import hashlib
import os
from contextlib import contextmanager

import pytest

from masktune import files


@contextmanager
def a_file(path):
    with files.replace_file(path) as unfinished:
        yield lambda text: unfinished.write_text(text)


@contextmanager
def a_folder(path):
    with files.replace_folder(path) as unfinished:
        yield lambda text: (unfinished / "content").write_text(text)


def read(path):
    return (path / "content" if path.is_dir() else path).read_text()


@pytest.fixture(params=[a_file, a_folder])
def replace(request):
    return request.param


def test_it_appears_at_the_end_in_one_step(replace, tmp_path):
    path = tmp_path / "new" / "it"
    with replace(path) as write:
        write("first")
        assert not path.exists()
    with replace(path) as write:
        write("second")
        assert read(path) == "first"
    assert read(path) == "second"
    assert list(path.parent.iterdir()) == [path]


def test_where_the_block_fails_what_was_there_stays_and_nothing_else(replace, tmp_path):
    path = tmp_path / "it"
    with replace(path) as write:
        write("first")
    with pytest.raises(KeyError), replace(path) as write:
        write("second")
        raise KeyError
    assert read(path) == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_renamed_leaves_nothing_behind(replace, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "replace", lambda source, target: os.stat(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError), replace(tmp_path / "it") as write:
        write("first")
    assert not list(tmp_path.iterdir())


def test_below_a_file_is_an_error_of_the_system(replace, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError), replace(tmp_path / "file" / "it") as write:
        write("first")
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_file_never_takes_the_place_of_a_folder(tmp_path):
    (tmp_path / "taken" / "inside").mkdir(parents=True)
    with pytest.raises(OSError):
        files.write_file(tmp_path / "taken", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize("content", ["größer\n", b"\x00\r\n"])
def test_a_text_is_written_in_utf_8_and_bytes_as_they_are(content, tmp_path):
    files.write_file(tmp_path / "it", content)
    assert (tmp_path / "it").read_bytes() == (content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("kept", [True, False])
def test_a_folder_beside_is_gone_unless_it_was_renamed(kept, tmp_path):
    path = tmp_path / "it"
    with files.folder_beside(path) as unfinished:
        (unfinished / "content").write_text("first")
        if kept:
            unfinished.rename(path)
    assert list(tmp_path.iterdir()) == [path] * kept


def test_digests_are_those_of_sha256_for_texts_bytes_and_files(tmp_path):
    path = tmp_path / "it"
    path.write_text("größer", encoding="utf-8")
    expected = hashlib.sha256("größer".encode()).hexdigest()
    assert files.digest("größer") == files.digest("größer".encode()) == files.file_digest(path) == expected


def test_a_file_is_read_again_when_it_was_written(tmp_path, monkeypatch):
    path = tmp_path / "it"
    path.write_text("first")
    before = files.file_digest(path)
    path.write_text("other")
    assert files.file_digest(path) == files.digest("other") != before
    monkeypatch.setattr(type(path), "open", None)
    assert files.file_digest(path) == files.digest("other")
