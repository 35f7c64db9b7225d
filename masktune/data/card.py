"""Data cards: what the package knows about a set of examples, said in one place.

A card says where a set comes from, what its columns mean, how many rows it has, which licence it has and what
is known to be wrong with it. `masktune.data.catalogue` holds the cards of the real data; nothing else repeats them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class HubFile:
    """One Parquet file of a dataset repository on the Hugging Face hub, at a fixed commit."""

    repository: str
    revision: str
    path: str

    def __str__(self) -> str:
        return f"hub dataset {self.repository}, {self.path} at {self.revision[:8]}"


@dataclass(frozen=True)
class PinnedFiles:
    """Text files at addresses that name a commit. `reader` is a name in `masktune.data.formats.READERS`.

    `git_blobs` are the beginnings of the git object ids of the files, where they are known: they are checked.
    """

    urls: tuple[str, ...]
    reader: str
    git_blobs: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " and ".join(self.urls)


@dataclass(frozen=True)
class NamedFile:
    """A file that users make or obtain themselves and name in an environment variable."""

    variable: str
    reader: str
    how: str

    def __str__(self) -> str:
        return f"the file named by {self.variable} ({self.how})"


@dataclass(frozen=True)
class Pairs:
    """A set of edited pairs: every value of `column` has one row of each side, and the two have different labels."""

    column: str
    side_column: str
    sides: tuple[str, str]


@dataclass(frozen=True)
class Subset:
    """A subset that a mirror may hold in place of the whole set: `name` is its place there."""

    name: str
    rows: int
    note: str
    digest: str = ""


@dataclass(frozen=True)
class DataCard:
    """One set of examples.

    `name` is also the set's place in a mirror, `data/<name>.parquet`. `columns` gives, for each common column (see
    `masktune.data.tasks`), the column of the source. `blank_rows` is the known number of rows with an empty text: they
    are dropped, one more is an error. `redistributable` only where the licence clearly allows it.
    `digest` is the digest (`rows.digest`) of what the source gives, `copy_digests` are those of other sound copies that
    a mirror may hold. Where one of them is known, a set that differs is refused (`masktune.data.sources.verify`).
    """

    name: str
    title: str
    rows: int
    columns: Mapping[str, str]
    label_names: tuple[str, ...]
    source: HubFile | PinnedFiles | NamedFile | str
    licence: str
    citation: str
    redistributable: bool = True
    pairs: Pairs | None = None
    subset: Subset | None = None
    blank_rows: int = 0
    faults: str = ""
    digest: str = ""
    copy_digests: tuple[str, ...] = ()

    @property
    def cluster(self) -> str:
        """The source's column that says which examples belong together; "" when each example stands alone."""
        return self.columns.get("cluster_id", "")

    @property
    def paired(self) -> bool:
        """Whether an example is a pair of texts."""
        return "text_pair" in self.columns

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns of the source that are read, each once."""
        sides = (self.pairs.column, self.pairs.side_column) if self.pairs else ()
        return tuple(dict.fromkeys((*self.columns.values(), *sides)))

    def row(self) -> dict[str, object]:
        """The card as a row of a table."""
        return {
            "set": self.name,
            "title": self.title,
            "rows": self.rows,
            "columns": ", ".join(f"{common} = {own}" for common, own in self.columns.items()),
            "labels": ", ".join(self.label_names),
            "cluster": self.cluster,
            "source": str(self.source),
            "licence": self.licence,
            "may be passed on": self.redistributable,
            "citation": self.citation,
            "known faults": self.faults,
        }
