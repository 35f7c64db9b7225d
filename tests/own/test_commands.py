"""What the commands print, and how they end."""

import json

import pytest
from own.conftest import reviews, write_csv

from masktune.__main__ import main


def test_check_ends_with_0_where_a_file_can_be_trained_on(own_files, capsys):
    assert main(["check", str(own_files["train"]), "--ood", str(own_files["other"])]) == 0
    said = capsys.readouterr().out
    assert "text: review; label: stars (by name" in said and "it can be trained on" in said
    assert "1 has no text, 1 has no label" in said and "1 row repeats" in said


def test_check_ends_with_1_where_a_training_would_be_refused(tmp_path, capsys):
    rows = [(text, {"bad": "0", "fair": "1", "good": "good"}[label]) for text, label in reviews(60, 0)]
    file = str(write_csv(tmp_path / "a.csv", ("text", "label"), rows))
    assert main(["check", file]) == 1
    assert "--rename-labels 0=NAME" in capsys.readouterr().out
    assert main(["train", file, "--model", "embedded", "--output", str(tmp_path / "out")]) == 2
    assert "--rename-labels 0=NAME" in capsys.readouterr().err
    assert main(["check", file, "--rename-labels", "0=bad", "1=fair"]) == 0


def test_check_gives_json(own_files, capsys):
    assert main(["check", str(own_files["train"]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["trainable"] and found["columns"] == ["review", "stars"]
    by_name = {each["name"]: each for each in found["findings"]}
    assert by_name["rows"]["usable"] == 151 and sum(by_name["classes"]["counts"].values()) == 151


def test_check_counts_tokens_by_the_tokenizer_of_a_model(own_files, checkpoints, capsys):
    assert main(["check", str(own_files["train"]), "--model", str(checkpoints["bert"])]) == 0
    assert "64: 0.0 %" in (said := capsys.readouterr().out) and "128:" not in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "nowhere.csv"], "no file 'nowhere.csv'"),
        (["check", "{file}", "--text", "body"], "no column 'body'; there are review, stars"),
        (["check", "{file}", "--model", "embedded"], "its vocabulary is made in training"),
        (
            ["train", "{file}", "--model", "embedded", "--output", "o", "--seeds", "0"],
            "--seeds = 0; expected 1 or more",
        ),
        (["train", "{file}", "--model", "embedded", "--output", "{file}"], "is a file; name a new folder"),
    ],
)
def test_a_mistake_is_one_line_and_ends_with_2(words, message, own_files, capsys):
    assert main([word.format(file=own_files["train"]) for word in words]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
