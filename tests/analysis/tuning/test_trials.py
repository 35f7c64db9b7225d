"""What tuning tried and chose, laid out."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest

from masktune.analysis.tuning import figures, numbers, tables, text
from masktune.errors import MaskTuneError


def made():
    rows = [
        (label, "bert", task, number, json.dumps({"learning_rate": rate}), value, value == max(values))
        for task in ("sentiment", "inference")
        for label, values in (("fine-tuning", (0.7, 0.9)), ("Mask-tuning", (0.6, 0.5)), ("another", (0.55, 0.56)))
        for number, (rate, value) in enumerate(zip((1e-3, 2e-3), values, strict=True), 1)
    ]
    return pd.DataFrame(rows, columns=numbers.COLUMNS)


def test_the_expected_maximum_is_the_mean_over_all_draws_with_replacement():
    values = np.array([0.3, 0.9, 0.5, 0.5])
    literal = [np.mean([max(draw) for draw in itertools.product(values, repeat=n)]) for n in (1, 2, 3, 4)]
    assert np.allclose(numbers.expected_maximum(values), literal)


def test_the_table_names_each_choice_with_its_accuracy():
    shown = tables.trials(made()).shown
    assert list(shown.columns) == ["Method", "Model", "Sentiment", "Inference"]
    assert shown.loc[0].tolist() == ["fine-tuning", "BERT", *["learning rate 0.002 (90.0)"] * 2]
    assert shown.loc[1, "Sentiment"] == "learning rate 0.001 (60.0)"
    assert "2 trials" in tables.trials(made()).caption


def test_the_figure_has_a_panel_a_task_and_a_line_a_method():
    figure = figures.trials(made(), "bert", ["fine-tuning", "Mask-tuning"])
    assert [len(axis.lines) for axis in figure.axes] == [3, 3]
    top = max(line.get_ydata()[-1] for line in figure.axes[0].lines)
    assert top == pytest.approx(100 * numbers.expected_maximum(np.array([0.7, 0.9]))[-1])
    assert {text.get_text() for text in figure.legends[0].texts} == {"fine-tuning", "Mask-tuning", figures.OTHERS}


def test_the_sentences_say_how_much_the_settings_matter_and_which_rate_was_wanted():
    spread, rate = text.trials(made(), "fine-tuning", "Mask-tuning")
    assert "10.0 points" in spread and "20.0 at most" in spread
    assert rate.startswith(
        "In 2 places (model x task) Mask-tuning was given a smaller learning rate than fine-tuning 2 "
    )
    assert rate.endswith("times, the same 0 times and a larger one 0 times.")


def test_a_study_that_was_not_tuned_says_how():
    with pytest.raises(MaskTuneError, match="python -m masktune tune collapse"):
        numbers.read("collapse")
