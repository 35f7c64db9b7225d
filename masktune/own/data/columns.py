"""Which columns hold the texts and the labels: as the user says, or as their names say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from masktune.errors import MaskTuneError
from masktune.own.data.reading import Rows
from masktune.own.settings import option

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
    """One or two columns of text, the column of labels (None: no labels are asked for); `guessed` says by whom.

    `cluster` says which examples belong together. `pair` are the column that was guessed and another that looks like
    text and is not read, in the order of the file.
    """

    texts: tuple[str, ...]
    label: str | None
    guessed: tuple[str, ...] = ()
    cluster: str | None = None
    pair: tuple[str, ...] = ()

    def describe(self) -> str:
        """One line for the user."""
        others = "--text and --label choose others" if self.label else "--text chooses another"
        hint = f" (by name; {others})" if self.guessed else ""
        return (
            f"text: {' and '.join(self.texts)}"
            + (f"; label: {self.label}" if self.label else "")
            + (f"; cluster: {self.cluster}" if self.cluster else "")
            + hint
        )

    def unread(self) -> str:
        """A line on a column of texts that is not read; "" where there is none, or the user said what to read."""
        if not self.pair:
            return ""
        (other,) = set(self.pair) - set(self.texts)
        return f"column {other!r} looks like text too, and is not read; of pairs, name both: " + option(
            "--text", *self.pair
        )


def choose(
    rows: Rows,
    texts: Sequence[str] = (),
    label: str | None = None,
    labelled: bool = True,
    cluster: str | None = None,
) -> Columns:
    """The columns of a file. `labelled`: a column of labels is needed. None is taken for `cluster` unasked.

    Raises MaskTuneError, with the columns that there are, for one that is missing or cannot be told.
    """
    if len(texts) > 2:
        raise MaskTuneError(f"{option('--text', *texts)}: {len(texts)} columns; a classifier reads one text or two")
    for name in (*texts, *filter(None, (label, cluster))):
        if name not in rows.columns:
            raise MaskTuneError(
                f"{rows.path}: no column {name!r}; there are {rows.names()} (its first line names the columns)"
            )
    guessed = []
    if label is None and labelled:
        label = _guess_label(rows, texts)
        guessed.append(label)
    if not texts:
        texts = _guess_texts(rows, label)
        guessed += texts
    _check_apart(texts, label, cluster)
    pair = _pair(rows, texts, (label, cluster)) if set(texts) & set(guessed) else ()
    return Columns(tuple(texts), label, tuple(guessed), cluster, pair)


def _check_apart(texts: Sequence[str], label: str | None, cluster: str | None) -> None:
    """Raise MaskTuneError for a column that is to be two things."""
    named = {"--text": texts, "--label": [label] if label else [], "--cluster": [cluster] if cluster else []}
    columns = [column for values in named.values() for column in values]
    if len(set(columns)) < len(columns):
        said = " ".join(option(name, *values) for name, values in named.items() if values)
        raise MaskTuneError(f"{said}: each names a column of its own")


def same(rows: Rows, found: Columns) -> Columns:
    """Those columns of another file; it may lack the column of clusters."""
    return choose(rows, found.texts, found.label, cluster=found.cluster if found.cluster in rows.columns else None)


def _pair(rows: Rows, texts: Sequence[str], others: Sequence[str | None]) -> tuple[str, ...]:
    """The one column that is read and the first other that looks like text, in the order of the file."""
    like_text = [name for name, values in rows.columns.items() if name not in (*texts, *others) and _reads(values)]
    if len(texts) > 1 or not like_text:
        return ()
    return tuple(name for name in rows.columns if name in (texts[0], like_text[0]))


def _reads(values: Sequence[Any]) -> bool:
    """Whether most values look like texts: of some length, and of several words."""
    texts = [value for value in values[:1000] if isinstance(value, str) and value.strip()]
    return _mean_length(values) >= LONG and 2 * sum(len(text.split()) > 1 for text in texts) > len(texts)


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
