"""`masktune evaluate` and `masktune predict`: a saved classifier reads the texts of a file.

A model that `masktune train` wrote knows which columns it reads; of any other classifier they are told or guessed.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from masktune import files
from masktune.data import encode
from masktune.errors import MaskTuneError
from masktune.models.weights import loading
from masktune.own import scores, seed
from masktune.own.data import columns, examples, reading
from masktune.own.data.columns import Columns
from masktune.own.data.examples import Examples
from masktune.own.data.reading import Rows
from masktune.own.inputs import choose_length
from masktune.own.settings import option, parse_renames
from masktune.pretraining.adapt import longest_of
from masktune.statistics import metrics
from masktune.statistics.crossed import crossed_mean
from masktune.statistics.intervals import wilson

HANDED_OVER = "masktune.json"  # beside a model: what it reads, so that a command need not be told again
BATCH_SIZE = 32
ANSWER, PROBABILITY = "prediction", "probability"
UNNAMED = "LABEL_"  # how transformers names classes that have no name


@dataclass(frozen=True)
class Classifier:
    """A saved classifier: its classes, and what it was given in training, as far as its folder says."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    names: tuple[str, ...]
    reads: Mapping[str, Any]

    def logits(self, found: Examples, max_length: int | None, title: str) -> np.ndarray:
        """Logits [n, C] of examples, in their order."""
        longest = longest_of(self.tokenizer, self.model.config)
        length = choose_length(self.tokenizer, found.texts, longest, max_length)
        rows = encode.encode(found.dataset(self.names), self.tokenizer, length.tokens)
        return seed.predict(self.model, self.tokenizer, rows, BATCH_SIZE, title)


def load(place: str) -> Classifier:
    """A folder, or a model of the hub. Raises MaskTuneError for what cannot be loaded or is no classifier."""
    folder = Path(place).expanduser()
    if (folder / "training.json").is_file() and (folder / "model").is_dir():  # what --output named
        folder = folder / "model"
        place = str(folder)
    with loading(place):
        model, info = AutoModelForSequenceClassification.from_pretrained(place, output_loading_info=True)
        tokenizer = AutoTokenizer.from_pretrained(place)
    if info["missing_keys"]:
        raise MaskTuneError(
            f"{place!r} is no trained classifier ({sorted(info['missing_keys'])[0]} is missing); name a model that "
            "masktune train, or another training of a classifier, has saved"
        )
    kept = folder / HANDED_OVER
    reads = json.loads(kept.read_text()) if kept.is_file() else {}
    names = tuple(str(model.config.id2label[number]) for number in range(model.config.num_labels))
    return Classifier(model.to("cuda" if torch.cuda.is_available() else "cpu"), tokenizer, names, reads)


def choose_columns(
    classifier: Classifier,
    rows: Rows,
    texts: Sequence[str],
    label: str | None,
    labelled: bool,
    cluster: str | None = None,
) -> Columns:
    """The columns that the user names, else those of the training, else by their names."""
    trained = [name for name in classifier.reads.get("text", ()) if name in rows.columns]
    if not texts and len(trained) == len(classifier.reads.get("text", ())):
        texts = trained
    if labelled and label is None and classifier.reads.get("label") in rows.columns:
        label = classifier.reads["label"]
    if labelled and cluster is None and classifier.reads.get("cluster") in rows.columns:
        cluster = classifier.reads["cluster"]
    return columns.choose(rows, texts, label if labelled else None, labelled, cluster)


def evaluate(
    place: str,
    file: str,
    texts: Sequence[str] = (),
    label: str | None = None,
    renamed: Sequence[str] = (),
    max_length: int | None = None,
    cluster: str | None = None,
) -> dict[str, Any]:
    """The scores of a classifier on a file with labels, as plain values; the interval is over clusters, where named.

    Raises MaskTuneError for a label that is none of its classes.
    """
    classifier = load(place)
    rows = reading.read(file)
    found = choose_columns(classifier, rows, texts, label, labelled=True, cluster=cluster)
    renames = parse_renames(renamed) or parse_renames(classifier.reads.get("rename_labels", ()))
    part = examples.collect(rows, found, known(rows, found, classifier.names, renames))
    if not len(part):
        raise MaskTuneError(f"{file}: no row has a text and a label")
    unknown = sorted(set(part.labels) - set(classifier.names))
    if unknown:
        raise MaskTuneError(
            f"{file}: the label {unknown[0]!r} in column {found.label!r} is none of the model's classes "
            f"({', '.join(classifier.names[:10])}); {option('--rename-labels', f'{unknown[0]}=CLASS')}"
        )
    answers = classifier.logits(part, max_length, f"reading {rows.name}").argmax(-1)
    labels = np.array([classifier.names.index(each) for each in part.labels])
    accuracy = metrics.accuracy(answers, labels)
    counts = np.bincount(labels, minlength=len(classifier.names))
    return {
        "model": place,
        "file": file,
        "columns": "; ".join(filter(None, [found.describe(), found.unread()])),
        "examples": len(part),
        "left_out": dict(part.left_out),
        "accuracy": accuracy,
        "interval": wilson(accuracy, len(part)) if found.cluster is None else over_clusters(answers == labels, part),
        "interval_over": "examples" if found.cluster is None else f"clusters of {found.cluster!r}",
        "balanced_accuracy": metrics.balanced_accuracy(answers, labels),
        "constant": {"label": classifier.names[int(counts.argmax())], "accuracy": float(counts.max() / len(part))},
        "classes": [asdict(each) for each in scores.by_class(answers, labels, classifier.names)],
        "names": list(classifier.names),
        "confusion": scores.confusion(answers, labels, len(classifier.names)).tolist(),
    }


def over_clusters(right: np.ndarray, part: Examples) -> tuple[float, float] | None:
    """The 95 % interval of a mean [n] over other clusters of examples; None where all belong together."""
    _, clusters = np.unique(part.together(), return_inverse=True)
    if clusters.max() == 0:
        return None
    estimate = crossed_mean(right[None], clusters).estimate().within(0, 1)
    return estimate.low, estimate.high


def known(rows: Rows, found: Columns, names: Sequence[str], renames: dict[str, str]) -> dict[str, str]:
    """The renames for a file: its numbers stand for the model's classes where these have no names (LABEL_0, ...)."""
    if renames or not all(name.startswith(UNNAMED) for name in names):
        own = set(map(examples.label_of, rows.columns[found.label or ""]))
        return {old: new for old, new in renames.items() if old in own}
    return {str(number): name for number, name in enumerate(names)}


def render(result: Mapping[str, Any]) -> str:
    """The scores as lines for a terminal."""
    interval = "no interval: one cluster"
    if result["interval"] is not None:
        low, high = result["interval"]
        interval = f"{100 * low:.1f} to {100 * high:.1f} %, over {result['interval_over']}"
    left_out = sum(result["left_out"].values())
    lines = [
        result["columns"],
        f"{result['examples']:,} examples"
        + (f" ({left_out:,} rows without text or label left out)" if left_out else ""),
        f"accuracy           {100 * result['accuracy']:.1f} % ({interval})",
        f"balanced accuracy  {100 * result['balanced_accuracy']:.1f} %",
        f"constant answer    {100 * result['constant']['accuracy']:.1f} % (always {result['constant']['label']!r})",
    ]
    width = max(map(len, (*result["names"], "class")))
    lines += ["", f"{'class':<{width}}  examples  precision  recall     F1"]
    lines += [
        f"{each['name']:<{width}}  {each['examples']:>8,}  {100 * each['precision']:>8.1f}%  "
        f"{100 * each['recall']:>5.1f}%  {100 * each['f1']:>4.1f}%"
        for each in result["classes"]
    ]
    return "\n".join(lines)


def predict(
    place: str, file: str, output: str, texts: Sequence[str] = (), max_length: int | None = None
) -> tuple[int, int, Columns]:
    """Write the file once more with an answer and the probability of each class.

    -> (rows, rows without a text, what was read). The columns of the file stay as they are. Raises MaskTuneError for an
    output in no known format.
    """
    kind = Path(output).suffix.lower().lstrip(".")
    if kind not in WRITERS:
        raise MaskTuneError(f"--output {output}: unknown kind of file; expected .{', .'.join(WRITERS)}")
    if Path(output).expanduser().is_dir():
        raise MaskTuneError(f"--output {output} is a folder; name a file in it")
    classifier = load(place)
    rows = reading.read(file)
    found = choose_columns(classifier, rows, texts, None, labelled=False)
    part = examples.collect(rows, found)
    values = answer(classifier, part, len(rows), max_length, rows.name)
    table = dict(rows.columns)
    for name, column in values.items():
        table[_free(name, table)] = column
    with files.replace_file(Path(output).expanduser()) as unfinished:
        WRITERS[kind](table, unfinished)
    return len(rows), len(rows) - len(part), found


def answer(
    classifier: Classifier, part: Examples, rows: int, max_length: int | None, title: str
) -> dict[str, list[Any]]:
    """The new columns of a file of so many rows; None where a row has no text."""
    names = [ANSWER, *(f"{PROBABILITY}_{name}" for name in classifier.names)]
    found: dict[str, list[Any]] = {name: [None] * rows for name in names}
    if not len(part):
        return found
    logits = classifier.logits(part, max_length, f"reading {title}")
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    for row, share in zip(part.rows, shares, strict=True):
        found[ANSWER][row - 1] = classifier.names[int(share.argmax())]
        for name, value in zip(names[1:], share.tolist(), strict=True):
            found[name][row - 1] = round(value, 6)
    return found


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """A name that no column has."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


Table = Mapping[str, list[Any]]


def _delimited(delimiter: str) -> Callable[[Table, Path], None]:
    def write(table: Table, path: Path) -> None:
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
        writer.writerows([list(table), *zip(*table.values(), strict=True)])
        path.write_bytes(text.getvalue().encode())

    return write


def _json_lines(table: Table, path: Path) -> None:
    rows = (dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True))
    path.write_text("".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows), encoding="utf-8")


def _parquet(table: Table, path: Path) -> None:
    try:
        arrow = pa.table(dict(table))
    except (pa.ArrowException, TypeError):  # values of several types in one column
        arrow = pa.table(
            {name: [None if value is None else str(value) for value in own] for name, own in table.items()}
        )
    pq.write_table(arrow, path)


WRITERS: dict[str, Callable[[Table, Path], None]] = {
    "csv": _delimited(","),
    "tsv": _delimited("\t"),
    "jsonl": _json_lines,
    "parquet": _parquet,
}
