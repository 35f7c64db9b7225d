"""Rows to examples: texts, and labels as the words that the user has for them.

Rows without a text or a label are left out and counted. A label is a text: 1, 1.0 and "1 " are the class "1".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from masktune.errors import MaskTuneError
from masktune.own.data.columns import Columns
from masktune.own.data.reading import Rows
from masktune.own.settings import option

if TYPE_CHECKING:
    import datasets

NO_TEXT, NO_LABEL = "no text", "no label"
MISSING = "nan"  # what pandas writes for nothing
MANY = 20  # classes beyond which each has to have ROWS_A_CLASS rows on average
ROWS_A_CLASS = 5


@dataclass(frozen=True)
class Examples:
    """The n examples of one file, or of a part of it.

    texts     n texts, or pairs of them
    labels    n names of classes; "" for all where the file was read without labels
    rows      the row of each in its file, counted from 1
    left_out  how many rows have no text, and how many no label
    numbers   how many texts are numbers in the file, and were read as text
    clusters  to which of the user's clusters each belongs, "" for one alone; empty where none are named
    """

    name: str
    sha256: str
    texts: list[tuple[str, ...]]
    labels: list[str]
    rows: list[int]
    left_out: Mapping[str, int] = field(default_factory=dict)
    numbers: int = 0
    notes: tuple[str, ...] = ()
    clusters: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def counts(self) -> dict[str, int]:
        """How many examples each class has, in the order of `label_names`."""
        counted = Counter(self.labels)
        return {name: counted[name] for name in label_names(self.labels)}

    def keys(self) -> list[tuple[str, ...]]:
        """What examples have in common that count as the same: the texts without case and spacing."""
        return [tuple(" ".join(text.casefold().split()) for text in texts) for texts in self.texts]

    def together(self) -> list[int]:
        """For each example the number of the first with which it belongs together: by its texts, or by a cluster."""
        first: dict[tuple[Any, ...], int] = {}
        parent = list(range(len(self)))

        def root(number: int) -> int:
            while parent[number] != number:
                number = parent[number]
            return number

        for number, key in enumerate(self.keys()):
            cluster = self.clusters[number] if self.clusters else ""
            for mark in (("texts", *key), *([("cluster", cluster)] if cluster else [])):
                ends = root(first.setdefault(mark, number)), root(number)
                parent[max(ends)] = min(ends)
        return list(map(root, range(len(self))))

    def select(self, chosen: Sequence[int]) -> Examples:
        """Those with these numbers, in this order."""
        texts, labels = [self.texts[index] for index in chosen], [self.labels[index] for index in chosen]
        clusters = [self.clusters[index] for index in chosen] if self.clusters else []
        rows = [self.rows[index] for index in chosen]
        return Examples(self.name, self.sha256, texts, labels, rows, clusters=clusters)

    def dataset(self, names: Sequence[str]) -> datasets.Dataset:
        """The columns text, text_pair (of pairs) and label, an index into `names`, as `masktune.data` has them."""
        import datasets

        index = {name: number for number, name in enumerate(names)}
        columns: dict[str, list[Any]] = {"text": [texts[0] for texts in self.texts]}
        if self.texts and len(self.texts[0]) == 2:
            columns["text_pair"] = [texts[1] for texts in self.texts]
        return datasets.Dataset.from_dict(columns | {"label": [index.get(label, -1) for label in self.labels]})


def collect(rows: Rows, columns: Columns, renamed: Mapping[str, str] | None = None) -> Examples:
    """The examples of a file, its labels renamed where `renamed` has another name for one.

    Raises MaskTuneError for a column whose values are no texts, or no classes.
    """
    chosen: list[tuple[tuple[str, ...], str, int]] = []
    left_out: Counter[str] = Counter()
    numbers = 0
    labels = _labels(rows, columns.label, renamed or {})
    texts_of_rows = zip(*_texts(rows, columns), strict=True)
    for row, (values, label) in enumerate(zip(texts_of_rows, labels, strict=True), start=1):
        texts = tuple(map(text_of, values))
        if not all(texts):
            left_out[NO_TEXT] += 1
        elif label is None:
            left_out[NO_LABEL] += 1
        else:
            numbers += any(not isinstance(value, str) for value in values)
            chosen.append((texts, label, row))
    return Examples(
        rows.name,
        rows.sha256,
        [texts for texts, _, _ in chosen],
        [label for _, label, _ in chosen],
        [row for _, _, row in chosen],
        dict(left_out),
        numbers,
        rows.notes,
        [label_of(rows.columns[columns.cluster][row - 1]) or "" for _, _, row in chosen] if columns.cluster else [],
    )


def _texts(rows: Rows, columns: Columns) -> list[list[Any]]:
    """The columns of text. Raises MaskTuneError for one that holds numbers, or what is no text at all."""
    found = [rows.columns[name] for name in columns.texts]
    for name, values in zip(columns.texts, found, strict=True):
        strange = next((value for value in values if isinstance(value, list | dict | bytes)), None)
        if strange is not None:
            raise MaskTuneError(f"{rows.path}: column {name!r} holds {str(strange)[:40]!r}, which is no text; --text")
        there = [text for text in map(text_of, values) if text]
        if there and all(map(is_number, there)):
            raise MaskTuneError(
                f"{rows.path}: column {name!r} holds numbers ({there[0]} ...) and no text; name another with --text: "
                f"there are {rows.names()}"
            )
    return found


def _labels(rows: Rows, column: str | None, renamed: Mapping[str, str]) -> list[str | None]:
    if column is None:
        return [""] * len(rows)
    strange = next((value for value in rows.columns[column] if isinstance(value, list | dict | bytes)), None)
    if strange is not None:
        raise MaskTuneError(
            f"{rows.path}: the label {str(strange)[:40]!r} in column {column!r} is no class; an example has one class"
        )
    labels = list(map(label_of, rows.columns[column]))
    unknown = sorted(set(renamed) - set(labels))
    if unknown and not set(renamed) & set(labels):
        given = option("--rename-labels", f"{unknown[0]}={renamed[unknown[0]]}")
        raise MaskTuneError(f"{rows.path}: {given}: no label {unknown[0]!r} in {column!r}")
    return [None if label is None else renamed.get(label, label) for label in labels]


def text_of(value: Any) -> str:
    """A value as text; "" where there is none (nothing, NaN, blanks)."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    text = str(value)
    return "" if not text.strip() or text.strip().casefold() == MISSING else text


def label_of(value: Any) -> str | None:
    """The name of a class; None where there is none. A whole number is written without decimal places."""
    text = text_of(value).strip()
    if not text:
        return None
    whole, point, decimals = text.partition(".")
    return whole if point and whole.lstrip("-").isdecimal() and set(decimals) == {"0"} else text


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def label_names(labels: Sequence[str]) -> list[str]:
    """The classes in their order: numbers by value, words by the alphabet."""
    names = set(labels)
    if all(map(is_number, names)):
        return sorted(names, key=lambda name: (float(name), name))
    return sorted(names, key=lambda name: (name.casefold(), name))


def doubtful(names: Sequence[str]) -> str:
    """Why these names of classes may be two ways to write the same; "" where nothing says so."""
    numbers = [name for name in names if is_number(name)]
    words = [name for name in names if not is_number(name)]
    if numbers and words:
        return f"some labels are numbers ({_few(numbers)}) and some are words ({_few(words)})"
    for name in names:
        twin = next((other for other in names if other != name and other.casefold() == name.casefold()), None)
        if twin is not None:
            return f"the labels {name!r} and {twin!r} differ in capitals alone"
    return ""


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def fault_of_labels(examples: Examples, column: str, renamed: Mapping[str, str]) -> str:
    """Why these labels cannot be trained on, and what to do; "" where they can."""
    counts = examples.counts
    names = list(counts)
    if not names:
        return "no row has a text and a label"
    if len(names) == 1:
        return f"every row has the label {names[0]!r}; a classifier needs two classes or more"
    if sum("." in name for name in names if is_number(name)) > 1 and all(map(is_number, names)):
        return f"column {column!r} holds numbers with decimal places ({_few(names)}), no classes"
    if len(names) > MANY and len(names) * ROWS_A_CLASS > len(examples):
        return f"column {column!r} holds {len(names):,} different values in {len(examples):,} rows; expected classes"
    doubt = "" if renamed else doubtful(names)
    if doubt:
        first = next((name for name in names if is_number(name)), names[0])
        renaming = option("--rename-labels", f"{first}=NAME")
        return f"{doubt}: are they the same classes? Say what they mean, as {renaming} ..."
    return ""
