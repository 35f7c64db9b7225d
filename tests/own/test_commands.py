"""What the commands print, and how they end."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from own.conftest import reviews, write_csv

from masktune import MaskTuneError
from masktune.__main__ import main, parser
from masktune.own import commands, inputs
from masktune.own.data import columns, examples
from masktune.own.data.columns import Columns
from masktune.own.data.reading import Rows
from masktune.own.settings import parse_renames


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


LABELS = ["very bad", "it's bad", 'say "no"', "-1", "$bad; rm", "bad", "a=b", "= bad"]


def messages_with_a_command(label):
    """(what is printed, the words before its options, what the options must say), of a label or column so named."""
    known = [("one text of some words", "good"), ("another text of words", "fair")] * 3
    rows = Rows(Path("my file.csv"), {"text": ["some words here"] * 2, "label": [label, label.upper()]}, "0" * 64)
    collected = examples.collect(rows, Columns(("text",), "label"))
    yield (
        examples.fault_of_labels(replace(collected, labels=[label, "word" if label == "-1" else "7"]), "label", {}),
        "rename_labels",
    )
    with pytest.raises(MaskTuneError) as error:
        inputs._check_part(collected, [each for _, each in known])
    yield str(error.value), "rename_labels"
    with pytest.raises(MaskTuneError) as error:
        examples.collect(Rows(Path("a.csv"), {"t": ["x"], "l": ["y"]}, ""), Columns(("t",), "l"), {label: "NAME"})
    yield str(error.value).partition(": no label")[0], "rename_labels"
    texts = {"a text": [text for text, _ in known], label: [f"{text} more" for text, _ in known], "label": ["1"] * 6}
    yield columns.choose(Rows(Path("a.csv"), texts, "")).unread(), "text"


@pytest.mark.parametrize("label", LABELS)
def test_a_command_that_is_printed_is_one_that_a_shell_reads_as_meant(label):
    for message, name in messages_with_a_command(label):
        start = message.index("--" + name.replace("_", "-"))
        words = shlex.split(message[start:].removesuffix(" ..."))
        options = parser().parse_args(["evaluate", "a model", "my file.csv", *words])
        if name == "text":
            assert options.text == ["a text", label]
        else:
            assert parse_renames(options.rename_labels) in ({label: "NAME"}, {label.upper(): "NAME"}, {"7": "NAME"})


def test_the_second_text_of_a_pair_is_not_dropped_without_a_word(tmp_path, capsys):
    rows = [(f"how is number {n} made?", f"what makes the number {n}?", n % 2) for n in range(40)]
    file = str(write_csv(tmp_path / "pair.csv", ("q1", "q2", "label"), rows))
    assert main(["check", file]) == 0
    assert "! second text:" in (said := capsys.readouterr().out) and "--text q1 q2" in said
    settings = commands.settings_of(parser().parse_args(["train", file, "--model", "embedded", "--output", "o"]))
    data = inputs.load_data(settings)
    assert "q1" in data.columns.unread() or "q2" in data.columns.unread()
    assert main(["check", file, "--text", "q1", "q2"]) == 0
    assert "second text" not in capsys.readouterr().out


def test_clusters_are_counted_and_split_as_wholes(tmp_path, capsys):
    rows = [(f"text number {n} of some words", f"pair {n // 2}", n % 2) for n in range(60)]
    file = str(write_csv(tmp_path / "a.csv", ("text", "pair", "label"), rows))
    assert main(["check", file, "--cluster", "pair"]) == 0
    assert "30 clusters, the largest of 2 rows" in (said := capsys.readouterr().out) and "cluster: pair" in said
    words = ["train", file, "--model", "embedded", "--output", "o", "--cluster", "pair"]
    data = inputs.load_data(commands.settings_of(parser().parse_args(words)))
    parts = [set(data.parts[name].clusters) for name in ("train", "validation", "test")]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 30


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
        (["check", "{file}", "--cluster", "a pair"], "no column 'a pair'; there are review, stars"),
        (["check", "{file}", "--cluster", "stars"], "--cluster stars: each names a column of its own"),
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
