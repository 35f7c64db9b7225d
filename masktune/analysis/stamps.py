"""Folders that appear whole, and stamps that say what files were made from, so that nothing is made twice."""

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from masktune import files
from masktune.errors import MaskTuneError
from masktune.study.paths import study_file, trials_file
from masktune.study.store import gather, neutral

_PACKAGE = Path(__file__).resolve().parents[1]
_SHAPING = ("matplotlib", "nbconvert", "numpy", "pandas", "scipy", "seaborn", "statsmodels", "torch", "transformers")


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `target` at the end, and vanishes if an error comes first.

    Raises MaskTuneError, naming the folder, where it cannot be written.
    """
    try:
        with files.replace_folder(target) as unfinished:
            yield unfinished
    except OSError as error:
        reason = error.strerror or str(error)
        raise MaskTuneError(f"cannot write {str(target)!r} ({reason}); free it or set MASKTUNE_RESULTS") from error


def digest(paths: Iterable[Path], *texts: str) -> str:
    """sha256 of the contents of files (a missing one counts as empty) and of texts, order and names included."""
    contents = [f"\0{path.name}\0{files.digest(path.read_bytes() if path.is_file() else b'')}" for path in paths]
    return files.digest("".join([json.dumps(texts), *contents]))


def source_files() -> list[Path]:
    """The Python files of masktune: what claims compare and a method's defaults are defined outside analysis."""
    return sorted(_PACKAGE.rglob("*.py"))


def results_inputs(study_name: str) -> str:
    """A digest of all that the tables and figures of a study depend on: its claims are in its TOML."""
    trials = trials_file(study_name)
    known = [study_file(study_name), trials, neutral.file()]
    return digest([*gather.files(study_name), *known, *source_files()], versions())


def versions() -> str:
    """Python and the packages whose version shows in results, one line."""
    parts = [f"python {sys.version_info.major}.{sys.version_info.minor}"]
    for name in _SHAPING:
        with contextlib.suppress(metadata.PackageNotFoundError):
            parts.append(f"{name} {metadata.version(name)}")
    return ", ".join(parts)


def stamp(path: Path, inputs: str, made_files: Iterable[Path]) -> None:
    """Write what files were made from, and what they were when they were made; names are relative to the stamp."""
    made = {str(file.relative_to(path.parent).as_posix()): digest([file]) for file in sorted(made_files)}
    files.write_file(path, json.dumps({"inputs": inputs, "files": made}, indent=1) + "\n")


def is_fresh(path: Path, inputs: str) -> bool:
    """Whether a stamp was made from the same inputs and all its files are still what they were."""
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        same = made["inputs"] == inputs
        return same and all(digest([path.parent / name]) == known for name, known in made["files"].items())
    except (OSError, ValueError, KeyError, AttributeError):
        return False
