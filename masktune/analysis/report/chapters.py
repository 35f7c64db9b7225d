"""The chapter notebooks: which belong to a study, and their execution, skipped when nothing they depend on changed.

A chapter is notebooks/NN_*.ipynb. Its metadata may hold a table "masktune":

    studies   the studies it belongs to (left out: all)
    reads     "results" (left out): the stored runs and all of masktune; "package": all of masktune, no runs
    files     other files below results/ that it shows, "{study}" standing for the study; they need not be there
"""

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from masktune.analysis import stamps
from masktune.errors import MaskTuneError
from masktune.files import write_file
from masktune.study import paths
from masktune.study.execute import cluster, execution
from masktune.study.notebooks import parameters_of
from masktune.study.paths import folder, results_root

INJECTED = "injected-parameters"  # papermill's tag of the cell that it adds
_STYLED = re.compile(r"\bT_[0-9a-f]{5}(?=[_\W])")  # pandas' name of a styled table
_ADDRESS = re.compile("(?<= at 0x)[0-9a-f]+")


@dataclass(frozen=True)
class Chapter:
    """One notebook of a study: `source` without outputs, `executed` with them."""

    study: str
    source: Path

    @property
    def executed(self) -> Path:
        return folder(self.study) / "notebooks" / self.source.name

    @property
    def stamp(self) -> Path:
        """What the executed notebook was made from; git ignores it, for it knows the times of the runs."""
        return self.executed.with_suffix(".made_from.json")

    @property
    def page(self) -> str:
        """The name of its page in the report."""
        return f"{self.source.stem}.html"

    @cached_property
    def notebook(self) -> dict[str, Any]:
        try:
            return json.loads(self.source.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise MaskTuneError(f"{self.source.name} is no notebook that can be read; restore it from git") from None

    @property
    def title(self) -> str:
        """The first heading of the notebook."""
        lines = (line for cell in self.notebook["cells"] for line in "".join(cell["source"]).splitlines())
        return next((line[2:].strip() for line in lines if line.startswith("# ")), self.source.stem)

    @property
    def about(self) -> dict[str, Any]:
        return self.notebook["metadata"].get("masktune", {})

    @property
    def inputs(self) -> str:
        """A digest of all that its outputs depend on."""
        if self.about.get("reads") == "package":
            return stamps.digest([self.source, *stamps.source_files()], stamps.versions())
        shown = [results_root() / name.format(study=self.study) for name in self.about.get("files", ())]
        return stamps.digest([self.source, *shown], stamps.results_inputs(self.study))

    @property
    def is_fresh(self) -> bool:
        return stamps.is_fresh(self.stamp, self.inputs)


def of(study: str, notebooks: Path | None = None) -> list[Chapter]:
    """The chapters of a study in their order."""
    sources = paths.chapters() if notebooks is None else sorted(notebooks.glob(paths.CHAPTERS))
    all_chapters = [Chapter(study, source) for source in sources]
    return [chapter for chapter in all_chapters if study in chapter.about.get("studies", [study])]


def execute(chapter: Chapter, preload: Sequence[str] = ()) -> bool:
    """Execute a chapter into results/<study>/notebooks unless it is fresh; returns whether it ran.

    `preload` names modules that its kernel finds imported (`masktune.study.execute.kernels.manager`).
    Raises MaskTuneError when a cell of it raises; an earlier executed notebook then stays as it is.
    """
    if chapter.is_fresh:
        return False
    inputs, private = chapter.inputs, execution.private_folder()
    given = {"study": chapter.study}
    known = parameters_of(chapter.source)
    try:
        result = private / chapter.source.name
        threads = cluster.kernel_environment(cluster.default_jobs())
        parameters = {name: value for name, value in given.items() if name in known}
        execution.execute(chapter.source, result, parameters, private, threads, preload)
        _keep(result, chapter.executed)
        stamps.stamp(chapter.stamp, inputs, [chapter.executed])
    except OSError as error:
        raise MaskTuneError(
            f"cannot write {chapter.executed} ({error.strerror}); free it or set MASKTUNE_RESULTS"
        ) from error
    except _notebook_errors() as error:
        raise MaskTuneError(_one_line(chapter, error)) from error
    finally:
        shutil.rmtree(private, ignore_errors=True)
    return True


def _notebook_errors() -> tuple[type[Exception], ...]:
    from nbclient.exceptions import CellExecutionError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    return PapermillExecutionError, CellExecutionError, DeadKernelError


def _one_line(chapter: Chapter, error: Exception) -> str:
    what = str(error) or type(error).__name__
    if hasattr(error, "ename") and hasattr(error, "evalue"):
        what = f"{error.ename}: {error.evalue}"
    first = what.strip().splitlines()[0]
    where = f"{chapter.source.name} stopped on study {chapter.study!r}"
    return f"{where}: {first}; open it in JupyterLab (make lab) and run it there"


def _keep(result: Path, target: Path) -> None:
    """Put the executed notebook in place without what differs each time.

    That is: papermill's notes, which hold times and paths of this machine, names that papermill and pandas draw at
    random, and where in memory a printed object was.
    """
    notebook = json.loads(result.read_text(encoding="utf-8"))
    for holder in (notebook, *notebook["cells"]):
        for key in ("papermill", "execution"):
            holder["metadata"].pop(key, None)
        if INJECTED in holder["metadata"].get("tags", ()):
            holder["id"] = INJECTED
    text = _ADDRESS.sub("0", json.dumps(notebook, indent=1, ensure_ascii=False))
    write_file(target, _STYLED.sub(_Numbers("T_"), text) + "\n")


class _Numbers(dict):
    """For `re.sub`: each different match becomes `start` with a number, in order of appearance."""

    def __init__(self, start: str):
        super().__init__()
        self.start = start

    def __call__(self, match: re.Match) -> str:
        return self.setdefault(match[0], f"{self.start}{len(self):05d}")
