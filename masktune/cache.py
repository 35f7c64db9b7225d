"""The cache: what is made once and kept, each thing in a folder named by everything that made it.

A folder is written beside and renamed, so that a folder in the cache is whole, and of two processes that make the same
one, one wins.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from masktune.errors import MaskTuneError

MADE = "made.json"  # in each folder: the seconds that making it took


def root() -> Path:
    """Where everything is kept: $MASKTUNE_CACHE, else ~/.cache/masktune."""
    return Path(os.environ.get("MASKTUNE_CACHE") or Path.home() / ".cache" / "masktune").expanduser()


def made(kind: str, name: str, made_of: dict[str, Any], make: Callable[[Path], None]) -> Path:
    """The folder <root>/<kind>/<name>-<digest of made_of>; `make` fills it if it is not there.

    Raises MaskTuneError where the cache cannot be written.
    """
    folder = root() / kind / f"{name}-{digest(json.dumps(made_of, sort_keys=True))[:12]}"
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    except OSError as error:
        raise MaskTuneError(
            f"cannot write to the cache {str(folder.parent)!r} ({error.strerror}); set MASKTUNE_CACHE to a folder that "
            "can be written"
        ) from error
    try:
        start = time.perf_counter()
        make(beside)
        (beside / MADE).write_text(json.dumps({"seconds": round(time.perf_counter() - start, 3)}) + "\n")
        beside.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def seconds_since(kind: str, moment: float) -> float:
    """The seconds that making took, of all of a kind that came into the cache since that moment (`time.time()`)."""
    records = [path for path in (root() / kind).glob(f"*/{MADE}") if path.stat().st_mtime >= moment]
    return sum(json.loads(path.read_bytes())["seconds"] for path in records)


def digest(text: str) -> str:
    """sha256 of a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
