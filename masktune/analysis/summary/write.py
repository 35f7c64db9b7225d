"""Write RESULTS.md, and what is generated in README and in the deviations log.

A generated part of a file lies between two comments: `<!-- NAME: by python -m masktune summary -->` and
`<!-- end of NAME -->`.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from masktune.analysis.summary import agreement, history, page, readme
from masktune.analysis.summary.records import read
from masktune.errors import MaskTuneError
from masktune.files import write_file
from masktune.study.paths import results_root

README, LOG = Path("README.md"), Path("studies") / "deviations.md"


def write() -> list[Path]:
    """Bring RESULTS.md, README and the log up to date; returns the files that changed.

    With $MASKTUNE_RESULTS, results that are elsewhere than the project, RESULTS.md goes there and nothing else is
    written. A project of one's own needs neither README nor log. Raises MaskTuneError where a mark is missing.
    """
    records = read()
    elsewhere = bool(os.environ.get("MASKTUNE_RESULTS"))
    home = results_root() if elsewhere else results_root().parent
    made = {home / "RESULTS.md": page.write(records, agreement.bullets(results_root()))}
    if not elsewhere:
        made |= _filled(home / README, {"findings": readme.write(records), "studies": readme.studies(records)})
        made |= _filled(home / LOG, history.tables(records))
    return [path for path, text in made.items() if _changed(path, text)]


def _filled(path: Path, parts: Mapping[str, str]) -> dict[Path, str]:
    """The file with its generated parts, by its path; nothing where there is no such file."""
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8")
    for name, content in parts.items():
        text = fill(text, name, content, path.name)
    return {path: text}


def fill(text: str, name: str, content: str, file: str) -> str:
    """The text with `content` between the marks of `name`. Raises MaskTuneError where they are not there once."""
    marks = f"<!-- {name}: by {page.COMMAND} -->", f"<!-- end of {name} -->"
    if any(text.count(mark) != 1 for mark in marks):
        raise MaskTuneError(f"{file} lacks the lines {marks[0]!r} and {marks[1]!r}; put them where the part belongs")
    pattern = re.compile(f"({re.escape(marks[0])}\n).*?({re.escape(marks[1])})", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}\n{content}\n\n{found[2]}", text)


def _changed(path: Path, text: str) -> bool:
    """Write the file where its text is another; whether it was."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    try:
        write_file(path, text)
    except OSError as error:
        raise MaskTuneError(f"cannot write {path} ({error.strerror}); free it or set MASKTUNE_RESULTS") from error
    return True
