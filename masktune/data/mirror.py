"""A mirror: a folder that holds the data for a machine without network.

    <folder>/data/<set>.parquet     the sets, under the names of their cards
    <folder>/data/manifest.json     for each: sha256, rows, source, licence, and whether it may be passed on
    <folder>/models/<name>/         checkpoints, put there by hand (see `masktune.checkpoints`)

`fill` makes one, `check` reads it again and says of every set whether it is what its card promises.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from masktune.data import rows, sources
from masktune.data.card import DataCard
from masktune.data.catalogue import CARDS
from masktune.errors import MaskTuneError, one_of

MANIFEST = "manifest.json"
COLUMNS = ("set", "rows", "expected", "state", "licence", "may_be_passed_on")
OK, PART, FETCHED, PRESENT = "ok", "ok: subset", "fetched", "present"
GOOD = (OK, PART, FETCHED, PRESENT)


def good(table: pd.DataFrame) -> bool:
    """Whether every set of a table of `fill` or `check` is in order."""
    return bool(table["state"].isin(GOOD).all())


def fill(folder: str | Path | None = None, sets: Iterable[str] | None = None) -> pd.DataFrame:
    """Fetch sets from the hub and the pinned addresses into a mirror; a row for each set with its state.

    `folder` defaults to MASKTUNE_MIRROR and is made if need be. `sets` are names of cards or beginnings of them
    ("glue/sst2"), all by default. A set that is there already, as the manifest has it, is not fetched again. A set that
    cannot be had does not stop the others: its state says why. PAWS-QQP is read from the file named in
    MASKTUNE_PAWS_QQP. Raises MaskTuneError for an unknown set and for a folder that cannot be written.
    """
    mirror = _folder(folder)
    wanted = _wanted(sets)
    _writable(mirror)
    table = _table(_filled(card, mirror) for card in wanted)
    with suppress(OSError):  # where nothing could be had, nothing stays behind
        (mirror / "data").rmdir()
        mirror.rmdir()
    return table


def check(folder: str | Path | None = None) -> pd.DataFrame:
    """Read every set of a mirror and compare it with its card and the manifest; a row for each set with its state.

    The state is "ok", "ok: subset" where the mirror holds a part that the card knows of, or what is wrong. Raises
    MaskTuneError where there is no such folder.
    """
    mirror = _folder(folder)
    if not mirror.is_dir():
        raise MaskTuneError(f"there is no mirror at {str(mirror)!r}; name another folder, or fill it without --check")
    manifest = _manifest(mirror)
    return _table(_examined(card, mirror, manifest) for card in CARDS.values())


def _folder(folder: str | Path | None) -> Path:
    named = folder or os.environ.get(sources.MIRROR)
    if not named:
        raise MaskTuneError(f"no mirror is named; give a folder, or set {sources.MIRROR}")
    return Path(named).expanduser()


def _wanted(sets: Iterable[str] | None) -> Sequence[DataCard]:
    if sets is None:
        return tuple(CARDS.values())
    chosen: dict[str, DataCard] = {}
    for name in sets:
        beginning = [card for key, card in CARDS.items() if key.startswith(f"{name.rstrip('/')}/")]
        for card in beginning or [CARDS[one_of(name, CARDS, "data set")]]:
            chosen[card.name] = card
    return tuple(chosen.values())


def _table(rows_of_sets: Iterable[tuple]) -> pd.DataFrame:
    return pd.DataFrame(list(rows_of_sets), columns=list(COLUMNS)).astype({"rows": "Int64"})


def _row(card: DataCard, count: int | None, expected: int, state: str) -> tuple:
    return (card.name, count, expected, state, card.licence, card.redistributable)


def _writable(mirror: Path) -> None:
    try:
        sources.write(mirror / "data" / ".writable", b"")
        (mirror / "data" / ".writable").unlink()
    except OSError as error:
        raise MaskTuneError(
            f"the mirror {str(mirror)!r} cannot be written ({error.strerror}); name another folder"
        ) from None


def _manifest(mirror: Path) -> dict[str, dict]:
    path = mirror / "data" / MANIFEST
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        raise MaskTuneError(f"{path}: not a readable manifest; remove it and fill the mirror again") from None


def _filled(card: DataCard, mirror: Path) -> tuple:
    manifest = _manifest(mirror)
    path = sources.mirror_file(mirror, card.name)
    listed = manifest.get(card.name, {})
    if listed and path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == listed["sha256"]:
        return _row(card, listed["rows"], card.rows, PRESENT)
    try:
        found = sources.from_source(card)
        rows.checked(found.table, card, found.rows, found.where)
    except MaskTuneError as error:
        return _row(card, None, card.rows, f"not fetched: {error}")
    content = _parquet(found.table.select(list(card.needed)))
    entry = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "rows": found.rows,
        "source": str(card.source),
        "licence": card.licence,
        "may_be_passed_on": card.redistributable,
    }
    manifest = dict(sorted({**manifest, card.name: entry}.items()))
    try:
        sources.write(path, content)
        sources.write(mirror / "data" / MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
    except OSError as error:
        raise MaskTuneError(f"{path} cannot be written ({error.strerror}); make room or name another folder") from None
    return _row(card, found.rows, card.rows, FETCHED)


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def _examined(card: DataCard, mirror: Path, manifest: dict[str, dict]) -> tuple:
    try:
        found = sources.from_mirror(card, mirror)
        if found is None:
            return _row(card, None, card.rows, "missing")
        common = rows.checked(found.table, card, found.rows, found.where)
    except MaskTuneError as error:
        return _row(card, None, card.rows, str(error))
    part = found.name != card.name
    listed = manifest.get(found.name, {}).get("sha256", found.sha256)
    known = card.subset.content if part else card.content
    if listed != found.sha256:
        state = f"changed since it was fetched: sha256 {found.sha256[:12]}, the manifest has {listed[:12]}; fill again"
    elif known and rows.content(common) != known:
        state = "rows as expected, but the texts or labels are not those the package was tested with"
    else:
        state = PART if part else OK
    return _row(card, common.num_rows, found.rows, state)
