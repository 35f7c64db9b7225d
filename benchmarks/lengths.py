"""How long real examples are: the number of tokens of each SST-2 and MNLI train example, as counts. No text is kept.

`python -m benchmarks.lengths` counts them again in the mirror and writes lengths.json, which serves where no mirror is.
"""

import json
from pathlib import Path

import numpy

from masktune.data import catalogue, sources
from masktune.errors import MaskTuneError, one_of

SETS = {"SST-2": "glue/sst2/train", "MNLI": "glue/mnli/train"}
LONGEST = 128
TOKENIZER = "all-minilm-l6-v2-fp16"  # uncased WordPiece with 30,522 entries, as BERT's
STORED = Path(__file__).with_name("lengths.json")


def read_counts(name: str) -> numpy.ndarray:
    """How many train examples have 0, 1, ... LONGEST tokens, special ones included: from the mirror, else as stored."""
    one_of(name, SETS, "length distribution")
    mirror = sources.mirror_folder()
    counted = count_in_mirror(mirror, name) if mirror else None
    return numpy.array(json.loads(STORED.read_text())[name]) if counted is None else counted


def count_in_mirror(mirror: Path, name: str) -> numpy.ndarray | None:
    """The counts of a set in a mirror; None where the set or the tokenizer is not there."""
    from transformers import AutoTokenizer

    card = catalogue.card(SETS[name])
    raw, vocabulary = sources.from_mirror(card, mirror), mirror / "models" / TOKENIZER
    if raw is None or not vocabulary.is_dir():
        return None
    columns = [card.columns[column] for column in ("text", "text_pair") if column in card.columns]
    texts = [raw.table[column].to_pylist() for column in columns]
    encoded = AutoTokenizer.from_pretrained(vocabulary)(*texts, truncation=True, max_length=LONGEST)
    return numpy.bincount([len(ids) for ids in encoded["input_ids"]], minlength=LONGEST + 1)


def quantiles(histogram: numpy.ndarray, examples: int) -> numpy.ndarray:
    """So many lengths at even steps through the distribution: its shape without the noise of a draw. [examples]."""
    shares = (numpy.arange(examples) + 0.5) / examples
    return numpy.searchsorted(histogram.cumsum() / histogram.sum(), shares)


def main() -> None:
    mirror = sources.mirror_folder()
    counted = {name: count_in_mirror(mirror, name) for name in SETS} if mirror else {}
    found = {name: histogram for name, histogram in counted.items() if histogram is not None}
    if len(found) < len(SETS):
        raise MaskTuneError(f"set {sources.MIRROR} to a mirror that holds {', '.join(SETS.values())} and {TOKENIZER}")
    lines = (f' "{name}": {json.dumps(histogram.tolist())}' for name, histogram in found.items())
    STORED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
