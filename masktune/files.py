"""Files and folders that appear whole, and the digests by which their content is known.

What is written goes to a hidden neighbour on the same disk, which is then renamed: a reader sees what was there before
or all of what is new, and where writing fails nothing stays behind. An OSError is raised as the system gives it; who
calls knows what to do about it.
"""

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DIGESTS: dict[tuple, str] = {}  # of the files that this process has read, by what changes when a file is written


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file in one step, text in UTF-8; the folder is made if need be."""
    with replace_file(path) as unfinished:
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """A path next to `path`; the file that the block writes there takes its place, unless an error comes first."""
    unfinished = _neighbour(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """An empty folder next to `path` that takes its place, unless an error comes first."""
    with folder_beside(path) as unfinished:
        yield unfinished
        old = _neighbour(path)
        if path.exists():
            os.replace(path, old)
        os.replace(unfinished, path)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """An empty folder next to `path`, which the block may rename to it. What is left of it at the end is removed."""
    unfinished = _neighbour(path)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _neighbour(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}")


def digest(content: str | bytes) -> str:
    """sha256 of bytes, or of a text in UTF-8, in hexadecimal digits."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def file_digest(path: Path) -> str:
    """sha256 of a file, in hexadecimal digits. A process reads a file once, and again when it has been written."""
    state = path.stat()
    key = (str(path), state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
    if key not in _DIGESTS:
        with path.open("rb") as file:
            _DIGESTS[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _DIGESTS[key]
