"""The results of a study as a page, computed from its stored runs as its report is, and the claims of all studies."""

import re
from html import unescape
from pathlib import Path

from masktune.analysis.report import contents
from masktune.site import markdown, pictures
from masktune.site.files import Files
from masktune.site.links import Places
from masktune.study.design.load import load_study
from masktune.study.paths import folder

_PICTURE = re.compile(r'<img src="(figures/[\w-]+)\.svg" alt="([^"]*)">')
TOLD_FIRST = ("Statement", "Verdict", "Difference [95 %]")  # of the table of claims
_LOG = "studies/deviations.md"


def page(study: str, name: str, places: Places, files: Files) -> str:
    """The page `name` of a study: the sections of its report's first page. Its figures and tables go beside it."""
    _take(folder(study), name, files)
    sections = contents.sections(load_study(study))
    beside = name.rpartition("/")[0]
    files.says.update({f"{beside}/{match[1]}": unescape(match[2]) for match in _PICTURE.finditer(_html(sections))})
    parts = [_section(section, name, places) for section in sections]
    return "\n\n".join(parts) + "\n"


def _html(sections: list[contents.Section]) -> str:
    return "".join(section.body for section in sections)


def _take(results: Path, name: str, files: Files) -> None:
    """Figures and tables of a study, for the page and to download."""
    beside = name.rpartition("/")[0]
    for kind in ("figures", "tables"):
        files.folder(results / kind, f"{beside}/{kind}")
    for drawing in sorted((results / "figures").glob("*.svg")):
        files.drawing(drawing, f"{beside}/figures/{drawing.stem}")


def _section(section: contents.Section, name: str, places: Places) -> str:
    body = section.body.replace('href="deviations.html"', f'href="{places.href("/" + _LOG, "/", name)}"')
    anchor = f'<span id="table-{section.name}"></span>\n' if section.name else ""
    return f"{'#' * section.level} {markdown.plain(section.title)}\n\n{markdown.raw(anchor + _two_grounds(body))}"


def _two_grounds(html: str) -> str:
    """HTML with each figure once for light pages and once for dark ones."""
    return _PICTURE.sub(lambda match: pictures.images(f"{match[1]}.svg", f"{match[1]}-dark.svg", match[2]), html)


def claims(studies: list[str]) -> str:
    """One page with what became of the declared claims of every study, from its stored table."""
    parts = [
        "# Claims",
        "What each study claims was declared before it ran. A verdict says what the stored runs make of the claim;"
        " where a row did not train, or the set cannot tell a robust model from another, there is none.",
    ]
    for study in studies:
        stored = folder(study) / "tables" / "claims_page.md"
        if stored.is_file():
            title = markdown.plain(load_study(study).title)
            parts += [f"## {title}", f"Every number is on [the page of the study]({study}/index.html)."]
            parts.append(_told_first(stored.read_text(encoding="utf-8").partition("\n\n")[2].strip()))
    return "\n\n".join(parts) + "\n"


def _told_first(text: str) -> str:
    """A table in Markdown, and what follows it, with the columns in front that a reader comes for."""
    lines = [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("|")]
    if not lines:  # none of the claims has a run
        return text
    first = [lines[0].index(name) for name in TOLD_FIRST if name in lines[0]]
    order = [*first, *(column for column in range(len(lines[0])) if column not in first)]
    table = ("| " + " | ".join(cells[column] for column in order) + " |" for cells in lines)
    rest = [line for line in text.splitlines() if not line.startswith("|")]
    return "\n".join([*table, *rest])
