"""Which columns hold the texts and the labels: as the user says, or as their names say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from masktune.errors import MaskTuneError
from masktune.own.data.reading import Rows

PAIRS = (
    ("premise", "hypothesis"),
    ("sentence1", "sentence2"),
    ("question1", "question2"),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("question", "sentence"),
    ("text", "text_pair"),
)
TEXTS = ("text", "review", "sentence", "comment", "content", "body", "message", "tweet", "document")
LABELS = ("label", "labels", "class", "category", "target", "stars", "rating", "sentiment", "gold_label", "topic")
LONG = 12  # characters that a column of texts has on average, at least, to be taken for one unasked


@dataclass(frozen=True)
class Columns:
    """One or two columns of text, the column of labels (None: no labels are asked for); `guessed` says by whom."""

    texts: tuple[str, ...]
    label: str | None
    guessed: tuple[str, ...] = ()

    def describe(self) -> str:
        """One line for the user."""
        hint = " (by name; --text and --label choose others)" if self.guessed else ""
        return f"text: {' and '.join(self.texts)}" + (f"; label: {self.label}" if self.label else "") + hint


def choose(rows: Rows, texts: Sequence[str] = (), label: str | None = None, labelled: bool = True) -> Columns:
    """The columns of a file. `labelled`: a column of labels is needed.

    Raises MaskTuneError, with the columns that there are, for one that is missing or cannot be told.
    """
    if len(texts) > 2:
        raise MaskTuneError(f"--text {' '.join(texts)}: {len(texts)} columns; a classifier reads one text or two")
    for name in (*texts, *([label] if label else [])):
        if name not in rows.columns:
            raise MaskTuneError(
                f"{rows.path}: no column {name!r}; there are {rows.names()} (its first line names the columns)"
            )
    if label in texts or len(set(texts)) < len(texts):
        raise MaskTuneError(f"--text {' '.join(texts)} --label {label}: each names a column of its own")
    guessed = []
    if label is None and labelled:
        label = _guess_label(rows, texts)
        guessed.append(label)
    if not texts:
        texts = _guess_texts(rows, label)
        guessed += texts
    return Columns(tuple(texts), label, tuple(guessed))


def _guess_label(rows: Rows, texts: Sequence[str]) -> str:
    by_name = {name.casefold(): name for name in rows.columns if name not in texts}
    for known in LABELS:
        if known in by_name:
            return by_name[known]
    raise MaskTuneError(f"{rows.path}: which column holds the labels? Name one of {rows.names()} with --label")


def _guess_texts(rows: Rows, label: str | None) -> tuple[str, ...]:
    by_name = {name.casefold(): name for name in rows.columns if name != label}
    for first, second in PAIRS:
        if first in by_name and second in by_name:
            return by_name[first], by_name[second]
    for known in TEXTS:
        if known in by_name:
            return (by_name[known],)
    lengths = {name: _mean_length(rows.columns[name]) for name in by_name.values()}
    longest = max(lengths, key=lambda name: lengths[name], default=None)
    if longest is None or lengths[longest] < LONG:
        raise MaskTuneError(f"{rows.path}: which column holds the texts? Name one of {rows.names()} with --text")
    return (longest,)


def _mean_length(values: Sequence[Any]) -> float:
    texts = [value for value in values[:1000] if isinstance(value, str)]
    return sum(map(len, texts)) / max(len(texts), 1)
