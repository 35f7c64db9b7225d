"""What a lesson keeps in a file of the working folder: a JSON object of entries by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from masktune.errors import MaskTuneError
from masktune.files import write_file

Entries = dict[str, dict[str, Any]]


def read(file: str) -> Entries:
    """The entries of a file, none where there is no file. Raises MaskTuneError where it cannot be read."""
    try:
        return dict(json.loads(Path(file).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise MaskTuneError(f"{file} in this folder cannot be read; move it away and run the lesson again") from None


def write(file: str, entries: Entries) -> None:
    """Store the entries, whole or not at all."""
    write_file(Path(file), json.dumps(entries, indent=1) + "\n")
