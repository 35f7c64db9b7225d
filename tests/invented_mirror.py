"""Invented sentences in the layout of a mirror."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from masktune.data import rows
from masktune.data.catalogue import CARDS

ROWS = 12


def rows_for(card, count: int = ROWS) -> dict[str, list]:
    """Columns of a set as its card asks for them; pairs lie next to each other."""
    columns = {}
    for column in card.needed:
        columns[column] = [f"{column} of example {number} in {card.name}" for number in range(count)]
    for column in {"idx"} & columns.keys():
        columns[column] = list(range(count))
    columns[card.columns["label"]] = [number % len(card.label_names) for number in range(count)]
    if card.pairs:
        columns[card.pairs.column] = [number // 2 + 7 for number in range(count)]
        columns[card.pairs.side_column] = [card.pairs.sides[number % 2] for number in range(count)]
    if "group" in card.columns:
        columns["heuristic"] = ["lexical_overlap" if number < count // 2 else "constituent" for number in range(count)]
        columns["subcase"] = [f"subcase {number // 3}" for number in range(count)]
    return columns


def save(path, columns) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def know(monkeypatch, *names) -> None:
    """Give the cards of sets, or of subsets, the digest of their invented rows."""
    for name in names:
        card = CARDS[name.removesuffix("_subset")]
        count = ROWS if name == card.name else ROWS // 2
        digest = rows.digest(rows.validate(pa.table(rows_for(card, count)), card, count, name))
        changes = {"digest": digest} if name == card.name else {"subset": replace(card.subset, digest=digest)}
        monkeypatch.setitem(CARDS, card.name, replace(card, **changes))
