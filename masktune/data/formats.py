"""Readers of the text formats in which some sets are published.

Each reader takes the contents of the files of one set and gives a table with the columns that a mirror holds: `idx`,
texts, `label` and the columns of pairs or slices. What does not fit the format raises MaskTuneError with file and line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from masktune.errors import MaskTuneError, one_of

SENTIMENT_LABELS = {"Negative": 0, "Positive": 1}
HANS_LABELS = {"entailment": 0, "non-entailment": 1}


def unquote(text: str) -> str:
    """Undo CSV quoting, as often as it was applied: `"so ""good"" a film"` becomes `so "good" a film`.

    A text that merely begins and ends with a quotation mark is left as it is: in a quoted text every inner quotation
    mark is doubled.
    """
    while len(text) > 1 and text.startswith('"') and text.endswith('"'):
        inner = text[1:-1]
        if '"' in inner.replace('""', ""):
            break
        text = inner.replace('""', '"')
    return text


def _read_lines(content: bytes, where: str, columns: Sequence[str]) -> list[list[str]]:
    """The fields of each line after the header, which must hold `columns`; the fields come in the order asked for.

    Lines are split at tabs alone: quoting in these files is not always balanced, so a CSV reader joins lines.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MaskTuneError(f"{where}: byte {error.start} is not UTF-8; fetch or make the file anew") from None
    header, *lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    names = header.removeprefix("\ufeff").split("\t")
    missing = [column for column in columns if column not in names]
    if missing:
        raise MaskTuneError(f"{where}: no column {missing[0]!r} in the first line {header[:80]!r}; expected {columns}")
    order = [names.index(column) for column in columns]
    rows = [line.split("\t") for line in lines]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise MaskTuneError(f"{where}: line {number} has {len(row)} fields, expected {len(names)}: {row[0][:60]!r}")
    return [[row[i] for i in order] for row in rows]


def _label(value: str, labels: dict[str, int], where: str, row: int) -> int:
    if value not in labels:
        raise MaskTuneError(f"{where}: row {row} has the label {value!r}; expected one of {', '.join(labels)}")
    return labels[value]


def _reviews(rows: list[tuple[str, str, int, str]], where: str) -> pa.Table:
    """Rows of (label, text, pair, side) as a table."""
    return pa.table(
        {
            "idx": pa.array(range(len(rows)), pa.int32()),
            "sentence": [unquote(text) for _, text, _, _ in rows],
            "label": [_label(label, SENTIMENT_LABELS, where, row) for row, (label, *_) in enumerate(rows)],
            "pair_id": pa.array([pair for *_, pair, _ in rows], pa.int32()),
            "type": [side for *_, side in rows],
        }
    )


def imdb_contrast(contents: Sequence[bytes], names: Sequence[str]) -> pa.Table:
    """Gardner et al. 2020: a file of originals and a file of contrast reviews, row i of both makes pair i."""
    original, contrast = (
        _read_lines(content, name, ("Sentiment", "Text")) for content, name in zip(contents, names, strict=True)
    )
    if len(original) != len(contrast):
        raise MaskTuneError(f"{names[1]}: {len(contrast)} rows, expected {len(original)} as in {names[0]}")
    rows = []
    for pair, both in enumerate(zip(original, contrast, strict=True)):
        for (label, text), side in zip(both, ("original", "contrast"), strict=True):
            rows.append((label, text, pair, side))
    return _reviews(rows, " and ".join(names))


def imdb_counterfactual(contents: Sequence[bytes], names: Sequence[str]) -> pa.Table:
    """Kaushik et al. 2020, combined/paired: the rows of a `batch_id` are the original review and its revision."""
    seen: set[int] = set()
    rows = []
    for number, (label, text, batch) in enumerate(
        _read_lines(contents[0], names[0], ("Sentiment", "Text", "batch_id"))
    ):
        if not batch.isdigit():
            raise MaskTuneError(f"{names[0]}: row {number} has the batch_id {batch!r}; expected a number")
        rows.append((label, text, int(batch), "revised" if int(batch) in seen else "original"))
        seen.add(int(batch))
    return _reviews(rows, names[0])


def hans(contents: Sequence[bytes], names: Sequence[str]) -> pa.Table:
    """McCoy et al. 2019: heuristics_evaluation_set.txt."""
    columns = ("gold_label", "sentence1", "sentence2", "pairID", "heuristic", "subcase")
    rows = _read_lines(contents[0], names[0], columns)
    label, premise, hypothesis, pair, heuristic, subcase = map(list, zip(*rows, strict=True)) if rows else [[]] * 6
    return pa.table(
        {
            "idx": pa.array(range(len(rows)), pa.int32()),
            "premise": premise,
            "hypothesis": hypothesis,
            "label": [_label(value, HANS_LABELS, names[0], row) for row, value in enumerate(label)],
            "heuristic": heuristic,
            "subcase": subcase,
            "pair_id": pair,
        }
    )


def _decode(text: str) -> str:
    """The text of a Python bytes literal, as which the scripts of PAWS write some sentences: b'...' or b"..."."""
    if len(text) < 3 or text[0] != "b" or text[1] not in "'\"" or text[-1] != text[1]:
        return text
    return text[2:-1].encode("ascii", "backslashreplace").decode("unicode_escape").encode("latin-1").decode("utf-8")


def paws_qqp(contents: Sequence[bytes], names: Sequence[str]) -> pa.Table:
    """Zhang et al. 2019: a TSV with the columns id, sentence1, sentence2 and label, as the scripts of PAWS make it."""
    rows = _read_lines(contents[0], names[0], ("id", "sentence1", "sentence2", "label"))
    labels = {"0": 0, "1": 1}
    try:
        first, second = ([_decode(row[column]) for row in rows] for column in (1, 2))
    except UnicodeDecodeError as error:
        raise MaskTuneError(f"{names[0]}: a sentence cannot be decoded ({error.reason}); make the file anew") from None
    return pa.table(
        {
            "idx": [identifier for identifier, *_ in rows],
            "question1": first,
            "question2": second,
            "label": [_label(label, labels, names[0], row) for row, (*_, label) in enumerate(rows)],
        }
    )


READERS: dict[str, Callable[[Sequence[bytes], Sequence[str]], pa.Table]] = {
    reader.__name__: reader for reader in (imdb_contrast, imdb_counterfactual, hans, paws_qqp)
}


def read(reader: str, contents: Sequence[bytes], names: Sequence[str]) -> pa.Table:
    """The table of a set whose files hold `contents`; `names` are used in error messages."""
    return READERS[one_of(reader, READERS, "text format")](contents, names)
