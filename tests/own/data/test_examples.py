"""Columns and examples: which column is which, what is left out, and which labels are no classes."""

from pathlib import Path

import pytest

from masktune import MaskTuneError
from masktune.own.data import columns, examples
from masktune.own.data.columns import Columns
from masktune.own.data.reading import Rows

NAN = float("nan")
TEXT = "a text that is long enough"


def rows(**given):
    return Rows(Path("a.csv"), given, "0" * 64)


def collect(texts, labels, **renamed):
    return examples.collect(rows(text=texts, label=labels), Columns(("text",), "label"), renamed)


@pytest.mark.parametrize(
    ("names", "texts", "label"),
    [
        (["id", "review", "stars"], ("review",), "stars"),
        (["premise", "hypothesis", "label"], ("premise", "hypothesis"), "label"),
        (["Sentence1", "Sentence2", "Label", "text"], ("Sentence1", "Sentence2"), "Label"),
        (["words", "target", "n"], ("words",), "target"),
    ],
)
def test_columns_are_told_by_their_names(names, texts, label):
    found = columns.choose(rows(**{name: [TEXT] for name in names}))
    assert (found.texts, found.label) == (texts, label)
    assert "--text" in found.describe()


PAIR = {"q1": ["how do I cook rice?"], "q2": ["what is the way to cook rice?"], "label": ["1"]}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "column 'q1' looks like text too, and is not read; of pairs, name both: --text q1 q2"),
        ({"q1": ["c0ffee-c0ffee-c0ffee"]}, ""),  # a mark of the row
        ({"q1": [3]}, ""),
        ({"question 1": PAIR["q1"], "q1": [1]}, "name both: --text q2 'question 1'"),
    ],
)
def test_a_column_of_texts_that_is_not_read_is_named(more, said):
    found = columns.choose(rows(**{**PAIR, **more}))
    assert found.texts == ("q2",) and found.unread().endswith(said) and bool(found.unread()) == bool(said)


@pytest.mark.parametrize("given", [{"texts": ["q1"]}, {"texts": ["q1", "q2"]}, {"cluster": "q1"}])
def test_who_says_what_to_read_is_told_nothing(given):
    assert columns.choose(rows(**PAIR), **given).unread() == ""


def test_columns_that_are_named_are_taken():
    found = columns.choose(rows(text=[TEXT], label=["x"], b=[TEXT], c=["y"]), ["b"], "c")
    assert found == Columns(("b",), "c")


@pytest.mark.parametrize(
    ("texts", "label", "message"),
    [
        (["review"], None, "no column 'review'; there are text, label, n"),
        ([], "stars", "no column 'stars'; there are text, label, n"),
        (["text", "n", "label"], None, "a classifier reads one text or two"),
        (["label"], "label", "each names a column of its own"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_those_that_are(texts, label, message):
    with pytest.raises(MaskTuneError, match=message):
        columns.choose(rows(text=[TEXT], label=["x"], n=[1]), texts, label)


def test_columns_that_cannot_be_told_are_asked_for():
    with pytest.raises(MaskTuneError, match="holds the labels.*a, b.*--label"):
        columns.choose(rows(a=["x"], b=["y"]))
    with pytest.raises(MaskTuneError, match="holds the texts.*--text"):
        columns.choose(rows(a=["x"], label=["y"]))


def test_rows_without_a_text_or_a_label_are_left_out_and_counted():
    found = collect(["a", None, NAN, "  ", "nan", "b", "c", "d"], ["x", "x", "x", "x", "x", "", NAN, "y"])
    assert (found.texts, found.labels, found.rows) == ([("a",), ("d",)], ["x", "y"], [1, 8])
    assert found.left_out == {"no text": 4, "no label": 2}


def test_labels_are_the_words_of_the_user_and_whole_numbers_are_written_so():
    assert collect(["a"] * 6, [1, 1.0, "1", "1.0", " 1 ", "-2.00"]).labels == ["1"] * 5 + ["-2"]
    assert list(collect(["a"] * 3, ["10", "9", "-1"]).counts) == ["-1", "9", "10"]
    assert list(collect(["a"] * 3, ["Zebra", "apple", "mango"]).counts) == ["apple", "mango", "Zebra"]
    assert collect(["a", "b"], [True, False]).labels == ["True", "False"]


def test_labels_get_other_names():
    found = collect(["a", "b", "c"], ["0", "1", "good"], **{"0": "bad", "1": "good"})
    assert found.labels == ["bad", "good", "good"]
    with pytest.raises(MaskTuneError, match="no label '7' in 'label'"):
        collect(["a"], ["0"], **{"7": "x"})


def test_numbers_among_texts_are_read_and_counted_and_a_column_of_numbers_is_no_text():
    assert collect(["a", 5], ["x", "y"]).numbers == 1
    for values in ([1, 2.5], ["1", "2.5"]):
        with pytest.raises(MaskTuneError, match="holds numbers .* and no text; name another with --text"):
            collect(values, ["x", "y"])


def test_lists_are_neither_texts_nor_classes():
    with pytest.raises(MaskTuneError, match="is no text"):
        collect([["a", "b"]], ["x"])
    with pytest.raises(MaskTuneError, match="an example has one class"):
        collect(["a"], [["x", "y"]])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["x"] * 9, "every row has the label 'x'"),
        ([""] * 9, "no row has a text and a label"),
        (["0", "1", "negative"] * 3, "some labels are numbers .* and some are words .*--rename-labels 0=NAME"),
        (["Good", "good", "bad"] * 3, "differ in capitals alone"),
        (["0.5", "1.5", "2.5"] * 3, "numbers with decimal places"),
        ([f"class {number}" for number in range(30)], "30 different values in 30 rows"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels, message):
    import re

    found = collect([f"text {number}" for number in range(len(labels))], labels)
    assert re.search(message, examples.fault_of_labels(found, "label", {}))


def test_labels_are_classes():
    for labels in (["0", "1"] * 4, ["good", "bad"] * 4, ["1", "2", "3", "4", "5"] * 2, ["None", "favor"] * 3):
        found = collect([f"text {number}" for number in range(len(labels))], labels)
        assert examples.fault_of_labels(found, "label", {}) == ""


def test_who_names_labels_has_said_what_they_mean():
    found = collect(["a", "b", "c"], ["0", "1", "word"], **{"0": "zero"})
    assert examples.fault_of_labels(found, "label", {"0": "zero"}) == ""
