"""What runs say of the language models that they start from."""

import json

import pandas as pd
import pytest

from masktune.analysis.language_models import figures, numbers, tables, text
from masktune.study.design.load import parse_study


def record(pretraining, losses, accuracy=0.5):
    points = [
        {"step": 100 * n, "loss": loss, "accuracy": accuracy, "masked_tokens": 9} for n, loss in enumerate(losses)
    ]
    return json.dumps({"recipe": {}, "pretraining": pretraining, "texts": 98, "held_out_texts": 2, "curve": points})


@pytest.fixture
def runs():
    """Two pre-trainings of one model on two tasks, an adapted model, and what has no record."""
    losses = ([5, 3, 2, 1.5, 1.4], [5, 2, 1.5, 1.2, 1.19])
    rows = [
        {"model": "bert", "task": task, "adaptation": "null", "pretraining": pretraining, "status": "done",
         "label": label, "language_model": record(pretraining, losses[pretraining])}
        for label in ("fine-tuning", "Mask-tuning") for task in ("sentiment", "inference") for pretraining in (0, 1)
    ]  # fmt: skip
    rows += [
        {"model": "minilm", "task": task, "adaptation": '{"steps":400}', "pretraining": 0, "status": "done",
         "label": "fine-tuning", "language_model": record(0, [9, 4, 3, 2.5, 2.5], accuracy)}
        for task, accuracy in (("sentiment", 0.25), ("inference", 0.75))
    ]  # fmt: skip
    rows += [{**rows[0], "model": "old", "language_model": None}, {**rows[0], "model": "lost", "status": "failed"}]
    return pd.DataFrame(rows)


def test_each_language_model_has_one_row(runs):
    frame = numbers.trained(runs)
    assert frame[["model", "task", "pretraining"]].to_numpy().tolist() == [
        ["bert", "all", 0], ["bert", "all", 1], ["minilm", "sentiment", 0], ["minilm", "inference", 0],
    ]  # fmt: skip
    assert frame["loss_before"].tolist() == [5, 5, 9, 9] and frame["loss"].tolist() == [1.4, 1.19, 2.5, 2.5]
    assert frame["last_gain"].to_list() == pytest.approx([0.1, 0.01, 0, 0])
    assert frame["levelled_off"].tolist() == [False, True, True, True]
    assert frame["accuracy"].tolist() == [50, 50, 25, 75] and set(frame["steps"]) == {400}
    assert len(numbers.curves(runs)) == 4 * 5


def test_runs_of_an_older_version_say_nothing(runs):
    older = runs.drop(columns="language_model")
    assert numbers.trained(older).empty and numbers.curves(older).empty
    assert figures.curves(numbers.curves(older)).alt.startswith("No run of this study says")


def test_table_figure_and_words(runs):
    frame = numbers.trained(runs)
    table = tables.trained(frame)
    assert table.shown["Levelled off"].tolist() == ["no", "yes", "yes", "yes"]
    assert table.shown["Task"].tolist() == ["all", "all", "Sentiment", "Inference"]
    assert table.shown["Adapted with"].tolist() == ["\N{EN DASH}"] * 2 + ["steps 400"] * 2
    assert "2 texts held out" in table.caption and "0.02 nats" in table.caption
    figure = figures.curves(numbers.curves(runs))
    assert [len(axis.lines) for axis in figure.axes] == [2, 2]
    assert "BERT: from 5.00 to 1.29" in figure.alt or "BERT: from 5.00 to 1.30" in figure.alt
    first, second = text.levelled_off(frame)
    assert first.startswith("BERT: 1 of 2 language models") and "held-out loss 1.19 to 1.40 nats" in first
    assert second.startswith("MiniLM: 2 of 2") and "25 to 75 % of masked tokens" in second


def test_the_same_training_on_another_machine_is_a_row_and_a_line_of_its_own(runs):
    last = runs[runs["model"] == "minilm"].tail(1)
    elsewhere = last.assign(language_model=record(0, [9, 5, 4, 3, 3]))
    both = pd.concat([runs, elsewhere], ignore_index=True)
    once, twice = (tables.trained(numbers.trained(each)) for each in (runs, both))
    assert len(twice.shown) == len(once.shown) + 1
    assert "trained twice" in twice.caption and "trained twice" not in once.caption
    figure = figures.curves(numbers.curves(both))
    assert [len(axis.lines) for axis in figure.axes] == [2, 3]
    assert figure.axes[1].lines[-1].get_ydata().tolist() == [9, 5, 4, 3, 3]


def test_sources_are_those_that_the_study_declares():
    models = {
        "bert": {"checkpoint": "embedded:bert", "pretrainings": 3},
        "tiny": {"checkpoint": "a/model", "revision": "a" * 40, "source": "a hub", "licence": "MIT", "saw": "books"},
        "other": {"checkpoint": "b/model", "revision": "b" * 40},
    }
    table = {"name": "small", "data": "embedded", "tasks": ["sentiment"], "models": models}
    frame = numbers.sources(parse_study({**table, "grid": [{"label": "fine-tuning", "method": "fine_tuning"}]}))
    assert frame["licence"].tolist() == ["that of this package", "MIT", "not declared"]
    shown = tables.sources(frame).shown
    assert shown["Checkpoint"].tolist() == ["embedded:bert", "a/model at aaaaaaa", "b/model at bbbbbbb"]
    assert shown["Upstream training read"].tolist()[1:] == ["books", "not declared"]


def test_captions_say_where_pretrainings_are_a_level_of_the_intervals(runs):
    assert text.pretrainings_note(runs).startswith(" Seeds start from 2 pre-trainings in turn")
    assert text.pretrainings_note(runs[runs["pretraining"] == 0]) == ""
    assert text.pretrainings_note(runs.drop(columns="pretraining")) == ""
