"""What is worth knowing of a file before anybody trains on it: facts, doubts, and what would stop a training."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from masktune.own.data.examples import NO_LABEL, NO_TEXT, Examples, doubtful, fault_of_labels

STOPS, LOOK, FINE = "stops", "look", "fine"
MARKS = {STOPS: "x", LOOK: "!", FINE: " "}
FEW = 10  # examples of a class below which a test says little of it
IMBALANCE = 4  # how many times the rows of the smallest class the largest has
LONG_TAIL = 0.05  # a share of texts that are cut from which it is worth a look
LENGTHS = (64, 128, 256, 512)
QUOTED = 60  # characters of a text that is quoted


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `level` is STOPS, LOOK or FINE, `text` a sentence, `values` its numbers."""

    name: str
    level: str
    text: str
    values: Mapping[str, Any] = field(default_factory=dict)


def check(
    examples: Examples,
    column: str,
    others: Mapping[str, Examples],
    renamed: Mapping[str, str],
    lengths: Sequence[int] | None = None,
    longest: int | None = None,
    unread: str = "",
) -> list[Finding]:
    """The findings on a file of `examples` with labels from `column`.

    `others` are the files that belong to it, by what they are for ("validation", "out of distribution"). `lengths` are
    the numbers of tokens of the texts where a tokenizer is given, `longest` what its model can read. `unread` is what
    is to be said of a column of texts that is not read.
    """
    found = [_missing(examples), *_numbers(examples), _classes(examples, column, renamed)]
    if len(examples.counts) > 1:
        found += [_balance(examples), _rare(examples), _constant(examples)]
    found += [_duplicates(examples), *_clusters(examples), _contradictions(examples)]
    found += [Finding("second text", LOOK, unread)] if unread else []
    for name, other in others.items():
        found += [_overlap(examples, name, other), *_unknown(examples, name, other)]
    if lengths is not None:
        found.append(_lengths(lengths, longest))
    return found


def _missing(examples: Examples) -> Finding:
    left_out = examples.left_out
    texts, labels = left_out.get(NO_TEXT, 0), left_out.get(NO_LABEL, 0)
    total = len(examples) + texts + labels
    said = f"{total:,} rows, {len(examples):,} of them usable"
    if texts or labels:
        said += f": {_count(texts, 'has', 'have')} no text, {_count(labels, 'has', 'have')} no label; they are left out"
    level = FINE if not (texts or labels) else LOOK if len(examples) else STOPS
    return Finding("rows", level, said, {"rows": total, "usable": len(examples), "no_text": texts, "no_label": labels})


def _numbers(examples: Examples) -> list[Finding]:
    if not examples.numbers:
        return []
    said = f"{_count(examples.numbers, 'text is a number', 'texts are numbers')} in the file; read as text"
    return [Finding("numbers", LOOK, said, {"rows": examples.numbers})]


def _classes(examples: Examples, column: str, renamed: Mapping[str, str]) -> Finding:
    counts = examples.counts
    fault = fault_of_labels(examples, column, renamed)
    shown = ", ".join(f"{name} {count:,}" for name, count in list(counts.items())[:10])
    said = f"{len(counts)} classes in {column!r}: {shown}{', ...' if len(counts) > 10 else ''}"
    note = doubtful(list(counts)) if renamed else ""
    if fault:
        return Finding("classes", STOPS, fault, {"counts": counts})
    return Finding("classes", LOOK if note else FINE, said + (f" ({note})" if note else ""), {"counts": counts})


def _balance(examples: Examples) -> Finding:
    counts = examples.counts
    most, least = max(counts, key=lambda name: counts[name]), min(counts, key=lambda name: counts[name])
    times = counts[most] / counts[least]
    said = f"the largest class, {most!r}, has {times:.1f} times the rows of the smallest, {least!r}"
    said += "; consider --class-weights balanced, and read balanced accuracy" if times >= IMBALANCE else ""
    return Finding("balance", LOOK if times >= IMBALANCE else FINE, said, {"ratio": times})


def _rare(examples: Examples) -> Finding:
    rare = {name: count for name, count in examples.counts.items() if count < FEW}
    if not rare:
        return Finding("small classes", FINE, f"every class has {FEW} rows or more", {"counts": rare})
    shown = ", ".join(f"{name} {count}" for name, count in list(rare.items())[:5])
    said = f"{_count(len(rare), 'class has', 'classes have')} fewer than {FEW} rows ({shown})"
    return Finding("small classes", LOOK, said, {"counts": rare})


def _constant(examples: Examples) -> Finding:
    counts = examples.counts
    name = max(counts, key=lambda name: counts[name])
    share = counts[name] / len(examples)
    said = f"always answering {name!r} is right on {100 * share:.1f} %: a classifier has to be better than that"
    return Finding("constant answer", FINE, said, {"label": name, "accuracy": share})


def _duplicates(examples: Examples) -> Finding:
    copies = len(examples) - len(set(examples.keys()))
    said = f"{_count(copies, 'row repeats', 'rows repeat')} the text of another (case and spacing aside)"
    said += "; a split keeps them together" if copies else ""
    return Finding("duplicates", LOOK if copies else FINE, said, {"rows": copies})


def _clusters(examples: Examples) -> list[Finding]:
    if not examples.clusters:
        return []
    sizes = Counter(examples.together())
    largest = max(sizes.values(), default=0)
    said = f"{_count(len(sizes), 'cluster', 'clusters')}, the largest of {_count(largest, 'row', 'rows')}"
    said += "; a split keeps them together, and intervals are over them"
    return [Finding("clusters", FINE, said, {"clusters": len(sizes), "largest": largest})]


def _contradictions(examples: Examples) -> Finding:
    labels: dict[tuple[str, ...], set[str]] = defaultdict(set)
    where: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for key, label, row in zip(examples.keys(), examples.labels, examples.rows, strict=True):
        labels[key].add(label)
        where[key].append(row)
    found = [key for key, own in labels.items() if len(own) > 1]
    if not found:
        return Finding("contradictions", FINE, "no text has two labels", {"texts": 0})
    first = found[0]
    said = (
        f"{_count(len(found), 'text has', 'texts have')} two labels or more, such as {quote(' / '.join(first))} "
        f"({' and '.join(sorted(labels[first]))}; rows {', '.join(map(str, where[first][:4]))})"
    )
    return Finding("contradictions", LOOK, said, {"texts": len(found), "rows": [where[key] for key in found[:20]]})


def overlap(examples: Examples, other: Examples) -> int:
    """How many examples of `other` have texts that `examples` have too."""
    known = set(examples.keys())
    return sum(key in known for key in other.keys())  # noqa: SIM118  # a method, no dictionary


def _overlap(examples: Examples, name: str, other: Examples) -> Finding:
    shared = overlap(examples, other)
    said = f"{shared:,} of {len(other):,} texts of {other.name} ({name}) are in {examples.name} too"
    said += "; what a model was trained on tests nothing" if shared else ""
    return Finding("overlap", LOOK if shared else FINE, said, {"for": name, "file": other.name, "rows": shared})


def _unknown(examples: Examples, name: str, other: Examples) -> list[Finding]:
    unknown = sorted(set(other.labels) - set(examples.labels))
    if not unknown:
        return []
    said = f"{other.name}: the labels {', '.join(unknown[:5])} are not in {examples.name}; --rename-labels OLD=NEW"
    return [Finding("other labels", STOPS, said, {"labels": unknown})]


def _lengths(lengths: Sequence[int], longest: int | None) -> Finding:
    shares = {cut: share_cut(lengths, cut) for cut in LENGTHS if longest is None or cut <= longest}
    said = ", ".join(f"{cut}: {100 * share:.1f} %" for cut, share in shares.items())
    long = bool(shares) and min(shares.values()) > LONG_TAIL
    return Finding("length", LOOK if long else FINE, f"texts cut after so many tokens: {said}", {"shares": shares})


def share_cut(lengths: Sequence[int], cut: int) -> float:
    """The share of texts of these numbers of tokens that are longer than `cut`."""
    return sum(length > cut for length in lengths) / max(len(lengths), 1)


def quote(text: str) -> str:
    """A text in quotation marks, cut and on one line."""
    line = " ".join(text.split())
    return f'"{line[:QUOTED]}..."' if len(line) > QUOTED else f'"{line}"'


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def render(title: str, findings: Sequence[Finding]) -> str:
    """The findings as lines for a terminal."""
    lines = [title]
    lines += [f"  {MARKS[finding.level]} {finding.name + ':':<17}{finding.text}" for finding in findings]
    level = Counter(finding.level for finding in findings)
    verdict = "it cannot be trained on as it is" if level[STOPS] else "it can be trained on"
    marked = f", {level[LOOK]} marked ! are worth a look" if level[LOOK] else ""
    return "\n".join([*lines, f"{verdict}{marked}" + (f"; {level[STOPS]} marked x come first" if level[STOPS] else "")])
