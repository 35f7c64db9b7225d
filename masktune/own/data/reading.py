"""Files as people have them, to columns of values: CSV, TSV, JSON, JSON lines, Parquet, a folder of `datasets`.

CSV comes with commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252, with or without a byte order mark. What
was found out about a file is kept as a note for its reader. What does not fit the format is an error that names the
line.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from masktune import files
from masktune.errors import MaskTuneError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
LOOKED_AT = 1 << 16  # characters from which the delimiter is told
SHOWN = 12  # columns that an error names
csv.field_size_limit((1 << 31) - 1)  # a text may be a book


@dataclass(frozen=True)
class Rows:
    """The rows of a file: `columns` has a list of values for each column, as the format gives them.

    CSV gives texts alone, "" where a field is empty; the other formats give numbers too, and None for nothing. `sha256`
    is the file's, `notes` say how it was read.
    """

    path: Path
    columns: dict[str, list[Any]]
    sha256: str
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    @property
    def name(self) -> str:
        """The file's name, for messages and titles."""
        return self.path.name

    def names(self) -> str:
        """The columns in one line."""
        names = list(self.columns)
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return ", ".join(names[:SHOWN]) + more


def read(path: str | Path) -> Rows:
    """The rows of a file, or of a folder that `Dataset.save_to_disk` wrote.

    Raises MaskTuneError for what is not there, is empty, is in no known format or does not keep to it.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        rows = _dataset(place)
    elif not place.exists():
        raise MaskTuneError(f"no file {str(path)!r}; name a CSV, TSV, JSON, JSONL or Parquet file, or a folder")
    else:
        rows = _file(place)
    if not rows.columns or not len(rows):
        raise MaskTuneError(f"{place}: no rows; a file of texts and labels has a line of column names, then rows")
    return rows


def _file(path: Path) -> Rows:
    kind = path.suffix.lower().lstrip(".")
    if kind not in READERS:
        raise MaskTuneError(
            f"{path}: unknown kind of file {path.suffix!r}; expected .{', .'.join(READERS)}, or a folder of datasets"
        )
    if not path.stat().st_size:
        raise MaskTuneError(f"{path}: the file is empty; expected a line of column names, then rows")
    columns, notes = READERS[kind](path)
    return Rows(path, columns, files.file_digest(path), tuple(notes))


# ---- text


def decode(content: bytes, where: Path) -> tuple[str, list[str]]:
    """Bytes to text, and a note where they are not UTF-8. Raises MaskTuneError for what is no text."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return _strictly(content, encoding, where), [] if encoding == "utf-8-sig" else ["read as UTF-16"]
    if b"\0" in content[:LOOKED_AT]:
        raise MaskTuneError(f"{where}: holds zero bytes and is no text; save the table as CSV in UTF-8")
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), ["read as Windows-1252 (Latin-1), as it is not UTF-8"]
    except UnicodeDecodeError:
        return content.decode("latin-1"), ["read as Latin-1, as it is not UTF-8"]


def _strictly(content: bytes, encoding: str, where: Path) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise MaskTuneError(f"{where}: byte {error.start} is not {encoding}; save the file as UTF-8") from None


def _delimited(path: Path) -> tuple[dict[str, list[Any]], list[str]]:
    text, notes = decode(path.read_bytes(), path)
    given = "\t" if path.suffix.lower() in (".tsv", ".tab") else None
    delimiter = given or _delimiter(text)
    header, records, note = _records(text, delimiter, path)
    if delimiter not in (",", given):
        notes.append(f"columns are split at {DELIMITERS[delimiter]}")
    return _columns(header, records, path), notes + note


def _delimiter(text: str) -> str:
    """The delimiter that gives the header several fields and the first rows as many; a comma where none does."""
    best, found = (0.0, 1), ","
    for delimiter in DELIMITERS:
        rows = list(_parse(text[:LOOKED_AT], delimiter))
        rows = rows[:-1] if len(text) > LOOKED_AT else rows  # the last one may be cut
        if rows and len(rows[0]) > 1:
            share = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
            best, found = max((best, found), ((share, len(rows[0])), delimiter), key=lambda pair: pair[0])
    return found


def _parse(text: str, delimiter: str, **how: Any) -> Iterable[list[str]]:
    return (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, **how) if row)


def _records(text: str, delimiter: str, path: Path) -> tuple[list[str], list[tuple[int, list[str]]], list[str]]:
    """The header, the (last line, fields) of each record, and a note where quotation marks were taken for text.

    Quoted fields may hold delimiters and line breaks. Many files with tabs do not quote: where quoting does not come
    out even there, quotation marks are letters like others.
    """
    try:
        return *_read(text, delimiter, path, strict=True), []
    except MaskTuneError:
        if delimiter != "\t":
            raise
        quoted = "quotation marks are read as they are, as they do not come out even"
        return *_read(text, delimiter, path, quoting=csv.QUOTE_NONE), [quoted]


def _read(text: str, delimiter: str, path: Path, **how: Any) -> tuple[list[str], list[tuple[int, list[str]]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, **how)
    records: list[tuple[int, list[str]]] = []
    began = 1
    try:
        for row in reader:
            if row:
                records.append((began, row))
            began = reader.line_num + 1
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise MaskTuneError(
                f"{path}: the quotation mark that opens a field of line {began} is not closed"
            ) from None
        raise MaskTuneError(
            f'{path}: line {reader.line_num}: a quotation mark inside a quoted field is not doubled; write "" for it'
        ) from None
    if not records:
        raise MaskTuneError(f"{path}: the file is empty; expected a line of column names, then rows")
    header = records.pop(0)[1]
    ragged = [(line, row) for line, row in records if len(row) != len(header)]
    if ragged:
        line, row = ragged[0]
        more = f", and {len(ragged) - 1} more lines like it" if len(ragged) > 1 else ""
        raise MaskTuneError(
            f"{path}: line {line} has {len(row)} fields where the header has {len(header)} ({', '.join(header)[:60]})"
            f"{more}; put quotation marks around texts that hold {DELIMITERS[delimiter]}"
        )
    return header, records


def _columns(header: Sequence[str], records: list[tuple[int, list[str]]], path: Path) -> dict[str, list[Any]]:
    names = [name.strip() or f"column {number}" for number, name in enumerate(header, start=1)]
    twice = [name for number, name in enumerate(names) if name in names[:number]]
    if twice:
        raise MaskTuneError(f"{path}: two columns are called {twice[0]!r}; rename one of them")
    return {name: [row[number] for _, row in records] for number, name in enumerate(names)}


# ---- JSON


def _lines(path: Path) -> tuple[dict[str, list[Any]], list[str]]:
    text, notes = decode(path.read_bytes(), path)
    records = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                records.append(json.loads(line))
            except ValueError as error:
                raise MaskTuneError(f"{path}: line {number} is no JSON ({error}); expected one object a line") from None
    return _from_objects(records, path), notes


def _json(path: Path) -> tuple[dict[str, list[Any]], list[str]]:
    text, notes = decode(path.read_bytes(), path)
    try:
        value = json.loads(text)
    except ValueError:
        return _lines(path)
    if isinstance(value, dict):
        lists = [key for key, each in value.items() if isinstance(each, list) and each and isinstance(each[0], dict)]
        if len(lists) == 1:  # {"data": [{...}, ...]}
            value = value[lists[0]]
        else:
            return _from_columns(value, path), notes
    return _from_objects(value, path), notes


def _from_objects(records: Any, path: Path) -> dict[str, list[Any]]:
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise MaskTuneError(f"{path}: expected objects like {{'text': ..., 'label': ...}}, one a row")
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def _from_columns(value: dict[str, Any], path: Path) -> dict[str, list[Any]]:
    """Columns as pandas writes them: {"text": {"0": ..., "1": ...}} or {"text": [...]}."""
    columns = {name: list(each.values()) if isinstance(each, dict) else each for name, each in value.items()}
    sizes = {len(each) if isinstance(each, list) else -1 for each in columns.values()}
    if len(sizes) != 1 or -1 in sizes:
        raise MaskTuneError(f"{path}: expected a list of objects like {{'text': ..., 'label': ...}}, one a row")
    return columns


# ---- Arrow


def _parquet(path: Path) -> tuple[dict[str, list[Any]], list[str]]:
    try:
        return _from_arrow(pq.read_table(path)), []
    except (OSError, pa.ArrowException) as error:
        said = " ".join(str(error).split())[:120]
        raise MaskTuneError(f"{path}: not a readable Parquet file ({said}); replace it") from None


def _dataset(folder: Path) -> Rows:
    import datasets

    if (folder / "dataset_dict.json").is_file():
        splits = json.loads((folder / "dataset_dict.json").read_text())["splits"]
        raise MaskTuneError(f"{folder} holds the splits {', '.join(splits)}; name one, as {folder / splits[0]}")
    if not (folder / "dataset_info.json").is_file():
        raise MaskTuneError(f"{folder} is no folder that Dataset.save_to_disk wrote; name a file or such a folder")
    try:
        rows = datasets.load_from_disk(str(folder))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise MaskTuneError(f"{folder}: cannot be read ({' '.join(str(error).split())[:120]}); save it anew") from None
    kept = sorted(path for path in folder.iterdir() if path.suffix == ".arrow" or path.name == "dataset_info.json")
    sha256 = files.digest("".join(f"{path.name} {files.file_digest(path)}\n" for path in kept))
    return Rows(folder, _from_arrow(rows.with_format("arrow")[:]), sha256)


def _from_arrow(table: pa.Table) -> dict[str, list[Any]]:
    """Columns of plain values; what `datasets` declares to be classes by the names of the classes."""
    import datasets

    columns = {name: table[name].to_pylist() for name in table.column_names}
    if b"huggingface" in (table.schema.metadata or {}):
        for name, feature in datasets.Features.from_arrow_schema(table.schema).items():
            if isinstance(feature, datasets.ClassLabel):
                columns[name] = [None if each in (None, -1) else feature.int2str(each) for each in columns[name]]
    return columns


READERS: dict[str, Callable[[Path], tuple[dict[str, list[Any]], list[str]]]] = {
    "csv": _delimited,
    "tsv": _delimited,
    "tab": _delimited,
    "txt": _delimited,
    "json": _json,
    "jsonl": _lines,
    "ndjson": _lines,
    "parquet": _parquet,
}
