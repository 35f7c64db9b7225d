"""The findings on a file, each on a file that has the fault and on one that has not."""

import pytest

from masktune.own.data import checks
from masktune.own.data.examples import Examples

GOOD = [(f"text number {number}", "a" if number % 2 else "b") for number in range(40)]


def made(pairs, name="a.csv", **more):
    texts, labels = zip(*pairs, strict=True)
    return Examples(name, "0" * 64, [(text,) for text in texts], list(labels), list(range(1, len(texts) + 1)), **more)


def found(examples, name, others=None, **more):
    findings = checks.check(examples, "label", others or {}, {}, **more)
    (finding,) = [each for each in findings if each.name == name]
    return finding


FAULTS = {
    "rows": (
        made(GOOD, left_out={"no text": 3, "no label": 1}),
        checks.LOOK,
        "44 rows, 40 of them usable: 3 have no text",
    ),
    "numbers": (made(GOOD, numbers=2), checks.LOOK, "2 texts are numbers"),
    "balance": (made(GOOD + [(f"more {number}", "a") for number in range(100)]), checks.LOOK, "6.0 times"),
    "small classes": (made([*GOOD, ("rare one", "c")]), checks.LOOK, "1 class has fewer than 10 rows (c 1)"),
    "duplicates": (made([*GOOD, ("TEXT  number 3", "a")]), checks.LOOK, "1 row repeats the text of another"),
    "contradictions": (made([*GOOD, ("text number 3", "b")]), checks.LOOK, '"text number 3" (a and b; rows 4, 41)'),
    "classes": (made([(text, "a") for text, _ in GOOD]), checks.STOPS, "every row has the label 'a'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_counted(name):
    examples, level, said = FAULTS[name]
    finding = found(examples, name)
    assert finding.level == level and said in finding.text


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "numbers"])
def test_a_good_file_has_none(name):
    assert found(made(GOOD), name).level == checks.FINE


def test_the_constant_answer_is_what_the_most_frequent_class_gives():
    finding = found(made([*GOOD[:30], ("one more", "b"), ("and another", "b")]), "constant answer")
    assert finding.values == {"label": "b", "accuracy": 17 / 32}


def test_texts_that_are_in_two_files_are_counted_and_labels_that_are_new_stop():
    other = made([("Text Number 4", "a"), ("something else", "z")], "other.csv")
    finding = found(made(GOOD), "overlap", {"test": other})
    assert (finding.level, finding.values["rows"]) == (checks.LOOK, 1)
    assert found(made(GOOD), "other labels", {"test": other}).level == checks.STOPS
    assert found(made(GOOD), "overlap", {"test": made([("new", "a")])}).level == checks.FINE


def test_the_share_of_long_texts_is_said_up_to_what_the_model_reads():
    finding = found(made(GOOD), "length", lengths=[10, 100, 200, 400], longest=256)
    assert finding.values["shares"] == {64: 0.75, 128: 0.5, 256: 0.25}
    assert finding.level == checks.LOOK
    assert found(made(GOOD), "length", lengths=[10, 20], longest=512).level == checks.FINE


def test_what_is_printed_says_whether_the_file_can_be_trained_on():
    examples = FAULTS["classes"][0]
    assert "cannot be trained on" in checks.render("x", checks.check(examples, "label", {}, {}))
    text = checks.render("x", checks.check(FAULTS["duplicates"][0], "label", {}, {}))
    assert "it can be trained on, 1 marked !" in text
