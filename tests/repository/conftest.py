"""The repository's own state: what is committed, whatever a user's commands have made of the working folder since."""

import json
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas
import pytest

ROOT = Path(__file__).parents[2]


def git(*arguments: str) -> bytes:
    """What git says of this checkout; the test is skipped where the project is no checkout of git."""
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"not a checkout of git: {error}")


def committed(path: str) -> bytes:
    """A file as it is in the index of git: as committed, or as it will be with the next commit."""
    return git("show", f":{path}")


def committed_text(path: str) -> str:
    return committed(path).decode()


def committed_json(path: str) -> Any:
    return json.loads(committed(path))


def committed_table(path: str) -> pandas.DataFrame:
    """A Parquet or CSV file as committed."""
    read = pandas.read_parquet if path.endswith(".parquet") else pandas.read_csv
    return read(BytesIO(committed(path)))


def committed_files() -> set[str]:
    """The path of every file, relative to the project."""
    return set(git("ls-files", "-z").decode().split("\0")) - {""}
