"""Find the file of a set and read it: the user's own file, the mirror, then the hub or the pinned address.

`MASKTUNE_MIRROR` names a folder with `data/<set>.parquet`. Where a mirror holds both a set and its subset, the full
set is read. Files from pinned addresses are kept in the cache; the hub has its own (`HF_HOME`). Wherever a set comes
from, `verify` compares it with its card.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from masktune import cache
from masktune.data import formats, rows
from masktune.data.card import DataCard, HubFile, NamedFile, PinnedFiles, Subset
from masktune.errors import MaskTuneError
from masktune.files import digest, write_file

if TYPE_CHECKING:
    import httpx

MIRROR = "MASKTUNE_MIRROR"
MANIFEST = "manifest.json"
SECONDS = 30


@dataclass(frozen=True)
class RawSet:
    """A set as it was read, unchecked: `name` is the card's, or its subset's; `where` names the file in messages.

    `expected_sha256` is what the mirror's manifest or the hub says, "" where neither says it; `remedy` is what to do
    about a file that differs.
    """

    name: str
    rows: int
    table: pa.Table
    sha256: str
    where: str
    expected_sha256: str = ""
    remedy: str = "replace the file"


def find(card: DataCard) -> RawSet:
    """Read a set from the first place that has it; raises MaskTuneError with what was tried and what to do."""
    if isinstance(card.source, NamedFile) and card.source.variable in os.environ:
        return from_source(card)
    tried = []
    if mirror := mirror_folder():
        if raw := from_mirror(card, mirror):
            return raw
        tried.append(f"{MIRROR}={mirror} has no data/{card.name}.parquet")
    try:
        return from_source(card)
    except UnreachableError as error:
        tried.append(str(error))
    what_to_do = f"set {MIRROR}, or fill a mirror by `python -m masktune mirror` on a machine with network"
    if isinstance(card.source, NamedFile):
        what_to_do = f"set {card.source.variable} to {card.source.how}"
    raise MaskTuneError(f"cannot read {card.name}: {'; '.join(tried)}; {what_to_do}")


def verify(raw: RawSet, card: DataCard) -> pa.Table:
    """The rows of a set (see `rows.validate`), if they are those that the package knows.

    Their digest must be one of the card's. Where the card lacks that of the source, a file may also be as the hub, or
    the manifest of a mirror, lists it. Raises MaskTuneError with set, file, its digest and the one expected.
    """
    common = rows.validate(raw.table, card, raw.rows, raw.where)
    known, actual = known_digests(card, raw.name), rows.digest(common)
    if actual in known or not (known or raw.expected_sha256):
        return common
    if raw.expected_sha256 and not _edition(card, raw.name).digest:
        if raw.sha256 == raw.expected_sha256:
            return common
        raise _differs(raw, "sha256", raw.sha256, raw.expected_sha256)
    raise _differs(raw, "texts and labels with the digest", actual, *known)


def known_digests(card: DataCard, name: str) -> tuple[str, ...]:
    """The digests that a set may have under this name, the card's or its subset's; empty where none is known."""
    copies = card.copy_digests if name == card.name else ()
    return tuple(filter(None, (_edition(card, name).digest, *copies)))


def _edition(card: DataCard, name: str) -> DataCard | Subset:
    return card.subset if card.subset and name == card.subset.name else card


def _differs(raw: RawSet, what: str, actual: str, *expected: str) -> MaskTuneError:
    wanted = " or ".join(entry[:12] for entry in expected)
    return MaskTuneError(
        f"{raw.where}: {raw.name} differs from its card: {what} {actual[:12]}, expected {wanted}; {raw.remedy}"
    )


class UnreachableError(MaskTuneError):
    """The source of a set cannot be reached from here."""


def mirror_folder() -> Path | None:
    """The folder that MASKTUNE_MIRROR names, None where it is not set; raises MaskTuneError if it is no folder."""
    named = os.environ.get(MIRROR)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise MaskTuneError(f"{MIRROR} is {named!r}, which is no folder; expected one that holds data/ and models/")
    return folder


def editions(card: DataCard) -> tuple[tuple[str, int], ...]:
    """The names and row counts under which a mirror may hold a set, the full one first."""
    full = ((card.name, card.rows),)
    return (*full, (card.subset.name, card.subset.rows)) if card.subset else full


def mirror_file(mirror: Path, name: str) -> Path:
    """Where a mirror holds a set, under the name of its card or of its subset."""
    return mirror / "data" / f"{name}.parquet"


def from_mirror(card: DataCard, mirror: Path) -> RawSet | None:
    """The set, or else its subset, from a mirror; None where it holds neither."""
    for name, count in editions(card):
        path = mirror_file(mirror, name)
        if path.is_file():
            remedy = f"replace the file, or fetch the set: python -m masktune mirror --only {card.name}"
            return RawSet(name, count, *_parquet(path), str(path), manifest_sha256(mirror, name), remedy)
    return None


def read_manifest(mirror: Path) -> dict[str, dict]:
    """What `masktune.data.mirror.fill` wrote of each set of a mirror; raises MaskTuneError where it is not readable."""
    path = mirror / "data" / MANIFEST
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, TypeError, ValueError):
        raise MaskTuneError(f"{path}: not a readable manifest; remove it and fill the mirror again") from None


def manifest_sha256(mirror: Path, name: str) -> str:
    """The sha256 of a set's file by the manifest of a mirror; "" where it is not listed."""
    entry = read_manifest(mirror).get(name)
    return str(entry.get("sha256", "")) if isinstance(entry, dict) else ""


def from_source(card: DataCard) -> RawSet:
    """The set from the source its card names, not from a mirror; raises UnreachableError where it cannot be reached."""
    match card.source:
        case HubFile() as file:
            blob = _hub(file).resolve()  # the hub's cache names a large file by its sha256
            expected = blob.name if re.fullmatch("[0-9a-f]{64}", blob.name) else ""
            return RawSet(
                card.name, card.rows, *_parquet(blob), str(file), expected, f"remove {blob}, and it is fetched again"
            )
        case PinnedFiles(urls, reader, blobs):
            contents = [_fetch(url, blob) for url, blob in zip(urls, blobs or [""] * len(urls), strict=True)]
            kept = " and ".join(str(_cached_path(url)) for url in urls)
            return _text(card, reader, contents, urls, f"remove {kept}, and try again")
        case NamedFile(variable, reader, how):
            return _text(card, reader, [_read_named(variable)], [os.environ[variable]], f"expected {how}; make it anew")
    raise MaskTuneError(f"{card.name} is {card.source}: there is no file of it to read")


def _text(card: DataCard, reader: str, contents: Sequence[bytes], names: Sequence[str], remedy: str) -> RawSet:
    table = formats.read(reader, contents, names)
    return RawSet(card.name, card.rows, table, digest(b"".join(contents)), " and ".join(names), remedy=remedy)


def _parquet(path: Path) -> tuple[pa.Table, str]:
    try:
        # In Arrow's own memory: before pyarrow 25 a process that read Parquet from bytes may abort when it ends.
        with pa.OSFile(str(path)) as file:
            content = file.read_buffer()
        return pq.read_table(pa.BufferReader(content)), digest(content)
    except (OSError, pa.ArrowException) as error:
        said = " ".join(str(error).split())[:120]
        raise MaskTuneError(f"{path}: not a readable Parquet file ({said}); replace it") from None


def _hub(file: HubFile) -> Path:
    """The local copy of a file of the hub, fetched if it is not in the hub's cache.

    The file is read as it is, without `datasets.load_dataset`: a commit and a path say exactly what is read, and a file
    in the cache needs no network.
    """
    import huggingface_hub
    from huggingface_hub import constants, errors

    def download(cached_only: bool = False) -> Path:
        path = huggingface_hub.hf_hub_download(
            file.repository, file.path, repo_type="dataset", revision=file.revision, local_files_only=cached_only
        )
        return Path(path)

    with suppress(errors.LocalEntryNotFoundError):
        return download(cached_only=True)
    if constants.HF_HUB_OFFLINE:
        raise UnreachableError(f"{file} is not in the cache of the hub, and HF_HUB_OFFLINE is set")
    _request("HEAD", constants.ENDPOINT)  # the hub's client would try an unreachable host for half a minute
    try:
        return download()
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError) as error:
        raise UnreachableError(f"{file} cannot be fetched ({type(error).__name__})") from None


def _request(method: str, url: str) -> httpx.Response:
    """The answer of a host, whatever its status; raises UnreachableError where there is none."""
    import httpx

    try:
        return httpx.request(method, url, follow_redirects=True, timeout=SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise UnreachableError(f"{url} cannot be reached ({error})") from None


def _read_named(variable: str) -> bytes:
    if variable not in os.environ:
        raise UnreachableError(f"{variable} is not set")
    try:
        return Path(os.environ[variable]).expanduser().read_bytes()
    except OSError as error:
        raise MaskTuneError(
            f"{variable} is {os.environ[variable]!r}, which cannot be read ({error.strerror}); name a file"
        ) from None


def _is_blob(content: bytes, blob: str) -> bool:
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest().startswith(blob)


def _download(url: str) -> bytes:
    answer = _request("GET", url)
    if not answer.is_success:
        raise UnreachableError(f"{url} cannot be fetched (status {answer.status_code})")
    return answer.content


def _cached_path(url: str) -> Path:
    return cache.root() / "downloads" / digest(url)


def _fetch(url: str, blob: str) -> bytes:
    """The file at a pinned address, from the cache if it was fetched before; a wrong git object id is an error."""
    kept = _cached_path(url)
    content = kept.read_bytes() if kept.is_file() else _download(url)
    if not _is_blob(content, blob):
        raise MaskTuneError(
            f"{url}: {len(content):,} bytes that are not git object {blob}; remove {kept} and try again"
        )
    if not kept.is_file():
        with suppress(OSError):  # a cache that cannot be written costs a second download and nothing else
            write_file(kept, content)
    return content
