"""evaluate and predict on files: answers are the model's, columns stay, and what does not fit is one line."""

import csv
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from own.conftest import reviews, write_csv
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from masktune.__main__ import main
from masktune.own.data import reading
from masktune.own.predictions import HANDED_OVER
from masktune.statistics.crossed import crossed_mean

pytestmark = pytest.mark.slow
NAMES = ("bad", "fair", "good")


@pytest.fixture(scope="module")
def classifier(checkpoints, tmp_path_factory):
    """A saved classifier with a random head, and what masktune train would say of it."""
    folder = tmp_path_factory.mktemp("classifier")
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(checkpoints["bert"], id2label=dict(enumerate(NAMES)))
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(checkpoints["bert"]).save_pretrained(folder)
    reads = {"text": ["review"], "label": "stars", "rename_labels": ["1=bad", "2=fair", "3=good"]}
    (folder / HANDED_OVER).write_text(json.dumps(reads))
    return folder


@pytest.fixture
def unnamed(classifier, tmp_path):
    """The same with the names that transformers gives, and nothing said of its training."""
    model = AutoModelForSequenceClassification.from_pretrained(classifier)
    model.config.id2label = {number: f"LABEL_{number}" for number in range(3)}
    model.save_pretrained(tmp_path / "unnamed")
    AutoTokenizer.from_pretrained(classifier).save_pretrained(tmp_path / "unnamed")
    return tmp_path / "unnamed"


def shares(folder, text):
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        return model(**tokenizer(text, return_tensors="pt")).logits.softmax(-1)[0].numpy()


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_every_row_gets_the_models_answer_and_keeps_its_columns(kind, classifier, tmp_path, capsys):
    rows = [(text, number, f'"{number}", \n{number}') for number, (text, _) in enumerate(reviews(12, 3))]
    rows.insert(5, ("  ", 99, "no text"))
    file = write_csv(tmp_path / "new.csv", ("review", "prediction", "note"), rows)
    output = tmp_path / f"answers.{kind}"
    assert main(["predict", str(classifier), str(file), "--output", str(output)]) == 0
    assert "13 rows written" in (said := capsys.readouterr().out) and "1 have no text" in said
    table = reading.read(output).columns
    given = reading.read(file).columns
    assert {name: list(map(str, table[name])) for name in given} == given
    assert table["prediction_2"][5] in (None, "")
    for row in (0, 4, 12):
        expected = shares(classifier, given["review"][row])
        assert table["prediction_2"][row] == NAMES[int(expected.argmax())]
        found = [float(table[f"probability_{name}"][row]) for name in NAMES]
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_types_of_columns_stay_in_parquet(classifier, tmp_path):
    import pyarrow as pa

    pq.write_table(pa.table({"review": ["word1 word7", "word2"], "price": [1.5, 2.5]}), tmp_path / "a.parquet")
    output = tmp_path / "b.parquet"
    assert main(["predict", str(classifier), str(tmp_path / "a.parquet"), "--output", str(output)]) == 0
    assert pq.read_table(output)["price"].to_pylist() == [1.5, 2.5]


def test_evaluate_counts_what_predict_answers(classifier, tmp_path, capsys):
    rows = [(text, {"bad": 1, "fair": 2, "good": 3}[label]) for text, label in reviews(30, 4)]
    file = write_csv(tmp_path / "a.csv", ("review", "stars"), rows)
    assert main(["evaluate", str(classifier), str(file), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    right = [NAMES[int(shares(classifier, text).argmax())] == NAMES[stars - 1] for text, stars in rows]
    assert (result["accuracy"], result["examples"]) == (pytest.approx(np.mean(right)), 30)
    assert np.sum(result["confusion"]) == 30 and np.trace(result["confusion"]) == sum(right)
    assert main(["evaluate", str(classifier), str(file)]) == 0
    assert f"accuracy           {100 * np.mean(right):.1f} %" in capsys.readouterr().out


@pytest.mark.parametrize("size", [1, 3, 30])
def test_the_interval_of_an_evaluation_is_over_the_clusters_that_are_named(classifier, tmp_path, capsys, size):
    rows = [(text, label, number // size) for number, (text, label) in enumerate(reviews(30, 4))]
    file = str(write_csv(tmp_path / "a.csv", ("review", "stars", "edits of"), rows))
    given = ["evaluate", str(classifier), file, "--rename-labels", "bad=bad", "--cluster", "edits of"]
    assert main([*given, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    right = [NAMES[int(shares(classifier, text).argmax())] == label for text, label, _ in rows]
    assert main(given) == 0
    said = capsys.readouterr().out
    if size == 30:
        assert result["interval"] is None and "(no interval: one cluster)" in said
        return
    estimate = crossed_mean(np.array([right]), np.array([number for *_, number in rows])).estimate()
    assert result["interval"] == pytest.approx([max(estimate.low, 0), min(estimate.high, 1)])
    assert "over clusters of 'edits of')" in said


def test_numbers_of_a_file_are_the_classes_of_a_model_without_names(unnamed, tmp_path, capsys):
    rows = [(text, NAMES.index(label)) for text, label in reviews(12, 5)]
    file = write_csv(tmp_path / "a.csv", ("text", "label"), rows)
    assert main(["evaluate", str(unnamed), str(file), "--json"]) == 0
    right = [int(shares(unnamed, text).argmax()) == label for text, label in rows]
    assert json.loads(capsys.readouterr().out)["accuracy"] == pytest.approx(np.mean(right))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["evaluate", "{model}", "{file}"],
            "the label 'it is 7' in column 'stars' is none of the model's classes (bad, fair, good); "
            "--rename-labels 'it is 7=CLASS'",
        ),
        (["evaluate", "{model}", "{file}", "--text", "body"], "no column 'body'; there are review, stars"),
        (["evaluate", "{headless}", "{file}"], "is no trained classifier"),
        (["predict", "{model}", "{file}", "--output", "a.xlsx"], "unknown kind of file; expected .csv"),
        (["predict", "{model}", "none.csv", "--output", "a.csv"], "no file 'none.csv'"),
    ],
)
def test_what_does_not_fit_is_one_line(words, message, classifier, checkpoints, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = write_csv(tmp_path / "a.csv", ("review", "stars"), [("word1 word2", "bad"), ("word3", "it is 7")])
    places = {"model": classifier, "file": file, "headless": checkpoints["bert"]}
    assert main([word.format(**places) for word in words]) == 2
    said = capsys.readouterr().err
    assert message in said and said.strip().splitlines()[-1].startswith("masktune: ")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_file_of_one_column_and_no_label_can_be_answered(unnamed, tmp_path):
    file = write_csv(tmp_path / "a.csv", ("text",), [("word1 word2, word3",), ("word4",)])
    assert main(["predict", str(unnamed), str(file), "--output", str(tmp_path / "b.csv")]) == 0
    with (tmp_path / "b.csv").open() as lines:
        assert [row["prediction"][:6] for row in csv.DictReader(lines)] == ["LABEL_", "LABEL_"]


@pytest.mark.parametrize("words", [["evaluate"], ["predict", "--output", "b.csv"]], ids=lambda words: words[0])
def test_a_text_that_nobody_told_a_foreign_model_to_read_is_named(words, unnamed, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = [
        (f"word{number} word1 word7 word{number}", f"word2 word{number} word9 word4", number % 3)
        for number in range(20)
    ]
    file = write_csv(tmp_path / "a.csv", ("first", "second", "label"), rows)
    for given, named in ((), True), (("--text", "first", "second"), False):
        assert main([words[0], str(unnamed), str(file), *words[1:], *given]) == 0
        assert ("--text first second" in capsys.readouterr().out) is named
