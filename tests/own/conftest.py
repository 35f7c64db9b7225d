"""Files of a small task that a model of a few thousand weights can learn: one word says the class."""

import csv
import random
from pathlib import Path

import pytest
from tiny_models import WORDS


def write_csv(path: Path, head, rows) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def reviews(count: int, seed: int, names=("bad", "fair", "good")) -> list[tuple[str, str]]:
    """Texts of other words around the one that says the class; no text twice."""
    chooser = random.Random(seed)
    found = {}
    while len(found) < count:
        label = chooser.randrange(len(names))
        words = [*chooser.choices(WORDS[5:], k=5), WORDS[label]]
        chooser.shuffle(words)
        found[" ".join(words)] = names[label]
    return list(found.items())


@pytest.fixture(scope="session")
def own_files(tmp_path_factory) -> dict[str, Path]:
    """A file to train on, with quotes, line breaks and gaps, and one from elsewhere."""
    tmp_path = tmp_path_factory.mktemp("own")
    rows = reviews(150, 0)
    rows[3] = (f'"{rows[3][0]}",\n{rows[3][0]}', rows[3][1])
    rows += [("", "bad"), (rows[0][0].upper(), rows[0][1]), ("no label here", "")]
    return {
        "train": write_csv(tmp_path / "reviews.csv", ("review", "stars"), rows),
        "other": write_csv(tmp_path / "other.csv", ("review", "stars"), reviews(40, 1)),
    }
