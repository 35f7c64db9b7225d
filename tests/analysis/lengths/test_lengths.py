"""The same runs with their evaluation texts cut at several lengths."""

import numpy as np
import pandas as pd
import pytest

from masktune import data
from masktune.analysis.answers import Answers, Block
from masktune.analysis.lengths import figures, numbers, tables, text

LABELS = np.array([0, 1] * 10)


def block(name, kind, wrong):
    """A set on which a method gets so many of the 20 examples wrong, one more with each seed."""
    answers = []
    for method, first in wrong.items():
        predictions = np.stack([np.where(np.arange(20) < first + seed, 1 - LABELS, LABELS) for seed in range(3)])
        answers.append(Answers(method, (0, 1, 2), predictions, ()))
    clusters = np.array([str(i) for i in range(20)])
    return Block("minilm", "sentiment", name, kind, LABELS, clusters, np.array([""] * 20), tuple(answers))


@pytest.fixture
def frame():
    made = [
        block("sst2_validation", "in_distribution", {"fine-tuning": 1, "ours": 1}),
        block("imdb_contrast", "out_of_distribution", {"fine-tuning": 5, "ours": 3}),
        block("imdb_contrast_original", "companion", {"fine-tuning": 2, "ours": 2}),
        block("imdb_contrast@512", "other_length", {"fine-tuning": 4, "ours": 3}),
        block("imdb_contrast@128", "other_length", {"fine-tuning": 6, "ours": 8}),
        block("imdb_cad", "out_of_distribution", {"fine-tuning": 5, "ours": 5}),
    ]
    return numbers.by_length(made, "real", "fine-tuning")


def test_a_set_is_listed_at_its_own_length_and_at_the_others(frame):
    assert data.max_lengths("real", "sentiment")["imdb_contrast"] == 256
    assert frame["tokens"].tolist() == [128, 128, 256, 256, 512, 512]
    assert set(frame["set"]) == {"imdb_contrast"}, "a set that was cut once has no row"
    assert frame["headline"].tolist() == [False, False, True, True, False, False]


def test_differences_are_at_the_same_length(frame):
    ours = frame[frame["method"] == "ours"].set_index("tokens")
    assert ours["difference"].round(6).to_dict() == {128: -10.0, 256: 10.0, 512: 5.0}
    assert ours.loc[256, ["lowest", "accuracy", "highest"]].tolist() == pytest.approx([75, 80, 85])
    assert frame[frame["method"] == "fine-tuning"]["difference"].isna().all()
    assert (ours["low"] <= ours["difference"]).all() and (ours["difference"] <= ours["high"]).all()


def test_table_figure_and_words(frame):
    shown = tables.lengths(frame).shown
    assert shown["Tokens"].tolist() == [128, 256, 512]
    assert shown.loc[1, "ours"].startswith("80.0 (+10.0 [")
    assert "20 examples" in tables.lengths(frame).caption and "3 seeds" in tables.lengths(frame).caption
    figure = figures.lengths(frame)
    (axis,) = figure.axes
    lines = [line.get_xdata() for line in axis.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 3]
    assert len(lines) == 2 and axis.get_xscale() == "log" and axis.get_xticks().tolist() == [128, 256, 512]
    plain, gap = text.lengths(frame, "fine-tuning")
    assert plain.endswith("fine-tuning has 65.0 % at 128 tokens, 70.0 % at 256 tokens, 75.0 % at 512 tokens.")
    assert gap.endswith("it changes its sign.")


def test_a_study_that_cuts_once_says_so():
    none = numbers.by_length([block("imdb_cad", "out_of_distribution", {"fine-tuning": 5})], "real", "fine-tuning")
    assert isinstance(none, pd.DataFrame) and none.empty
    assert text.lengths(none, "fine-tuning") == ["No set of this study was cut at more than one length."]
