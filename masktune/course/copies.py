"""One source, two copies: `make course` writes the student's and the teacher's copy of each lesson.

A lesson is a notebook in notebooks/course/source. The tags of its cells say where they go:

    stub      what the student is to fill in; not in the teacher's copy
    solution  what stands in its place in the teacher's copy
    wrong     a wrong answer that the check below must reject; in no copy (tests/notebooks/test_course.py tries it)
    all other cells go into both.

Where CITATION.cff names the address of the repository (`repository-code: https://github.com/OWNER/NAME`), a copy begins
with links that open it on Colab and Binder, and with a cell that installs the package where it is missing.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from masktune.errors import MaskTuneError
from masktune.files import write_file

LEFT_OUT = {"student": ("solution", "wrong"), "teacher": ("stub", "wrong")}
Notebook = dict[str, Any]
Cell = dict[str, Any]


def write(course: Path) -> list[Path]:
    """Write the copies of all lessons below the folder of the course; returns them. Others that lie there go."""
    repository = address(course.parents[1] / "CITATION.cff")
    made = {path: text for source in lessons(course) for path, text in copies(source, repository).items()}
    for kind in LEFT_OUT:
        for path in (course / kind).glob("*.ipynb"):
            if path not in made:
                path.unlink()
    for path, text in made.items():
        write_file(path, text)
    return list(made)


def lessons(course: Path) -> list[Path]:
    """The sources of the lessons in their order. Raises MaskTuneError where there are none."""
    found = sorted((course / "source").glob("C*.ipynb"))
    if not found:
        raise MaskTuneError(f"no lessons in {course / 'source'}; run this in a checkout, as `make course` does")
    return found


def copies(source: Path, repository: str | None) -> dict[Path, str]:
    """Each copy of a lesson: where it goes, and its text."""
    lesson = json.loads(source.read_text(encoding="utf-8"))
    folder = source.parents[1]
    return {
        folder / kind / source.name: json.dumps(
            copy(lesson, kind, badges(f"notebooks/course/{kind}/{source.name}", repository)),
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
        for kind in LEFT_OUT
    }


def copy(lesson: Notebook, kind: str, before: list[Cell] = []) -> Notebook:  # noqa: B006  # never changed
    """The "student" or the "teacher" copy of a lesson."""
    cells = [cell for cell in lesson["cells"] if not tags(cell) & set(LEFT_OUT[kind])]
    return {**lesson, "cells": [*cells[:1], *before, *cells[1:]]}


def tags(cell: Cell) -> set[str]:
    """The tags of a cell."""
    return set(cell["metadata"].get("tags", ()))


def address(citation: Path) -> str | None:
    """OWNER/NAME of the repository on GitHub, if CITATION.cff has `repository-code`."""
    found = re.search(
        r"^repository-code: *\"?https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?\"? *$", _read(citation), re.M
    )
    return found[1] if found else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def badges(path: str, repository: str | None) -> list[Cell]:
    """The cells that open a lesson elsewhere: links to Colab and Binder, and what installs the package there."""
    if repository is None:
        return []
    links = (
        f"[Open in Colab](https://colab.research.google.com/github/{repository}/blob/main/{path}) · "
        f"[Open in Binder](https://mybinder.org/v2/gh/{repository}/HEAD?labpath={path.replace('/', '%2F')})"
    )
    install = (
        "try:\n    import masktune\nexcept ImportError:  # on Colab\n"
        f'    %pip install --quiet "masktune[study] @ git+https://github.com/{repository}"'
    )
    return [
        {"cell_type": "markdown", "id": "open-elsewhere", "metadata": {}, "source": [links]},
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "install",
            "metadata": {},
            "outputs": [],
            "source": install.splitlines(keepends=True),
        },
    ]
