"""What the site has beside its pages: figures for light and dark pages, tables to download."""

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from masktune.errors import MaskTuneError
from masktune.site import pictures


@dataclass(frozen=True)
class Files:
    """`root` is the repository, `target` the folder whose content is copied to the top of the site.

    What is there already is not made again: turning a bitmap over takes longer than reading it. `says` has what figures
    of studies show, in words, by their path without suffix.
    """

    root: Path
    target: Path
    kept: set[Path] = field(default_factory=set)
    says: dict[str, str] = field(default_factory=dict)

    def figures_of(self, source: str, page: str) -> Callable[[str], tuple[str, str]]:
        """A function that takes into the site what the file `source` shows, as `masktune.site.markdown.page` asks."""
        return lambda file: self.figure(posixpath.join(posixpath.dirname(source), file), page)

    def figure(self, path: str, page: str) -> tuple[str, str]:
        """An SVG file of the repository for both grounds: where it is, seen from the page, without suffix; its text."""
        whole = self.root / path
        if whole.suffix != ".svg" or not whole.is_file():
            raise MaskTuneError(f"{page} shows {path}, which is no SVG file of the repository")
        name = posixpath.normpath(path).removesuffix(".svg")
        self.drawing(whole, name)
        return posixpath.relpath(name, posixpath.dirname(page) or "."), self.says.get(name, "")

    def drawing(self, source: Path, name: str) -> None:
        """An SVG file for both grounds, below a name without suffix."""
        self._both_grounds(name, ".svg", source.read_bytes(), pictures.dark_svg)

    def bitmap(self, picture: bytes, name: str, page: str) -> str:
        """A PNG for both grounds; where it is, seen from the page, without suffix."""
        self._both_grounds(name, ".png", picture, pictures.dark_png)
        return posixpath.relpath(name, posixpath.dirname(page) or ".")

    def text(self, name: str, content: str) -> None:
        """A file of text."""
        self._write(name, content.encode())

    def folder(self, source: Path, name: str) -> None:
        """Copies of the files of a folder."""
        for path in sorted(source.iterdir()):
            self._write(f"{name}/{path.name}", path.read_bytes())

    def remove_others(self) -> None:
        """Remove what an earlier site had and this one has not."""
        for path in self.target.rglob("*.*"):
            if path not in self.kept and path.is_file():
                path.unlink()

    def _both_grounds(self, name: str, suffix: str, light: bytes, turn: Callable[[bytes], bytes]) -> None:
        dark = self.target / f"{name}-dark{suffix}"
        if self._write(f"{name}{suffix}", light) or not dark.is_file():
            self._write(f"{name}-dark{suffix}", turn(light))
        self.kept.add(dark)

    def _write(self, name: str, content: bytes) -> bool:
        """Write a file unless it has this content; returns whether it was written."""
        path = self.target / name
        self.kept.add(path)
        if path.is_file() and path.read_bytes() == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return True
