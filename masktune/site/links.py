"""Where a file of the repository is on the site.

A link to a file that has a page goes to that page, one to any other text of the repository to a page with its source,
one to a folder to a page with its files.
"""

import posixpath
from dataclasses import dataclass, field
from pathlib import Path

from masktune.errors import MaskTuneError

APART = "orphan: true\nnosearch: true"  # of a page: in no list of pages, and not found by the search
SOURCE = "source"  # the folder of pages that show a file as it is
LISTED = {".py": "python", ".toml": "toml", ".yml": "yaml", ".md": "markdown", ".txt": "text", ".cff": "yaml",
          ".csv": "text", ".json": "json", "": "text"}  # fmt: skip


@dataclass
class Places:
    """`pages` has the page of each file, "README.md": "index"; both are paths without a leading slash.

    `shown` collects the files and folders that links ask to see and that have no page of their own.
    """

    root: Path
    pages: dict[str, str]
    shown: dict[str, str] = field(default_factory=dict)

    def href(self, target: str, source: str, page: str) -> str:
        """The address for a link to `target` that stands in the file `source` and is shown on `page`.

        A target that begins with a slash starts at the top of the repository. Addresses of other sites and of places on
        the same page stay as they are. Raises MaskTuneError for a file that is not there.
        """
        path, _, anchor = target.partition("#")
        if not path or ":" in path.split("/")[0]:
            return target
        whole = posixpath.normpath(posixpath.join(posixpath.dirname(source), path)).lstrip("/")
        found = self.page_of(whole, source)
        address = posixpath.relpath(f"{found}.html", posixpath.dirname(page) or ".")
        return f"{address}#{anchor}" if anchor else address

    def page_of(self, path: str, source: str) -> str:
        """The page that shows a file or a folder of the repository."""
        if path in self.pages:
            return self.pages[path]
        return self._show(path, source)

    def source(self, path: str, page: str) -> str:
        """The address of a page that shows a file as it is, even where another page tells of it."""
        return posixpath.relpath(f"{self._show(path, page)}.html", posixpath.dirname(page) or ".")

    def _show(self, path: str, source: str) -> str:
        whole = self.root / path
        if not whole.exists() or path.startswith(".."):
            raise MaskTuneError(f"{source} links to {path}, which is not there; mend the link")
        name = f"{SOURCE}/{path}/index" if whole.is_dir() else f"{SOURCE}/{path}"
        self.shown[path] = name
        return name


def listing(places: Places, path: str, page: str) -> str:
    """The page of a file that is shown as it is, or of a folder: its files."""
    whole = places.root / path
    if whole.is_dir():
        return _folder(places, whole, path, page)
    language = LISTED.get(whole.suffix)
    if language is None:
        raise MaskTuneError(f"{path} is linked to and cannot be shown as text; link to something else")
    text = whole.read_text(encoding="utf-8").rstrip()
    return f"---\n{APART}\n---\n\n# `{path}`\n\n{fence(text, language)}\n"


def _folder(places: Places, whole: Path, path: str, page: str) -> str:
    names = sorted(item.name for item in whole.iterdir() if not item.name.startswith((".", "__")))
    lines = [_item(places, f"{path}/{name}", name, page) for name in names]
    return "\n".join(["---", APART, "---", "", f"# `{path}`", "", *lines, ""])


def _item(places: Places, path: str, name: str, page: str) -> str:
    """A file of a folder: with a link where it can be shown; another folder is named alone, but for one with a page."""
    whole = places.root / path
    if path in places.pages or (whole.is_file() and whole.suffix in LISTED):
        return f"- [`{name}`]({places.href(name, path, page)})"
    return f"- `{name}`"


def fence(text: str, language: str) -> str:
    """A block of code, in a fence that is longer than any in it."""
    ticks = "```"
    while ticks in text:
        ticks += "`"
    return f"{ticks}{language}\n{text}\n{ticks}"
