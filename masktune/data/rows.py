"""What must hold of the rows of a set, and their common form.

`validate` is called on everything that is read, wherever it comes from: a fault is an error that names file, row
(counted from 0) and value.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict

import pyarrow as pa
import pyarrow.compute as pc

from masktune.data.card import DataCard, Pairs
from masktune.errors import MaskTuneError

COMMON = ("example_id", "cluster_id", "group", "text", "text_pair", "label")
SIDE = "side"


def _fault(where: str, row: int, said: str) -> MaskTuneError:
    return MaskTuneError(f"{where}: row {row}: {said}; correct or replace the file")


def _first(mask: pa.ChunkedArray) -> int | None:
    """The index of the first true value."""
    index = pc.index(mask, True).as_py()
    return None if index < 0 else index


def _check_columns(table: pa.Table, card: DataCard, where: str) -> None:
    for column in card.needed:
        if column not in table.column_names:
            raise MaskTuneError(
                f"{where}: no column {column!r}, which {card.name} needs; found {', '.join(table.column_names)}"
            )


def _check_nulls(table: pa.Table, card: DataCard, where: str) -> None:
    for column in card.needed:
        row = _first(pc.is_null(table[column]))
        if row is not None:
            raise _fault(where, row, f"no value in column {column!r}")


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _drop_blank_texts(table: pa.Table, card: DataCard, where: str) -> pa.Table:
    """The table without the blank rows that the card knows of; more of them, or something not text, is an error."""
    blank = pa.chunked_array([pa.array([False] * table.num_rows)])
    for column in filter(None, (card.columns["text"], card.columns.get("text_pair"))):
        if not _is_text(table.schema.field(column).type):
            value = table[column][0].as_py() if table.num_rows else ""
            raise _fault(where, 0, f"{value!r} in column {column!r} is not text")
        empty = pc.equal(pc.utf8_trim_whitespace(table[column].cast(pa.string())), "")
        row = _first(empty)
        if row is not None and not card.blank_rows:
            raise _fault(where, row, f"empty text {table[column][row].as_py()!r} in column {column!r}")
        blank = pc.or_(blank, empty)
    row, count = _first(blank), pc.sum(blank).as_py() or 0
    if row is not None and count > card.blank_rows:
        raise _fault(where, row, f"empty text, the first of {count}, expected at most {card.blank_rows}")
    return table.filter(pc.invert(blank)) if count else table


def _check_labels(table: pa.Table, card: DataCard, where: str) -> None:
    column = card.columns["label"]
    labels = table[column]
    if not pa.types.is_integer(labels.type):
        value = labels[0].as_py() if table.num_rows else ""
        raise _fault(where, 0, f"label {value!r} in column {column!r} is not a whole number")
    row = _first(pc.or_(pc.less(labels, 0), pc.greater_equal(labels, len(card.label_names))))
    if row is not None:
        names = ", ".join(f"{number} ({name})" for number, name in enumerate(card.label_names))
        raise _fault(where, row, f"label {labels[row].as_py()} in column {column!r}, expected one of {names}")


def _check_pairs(table: pa.Table, pairs: Pairs, label_column: str, where: str) -> None:
    rows_of: dict[object, list[tuple[int, str, int]]] = defaultdict(list)
    columns = (table[pairs.column], table[pairs.side_column], table[label_column])
    for row, (pair, side, label) in enumerate(zip(*(column.to_pylist() for column in columns), strict=True)):
        if side not in pairs.sides:
            raise _fault(where, row, f"{pairs.side_column} {side!r}, expected {' or '.join(pairs.sides)}")
        rows_of[pair].append((row, side, label))
    for pair, members in rows_of.items():
        sides = sorted(side for _, side, _ in members)
        if sides != sorted(pairs.sides):
            said = f"pair {pair!r} has {' and '.join(sides)}, expected one {' and one '.join(pairs.sides)}"
            raise _fault(where, members[0][0], said)
        if members[0][2] == members[1][2]:
            raise _fault(where, members[1][0], f"both sides of pair {pair!r} have label {members[0][2]}")


def _check_unique(identifiers: pa.ChunkedArray, where: str) -> None:
    if pc.count_distinct(identifiers).as_py() == len(identifiers):
        return
    seen: dict[str, int] = {}
    for row, identifier in enumerate(identifiers.to_pylist()):
        if identifier in seen:
            raise _fault(where, row, f"example {identifier!r} occurs in row {seen[identifier]} already")
        seen[identifier] = row


def _identifiers(table: pa.Table, card: DataCard) -> pa.ChunkedArray:
    if card.pairs is None:
        return table[card.columns["example_id"]].cast(pa.string())
    pair = table[card.pairs.column].cast(pa.string())
    return pc.binary_join_element_wise(pair, table[card.pairs.side_column].cast(pa.string()), "/")


def _to_common(table: pa.Table, card: DataCard) -> pa.Table:
    identifiers = _identifiers(table, card)
    label = table[card.columns["label"]].cast(pa.int64())
    group = pa.array([""] * table.num_rows)
    if "group" in card.columns:
        slices = table[card.columns["group"]].cast(pa.string())
        group = pc.binary_join_element_wise(slices, label.cast(pa.string()), "/")
    columns = {
        "example_id": identifiers,
        "cluster_id": table[card.cluster].cast(pa.string()) if card.cluster else identifiers,
        "group": group,
        "text": table[card.columns["text"]].cast(pa.string()),
    }
    if card.paired:
        columns["text_pair"] = table[card.columns["text_pair"]].cast(pa.string())
    columns["label"] = label
    if card.pairs:
        columns[SIDE] = table[card.pairs.side_column].cast(pa.string())
    return pa.table(columns)


def validate(table: pa.Table, card: DataCard, rows: int, where: str) -> pa.Table:
    """The rows of a set with the common columns (and `side` where the card has pairs), after checking them.

    `rows` is the expected number, `where` the file's name for messages. Raises MaskTuneError for a missing column, an
    empty field, a field that is not text, a label out of range, another number of rows, an incomplete pair and an
    example that occurs twice.
    """
    _check_columns(table, card, where)
    if table.num_rows != rows:
        raise MaskTuneError(f"{where}: {table.num_rows:,} rows, expected {rows:,} for {card.name}; replace the file")
    _check_nulls(table, card, where)
    table = _drop_blank_texts(table, card, where)
    _check_labels(table, card, where)
    if card.pairs:
        _check_pairs(table, card.pairs, card.columns["label"], where)
    common = _to_common(table, card)
    _check_unique(common["example_id"], where)
    return common


def digest(common: pa.Table) -> str:
    """sha256 of the texts and labels in their order: equal for equal sets, whatever the file format."""
    sha256 = hashlib.sha256()
    for batch in common.select([name for name in COMMON[3:] if name in common.column_names]).to_batches():
        joined = pc.binary_join_element_wise(*(column.cast(pa.string()) for column in batch.columns), "\x1f")
        _, _, texts = pc.binary_join_element_wise(joined, "", "\x1e").buffers()
        sha256.update(texts)
    return sha256.hexdigest()
