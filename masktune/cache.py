"""The cache: what is made once and kept, each thing in a folder named by everything that made it.

A folder is written under another name and renamed, so that a folder in the cache is whole; of two processes that make
the same, one wins. It holds the digests of its files, and is taken only as it was written. A folder that differs, or
that an older version made without digests, is put aside and made again: nobody can say whether it is sound, and making
it again costs a minute or so and gives the same.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from masktune.errors import MaskTuneError
from masktune.files import digest, file_digest, folder_beside

MADE = "made.json"  # in each folder: the seconds that making it took, and the digest of each file


def root() -> Path:
    """Where everything is kept: $MASKTUNE_CACHE, else ~/.cache/masktune."""
    return Path(os.environ.get("MASKTUNE_CACHE") or Path.home() / ".cache" / "masktune").expanduser()


def make_once(kind: str, name: str, made_of: dict[str, Any], make: Callable[[Path], None]) -> Path:
    """The folder <root>/<kind>/<name>-<digest of made_of>; `make` fills it if it is not there as it was made.

    Raises MaskTuneError where the cache cannot be written.
    """
    folder = root() / kind / f"{name}-{digest(json.dumps(made_of, sort_keys=True))[:12]}"
    if folder.is_dir():
        fault = _fault(folder)
        if not fault:
            return folder
        _put_aside(folder, fault)
    with ExitStack() as stack:
        try:
            unfinished = stack.enter_context(folder_beside(folder))
        except OSError as error:
            raise _unwritable(folder.parent, error) from error
        try:
            _fill(unfinished, make)
            unfinished.rename(folder)
        except OSError:  # another process may have been faster
            if not folder.is_dir():
                raise
    return folder


def _fill(folder: Path, make: Callable[[Path], None]) -> None:
    start = time.perf_counter()
    make(folder)
    record = {"seconds": round(time.perf_counter() - start, 3), "files": _files(folder)}
    (folder / MADE).write_text(json.dumps(record, indent=1) + "\n")


def _files(folder: Path) -> dict[str, str]:
    """The digest of every file in a folder by its path there, without the record of them and hidden files."""
    names = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("[!.]*")) if path.is_file()}
    return {name: file_digest(path) for name, path in names.items() if name != MADE}


def _fault(folder: Path) -> str:
    """What is wrong with a folder of the cache; "" where it holds what was written there."""
    try:
        written = dict(json.loads((folder / MADE).read_bytes())["files"])
    except (OSError, KeyError, TypeError, ValueError):
        return f"{MADE} does not say what was written"
    there = _files(folder)
    for name in sorted({*written, *there}):
        if name not in there:
            return f"{name} is gone"
        if there[name] != written.get(name):
            return f"{name} is not what was written"
    return ""


def _put_aside(folder: Path, fault: str) -> None:
    aside = folder.with_name(f".damaged-{folder.name}-{time.time_ns()}")
    try:
        folder.rename(aside)
    except FileNotFoundError:  # another process has put it aside
        return
    except OSError as error:
        raise _unwritable(folder.parent, error) from error
    print(f"masktune: {folder}: {fault}; it is put aside as {aside.name} and made again", file=sys.stderr)


def _unwritable(folder: Path, error: OSError) -> MaskTuneError:
    return MaskTuneError(
        f"cannot write to the cache {str(folder)!r} ({error.strerror}); set MASKTUNE_CACHE to a folder that can be "
        "written"
    )


def seconds_since(kind: str, moment: float) -> float:
    """The seconds that making took, of all of a kind that came into the cache since that moment (`time.time()`)."""
    records = [path for path in (root() / kind).glob(f"[!.]*/{MADE}") if path.stat().st_mtime >= moment]
    return sum(json.loads(path.read_bytes())["seconds"] for path in records)
