"""A mirror: a folder that holds the data for a machine without network.

    <folder>/data/<set>.parquet     the sets, under the names of their cards
    <folder>/data/manifest.json     for each: sha256, rows, source, licence, and whether it may be passed on
    <folder>/models/<name>/         checkpoints, put there by hand (see `masktune.pretraining.checkpoints`)

`fill` makes one; `check` reads it and says of every set whether it is what its card promises.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from masktune.data import sources
from masktune.data.card import DataCard
from masktune.data.catalogue import CARDS
from masktune.errors import MaskTuneError, one_of
from masktune.files import digest, write_file

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("set", "rows", "expected", "state", "licence", "may_be_passed_on")
OK, SUBSET, FETCHED, PRESENT = "ok", "ok: subset", "fetched", "present"
UNKNOWN = "ok: its rows, but no digest of it is known"
GOOD = (OK, SUBSET, FETCHED, PRESENT, UNKNOWN)


def good(table: pd.DataFrame) -> bool:
    """Whether every set of a table of `fill` or `check` is in order."""
    return bool(table["state"].isin(GOOD).all())


def fill(folder: str | Path | None = None, sets: Iterable[str] | None = None) -> pd.DataFrame:
    """Fetch sets from the hub and the pinned addresses into a mirror; a row for each set with its state.

    `folder` defaults to MASKTUNE_MIRROR and is made if need be. `sets` are names of cards or beginnings of them
    ("glue/sst2"), all by default. A set that is there already, as manifest and card have it, is not fetched again. A
    set that cannot be fetched, or is not what its card promises, does not stop the others: its state says why, and what
    was there stays. PAWS-QQP is read from the file named in MASKTUNE_PAWS_QQP. Raises MaskTuneError for an unknown set
    and for a folder that cannot be written.
    """
    mirror = _folder(folder)
    wanted = _select(sets)
    _check_writable(mirror)
    sources.read_manifest(mirror)  # a broken one is an error before anything is fetched
    table = _table(_fill_set(card, mirror) for card in wanted)
    with suppress(OSError):  # where nothing could be fetched, nothing stays behind
        (mirror / "data").rmdir()
        mirror.rmdir()
    return table


def check(folder: str | Path | None = None) -> pd.DataFrame:
    """Read every set of a mirror and compare it with its card and the manifest; a row for each set with its state.

    The state is "ok", "ok: subset" where the mirror holds a subset that the card knows, UNKNOWN where neither card nor
    manifest has a digest, or what is wrong. Raises MaskTuneError where there is no such folder.
    """
    mirror = _folder(folder)
    if not mirror.is_dir():
        raise MaskTuneError(f"there is no mirror at {str(mirror)!r}; name another folder, or fill it without --check")
    sources.read_manifest(mirror)
    return _table(_check_set(card, mirror) for card in CARDS.values())


def _folder(folder: str | Path | None) -> Path:
    named = folder or os.environ.get(sources.MIRROR)
    if not named:
        raise MaskTuneError(f"no mirror is named; give a folder, or set {sources.MIRROR}")
    return Path(named).expanduser()


def _select(sets: Iterable[str] | None) -> Sequence[DataCard]:
    if sets is None:
        return tuple(CARDS.values())
    chosen: dict[str, DataCard] = {}
    for name in sets:
        beginning = [card for key, card in CARDS.items() if key.startswith(f"{name.rstrip('/')}/")]
        for card in beginning or [CARDS[one_of(name, CARDS, "data set")]]:
            chosen[card.name] = card
    return tuple(chosen.values())


def _table(rows_of_sets: Iterable[tuple]) -> pd.DataFrame:
    try:
        import pandas as pd
    except ImportError:
        raise MaskTuneError("pandas is not installed, and this needs it; pip install 'masktune[study]'") from None
    return pd.DataFrame(list(rows_of_sets), columns=list(COLUMNS)).astype({"rows": "Int64"})


def _row(card: DataCard, count: int | None, expected: int, state: str) -> tuple:
    return (card.name, count, expected, state, card.licence, card.redistributable)


def _check_writable(mirror: Path) -> None:
    try:
        write_file(mirror / "data" / ".writable", b"")
        (mirror / "data" / ".writable").unlink()
    except OSError as error:
        raise MaskTuneError(
            f"the mirror {str(mirror)!r} cannot be written ({error.strerror}); name another folder"
        ) from None


def _fill_set(card: DataCard, mirror: Path) -> tuple:
    if _is_present(card, mirror):
        return _row(card, card.rows, card.rows, PRESENT)
    try:
        raw = sources.from_source(card)
        sources.verify(raw, card)
        content = _parquet(raw.table.select(list(card.needed)))
        # What is kept is what was written, read again.
        sources.verify(replace(raw, table=pq.read_table(pa.BufferReader(content))), card)
    except MaskTuneError as error:
        return _row(card, None, card.rows, f"not fetched: {error}")
    _store(card, mirror, content)
    return _row(card, raw.rows, card.rows, FETCHED)


def _is_present(card: DataCard, mirror: Path) -> bool:
    """Whether the mirror holds the whole set, as its manifest and its card have it."""
    if not sources.mirror_file(mirror, card.name).is_file():
        return False
    try:
        raw = sources.from_mirror(card, mirror)
        if raw is None:
            return False
        sources.verify(raw, card)
    except MaskTuneError:
        return False
    return raw.expected_sha256 == raw.sha256


def _store(card: DataCard, mirror: Path, content: pa.Buffer) -> None:
    entry = {
        "sha256": digest(content),
        "rows": card.rows,
        "source": str(card.source),
        "licence": card.licence,
        "may_be_passed_on": card.redistributable,
    }
    path = sources.mirror_file(mirror, card.name)
    manifest = dict(sorted({**sources.read_manifest(mirror), card.name: entry}.items()))
    try:
        write_file(path, content)
        write_file(mirror / "data" / sources.MANIFEST, json.dumps(manifest, indent=1) + "\n")
    except OSError as error:
        raise MaskTuneError(f"{path} cannot be written ({error.strerror}); make room or name another folder") from None


def _parquet(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _check_set(card: DataCard, mirror: Path) -> tuple:
    try:
        raw = sources.from_mirror(card, mirror)
        if raw is None:
            return _row(card, None, card.rows, "missing")
        common = sources.verify(raw, card)
    except MaskTuneError as error:
        return _row(card, None, card.rows, str(error))
    state = SUBSET if raw.name != card.name else OK
    known = sources.known_digests(card, raw.name) or raw.expected_sha256
    return _row(card, common.num_rows, raw.rows, state if known else UNKNOWN)
