"""A design is declared before its runs: what is not declared does not run, and what has run stays as declared.

`designs.json` in the working folder, in JupyterLab the folder of the notebook, holds each study by its name: its text,
when it was declared, and when its first run began.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime

from masktune.course import kept
from masktune.course.grading import NotYetError
from masktune.errors import MaskTuneError
from masktune.study.design.cells import Cell
from masktune.study.design.comparisons import comparisons
from masktune.study.design.load import parse_study
from masktune.study.design.study import Study

FILE = "designs.json"


def parse(text: str) -> Study:
    """The study that a text in TOML declares. Raises MaskTuneError where it is none, or cannot decide its claims."""
    try:
        return parse_study(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise MaskTuneError(f"the design is not valid TOML: {error}{_quoted(text, str(error))}") from None


def _quoted(text: str, error: str) -> str:
    """The line of a text that an error speaks of."""
    number = re.search(r"at line (\d+)", error)
    return f": {text.splitlines()[int(number[1]) - 1]!r}" if number else ""


def declare(text: str) -> Study:
    """Store a design, with the time. Raises NotYetError where runs of a design of its name have begun already."""
    study, stored = parse(text), kept.read(FILE)
    known = stored.get(study.name)
    if known and known["text"] != text and known["first run"]:
        raise NotYetError(
            f"runs of {study.name!r} began on {known['first run']}, and this is another design. Give it a name of its "
            f"own and report both, or, if those runs count for nothing, take {study.name!r} out of {FILE}"
        )
    if known is None or known["text"] != text:
        stored[study.name] = {"text": text, "declared": _now(), "first run": None}
        kept.write(FILE, stored)
    runs = sum(len(cell.seeds) for cell in study.cells)
    print(f"{study.name} is declared, on {stored[study.name]['declared']}: {runs} runs, {_compared(study)}.")
    return study


def declared_runs(study: Study, label: str) -> Iterator[tuple[Cell, int]]:
    """Cell and seed of each run that a declared study has under a label; the time of the first one is kept.

    Raises NotYetError where no such design is declared.
    """
    stored = kept.read(FILE)
    if study.name not in stored or parse(stored[study.name]["text"]) != study:
        raise NotYetError(f"{study.name!r} is not declared as it stands; run the cell with declare first")
    if stored[study.name]["first run"] is None:
        stored[study.name]["first run"] = _now()
        kept.write(FILE, stored)
    for cell in study.cells:
        if cell.label == label:
            yield from ((cell, seed) for seed in cell.seeds)


def _compared(study: Study) -> str:
    count = sum(len(comparisons(study, claim)) for claim in study.claims)
    return f"{count} comparison{'s' * (count != 1)}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d at %H:%M:%S UTC")
