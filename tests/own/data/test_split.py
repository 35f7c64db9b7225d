"""The split: nothing of a test is in training, and classes keep their proportions."""

import random
from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from masktune import MaskTuneError
from masktune.own.data import split
from masktune.own.data.examples import Examples


def made(texts, labels):
    return Examples("a.csv", "0" * 64, [(text,) for text in texts], labels, list(range(1, len(texts) + 1)))


@pytest.fixture
def many():
    chooser = random.Random(0)
    labels = chooser.choices(["a", "b", "c"], weights=[6, 3, 1], k=2000)
    texts = [f"text {chooser.randrange(1500)}" + chooser.choice(["", " ", "\n"]) for _ in labels]
    return made([text.upper() if chooser.random() < 0.3 else text for text in texts], labels)


def test_every_row_is_in_one_part_and_texts_that_count_as_the_same_are_in_one(many):
    parts = split.split(many)
    rows = [row for part in parts.values() for row in part.rows]
    assert sorted(rows) == many.rows
    keys = {name: set(part.keys()) for name, part in parts.items()}
    assert not keys["train"] & keys["test"] and not keys["train"] & keys["validation"]
    assert not keys["validation"] & keys["test"]


def test_parts_have_their_size_and_the_classes_in_proportion(many):
    parts = split.split(many)
    whole = Counter(many.labels)
    for name, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        assert len(parts[name]) == pytest.approx(share * len(many), abs=25)
        for label, count in Counter(parts[name].labels).items():
            # Duplicates with other labels move along with their group.
            assert count / len(parts[name]) == pytest.approx(whole[label] / len(many), abs=0.05)


def test_the_split_is_exact_where_no_text_is_there_twice():
    examples = made([f"text {number}" for number in range(100)], ["a"] * 70 + ["b"] * 30)
    counts = {name: Counter(part.labels) for name, part in split.split(examples).items()}
    assert counts["train"] == {"a": 56, "b": 24}
    assert counts["validation"] == counts["test"] == {"a": 7, "b": 3}


def test_it_is_the_same_each_time_and_a_file_takes_the_place_of_a_part(many):
    assert split.split(many)["test"].rows == split.split(many)["test"].rows
    two = split.split(many, ("train", "test"))
    assert set(two) == {"train", "test"} and len(two["train"]) == pytest.approx(0.9 * len(many), abs=25)


def test_a_class_of_one_example_is_trained_on():
    examples = made([f"text {number}" for number in range(41)], ["a", "b"] * 20 + ["rare"])
    parts = split.split(examples)
    assert "rare" in parts["train"].labels


def test_what_the_user_says_belongs_together_stays_together(many):
    """Also by way of a third: of one text with the one, of one cluster with the other."""
    chooser = random.Random(1)
    clusters = [chooser.choice(["", *map(str, range(1000))]) for _ in many.labels]
    marked = replace(many, clusters=clusters)
    part_of = {row: name for name, part in split.split(marked).items() for row in part.rows}
    places = defaultdict(set)
    for row, key, cluster in zip(marked.rows, marked.keys(), clusters, strict=True):
        places["text", key].add(part_of[row])
        places["cluster", cluster or row].add(part_of[row])
    assert {len(own) for own in places.values()} == {1} and set(part_of.values()) == {"train", "validation", "test"}
    assert many.together() == replace(many, clusters=[""] * len(many)).together()


def test_too_few_rows_are_one_line():
    with pytest.raises(MaskTuneError, match="leave none for .*expected some dozens of rows"):
        split.split(made(["a", "b", "c"], ["x", "y", "x"]))
    with pytest.raises(MaskTuneError, match="leave none for"):
        split.split(made(["the same"] * 100, ["x", "y"] * 50))
