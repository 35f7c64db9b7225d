"""Files as people have them: what is read is what was written, and what cannot be read is one line."""

import csv
import json

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from masktune import MaskTuneError
from masktune.own.data import reading

ROWS = [
    ('a "quoted" word, and a comma', "good"),
    ("two\nlines; and a semicolon", "bad"),
    ("caf\u00e9 \u2013 na\u00efve\ttab", "good"),
    ("", "bad"),
]
COLUMNS = {"text": [text for text, _ in ROWS], "label": [label for _, label in ROWS]}


def delimited(delimiter=",", encoding="utf-8", **how):
    def write(path):
        with path.open("w", newline="", encoding=encoding) as file:
            csv.writer(file, delimiter=delimiter, **how).writerows([("text", "label"), *ROWS])

    return write


def json_lines(path):
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n\n" for text, label in ROWS))


WRITERS = {
    "plain.csv": delimited(),
    "all quoted.csv": delimited(quoting=csv.QUOTE_ALL),
    "windows ends.csv": delimited(lineterminator="\r\n"),
    "semicolons.csv": delimited(";"),
    "bars.csv": delimited("|"),
    "tabs.csv": delimited("\t"),
    "byte order mark.csv": delimited(encoding="utf-8-sig"),
    "utf-16.csv": delimited(encoding="utf-16"),
    "windows-1252.csv": delimited(encoding="cp1252"),
    "tabs.tsv": delimited("\t"),
    "commas.txt": delimited(),
    "lines.jsonl": json_lines,
    "lines.json": json_lines,
    "objects.json": lambda path: path.write_text(json.dumps([dict(zip(COLUMNS, row, strict=True)) for row in ROWS])),
    "under a key.json": lambda path: path.write_text(
        json.dumps({"version": 1, "data": [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]})
    ),
    "columns.json": lambda path: path.write_text(json.dumps(COLUMNS)),
    "pandas.json": lambda path: path.write_text(
        json.dumps({name: dict(enumerate(values)) for name, values in COLUMNS.items()})
    ),
    "table.parquet": lambda path: pq.write_table(pa.table(COLUMNS), path),
    "dataset": lambda path: datasets.Dataset.from_dict(COLUMNS).save_to_disk(path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_columns_that_were_written(name, tmp_path):
    WRITERS[name](tmp_path / name)
    rows = reading.read(tmp_path / name)
    assert rows.columns == COLUMNS
    assert len(rows) == len(ROWS) and len(rows.sha256) == 64


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("windows-1252.csv", "Windows-1252"),
        ("semicolons.csv", "semicolons"),
        ("utf-16.csv", "UTF-16"),
        ("plain.csv", ""),
    ],
)
def test_what_was_found_out_about_a_file_is_said(name, note, tmp_path):
    WRITERS[name](tmp_path / name)
    assert note in " ".join(reading.read(tmp_path / name).notes)


def test_tabs_without_quoting_keep_their_quotation_marks(tmp_path):
    lines = ["text\tlabel", '"it begins\tgood', 'a 5" disk\tbad', '"all" of it\tgood']
    (tmp_path / "a.tsv").write_text("\n".join(lines))
    rows = reading.read(tmp_path / "a.tsv")
    assert rows.columns["text"] == ['"it begins', 'a 5" disk', '"all" of it']
    assert "quotation marks" in rows.notes[0]


def test_classes_of_datasets_come_by_their_names(tmp_path):
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    data = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, -1]}, features=features)
    data.save_to_disk(tmp_path / "folder")
    data.to_parquet(tmp_path / "file.parquet")
    for name in ("folder", "file.parquet"):
        assert reading.read(tmp_path / name).columns["label"] == ["yes", "no", None]


def test_a_column_without_a_name_gets_one(tmp_path):
    (tmp_path / "a.csv").write_text(",text\n0,one\n1,two\n")
    assert list(reading.read(tmp_path / "a.csv").columns) == ["column 1", "text"]


def test_values_of_a_row_that_json_leaves_out_are_nothing(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a", "label": 1}\n{"text": "b"}\n')
    assert reading.read(tmp_path / "a.jsonl").columns["label"] == [1, None]


def split_dataset(path):
    data = datasets.Dataset.from_dict(COLUMNS)
    datasets.DatasetDict({"train": data, "test": data}).save_to_disk(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", None, "no file"),
        ("empty.csv", b"", "the file is empty"),
        ("blank.csv", b"\n\n", "the file is empty"),
        ("header.csv", b"text,label\n", "no rows"),
        ("ragged.csv", b"text,label\na,b\none, two,c\nx,y,z\n", "line 3 has 3 fields where the header has 2"),
        ("open.csv", b'text,label\n"a,b\nc,d\n', "opens a field of line 2 is not closed"),
        ("inner.csv", b'text,label\n"a "b" c",d\n', "is not doubled"),
        ("twice.csv", b"text,text\na,b\n", "two columns are called 'text'"),
        ("zero.csv", b"text,label\n\0\0\0", "no text"),
        ("a.xlsx", b"PK", "unknown kind of file '.xlsx'"),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', "line 2 is no JSON"),
        ("a.json", b'["a", "b"]', "expected objects"),
        ("b.json", b'{"text": ["a"], "label": [1, 2]}', "expected a list of objects"),
        ("a.parquet", b"nothing of the kind", "not a readable Parquet file"),
    ],
)
def test_what_cannot_be_read_is_one_line_that_names_the_file(name, content, message, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MaskTuneError) as caught:
        reading.read(tmp_path / name)
    assert message in str(caught.value) and name in str(caught.value) and "\n" not in str(caught.value)


def test_a_folder_with_splits_asks_for_one_and_another_folder_is_refused(tmp_path):
    split_dataset(tmp_path / "splits")
    with pytest.raises(MaskTuneError, match="holds the splits train, test; name one, as .*splits/train"):
        reading.read(tmp_path / "splits")
    assert reading.read(tmp_path / "splits" / "train").columns == COLUMNS
    with pytest.raises(MaskTuneError, match="no folder that Dataset.save_to_disk wrote"):
        reading.read(tmp_path)
