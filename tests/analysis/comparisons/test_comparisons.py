"""Methods beside one another: the numbers against plain arithmetic, the gaps where something has not run."""

import numpy as np
import pytest
from synthetic_study import METHODS, make

from masktune.analysis import formatting, names
from masktune.analysis.answers import blocks
from masktune.analysis.comparisons import figures, numbers, tables, text
from masktune.analysis.table import markdown
from masktune.study.design.load import load_study

OTHERS = [("R-Drop", "r_drop", {}, np.nan, np.nan), ("Mask-tuning + R-Drop", "mask_tuning+r_drop", {}, 0.6, 0.05)]
PAIRS = {"R-Drop": "Mask-tuning + R-Drop"}


@pytest.fixture(scope="module")
def study():
    return make(tasks=("sentiment", "inference"), seeds=4, examples=40, methods=[*METHODS, *OTHERS])


@pytest.fixture(scope="module")
def answered(study):
    return blocks(*study)


def accuracy(study, label, task, name):
    """Accuracy in per cent by seed, straight from the frames."""
    runs, predictions = study
    chosen = runs[(runs["label"] == label) & (runs["task"] == task)].set_index("run_id")["seed"]
    rows = predictions[predictions["run_id"].isin(chosen.index) & (predictions["set"] == name)]
    right = (rows["label"] == rows["prediction"]).groupby(rows["run_id"].map(chosen).astype(int)).mean()
    return 100 * right.sort_index().to_numpy()


def test_a_contrast_is_the_mean_paired_difference(study, answered):
    frame = numbers.contrasts(answered, [("fine-tuning", "R-Drop"), ("R-Drop", "Mask-tuning")])
    assert set(frame["kind"]) == {"in_distribution", "out_of_distribution"}
    for row in frame.itertuples():
        first, second = (accuracy(study, label, row.task, row.set) for label in (row.first, row.second))
        assert row.difference == pytest.approx((second - first).mean())
        assert row.accuracy == pytest.approx(second.mean())
        assert row.low < row.difference < row.high


def test_against_leaves_out_the_method_itself_and_what_never_ran(answered):
    frame = numbers.against(answered, "fine-tuning", ["fine-tuning", "R-Drop", "never run"])
    assert set(frame["second"]) == {"R-Drop"}


def test_the_gap_of_additivity_is_what_the_sum_leaves(study, answered):
    frame = numbers.additivity(answered, "fine-tuning", "Mask-tuning", PAIRS)
    for row in frame.itertuples():
        plain, first, other, both = (
            accuracy(study, label, row.task, row.set).mean()
            for label in ("fine-tuning", "Mask-tuning", "R-Drop", "Mask-tuning + R-Drop")
        )
        assert row.alone == pytest.approx(other - plain)
        assert row.sum == pytest.approx(row.alone + row.added)
        assert row.both == pytest.approx(both - plain)
        assert row.difference == pytest.approx(row.both - row.sum)
        assert row.low < row.difference < row.high


def test_a_model_that_none_of_the_methods_ran_on_is_left_out():
    runs, predictions = make(
        models=("bert", "bart"), tasks=("sentiment",), seeds=2, examples=20, methods=[*METHODS, OTHERS[0]]
    )
    kept = runs[(runs["model"] == "bert") | (runs["label"] != "R-Drop")]
    assert {block.model for block in numbers.answered_by(blocks(kept, predictions), ["R-Drop"])} == {"bert"}


def test_every_model_has_columns_of_its_own():
    runs = make(models=("bert", "bart"), tasks=("sentiment",), seeds=2, examples=20, methods=METHODS)
    frame = numbers.contrasts(blocks(*runs), [("fine-tuning", "Mask-tuning")])
    shown = tables.contrasts(frame, "some", "Some").shown
    for row in frame.itertuples():
        title = f"Sentiment: {names.evaluation_set(row.set)}, {names.model(row.model)}"
        assert shown[title].item().startswith(formatting.interval(row.difference, row.low, row.high, sign=True))
    axis = figures.matrix(frame).axes[0]
    assert len(axis.texts) == len(frame) == 6
    assert {label.get_text().split("\n")[-1] for label in axis.get_xticklabels()} == {"BERT", "BART"}


def test_additivity_takes_the_seeds_that_all_four_have(study):
    runs, predictions = study
    kept = runs[~((runs["label"] == "R-Drop") & (runs["seed"] > 1))]
    frame = numbers.additivity(blocks(kept, predictions), "fine-tuning", "Mask-tuning", PAIRS)
    assert set(frame["seeds"]) == {2}
    without = kept[kept["label"] != "R-Drop"]
    assert numbers.additivity(blocks(without, predictions), "fine-tuning", "Mask-tuning", PAIRS).empty


def test_the_study_of_methods_names_what_the_notebooks_ask_for():
    declared = load_study("methods")
    assert numbers.labels(declared, "main")[:2] == ["fine-tuning", "Mask-tuning"]
    combined = numbers.combinations(declared, "Mask-tuning")
    assert set(combined) == {"FreeLB", "R-Drop", "Product of Experts", "TAPT"}
    assert set(combined.values()) <= set(numbers.labels(declared, "combination"))
    cards = numbers.cards(declared, ["fine-tuning", "Mask-tuning"])
    assert cards[["forward", "backward"]].to_numpy().tolist() == [[1, 1], [2, 2]]


def test_tables_and_sentences_say_every_pair(answered):
    frame = numbers.contrasts(answered, [("fine-tuning", "R-Drop"), ("fine-tuning", "Mask-tuning")])
    table = tables.contrasts(frame, "baselines", "Each")
    assert list(table.shown["Difference"]) == [
        "R-Drop \N{MINUS SIGN} fine-tuning",
        "Mask-tuning \N{MINUS SIGN} fine-tuning",
    ]
    assert list(table.shown.columns)[1:3] == ["Sentiment: validation", "Inference: validation"]
    assert "4 paired seeds, 40 examples a set" in markdown(table)
    assert len(text.contrasts(frame)) == 2 and "2 sets" in text.contrasts(frame)[0]
    added = numbers.additivity(answered, "fine-tuning", "Mask-tuning", PAIRS)
    assert len(tables.additivity(added, "Mask-tuning").shown) == len(added)
    assert text.additivity(added, "Mask-tuning")[0].startswith("**R-Drop**, accuracy out of distribution: alone")


def test_a_matrix_has_a_tile_for_each_contrast(answered):
    frame = numbers.against(answered, "fine-tuning", ["Mask-tuning", "R-Drop"])
    axis = figures.matrix(frame).axes[0]
    texts = [text.get_text() for text in axis.texts]
    assert len(texts) == len(frame)
    assert sum(text.endswith("*") for text in texts) == int(((frame["low"] > 0) | (frame["high"] < 0)).sum())


def test_nothing_that_ran_is_said_in_words(answered):
    frame = numbers.contrasts(answered, [("fine-tuning", "never run")])
    assert text.contrasts(frame) == ["No two methods of this comparison have finished runs on the same seeds."]
    added = numbers.additivity(answered, "fine-tuning", "Mask-tuning", {"never": "never run"})
    assert text.additivity(added, "Mask-tuning")[0].startswith("No combination")
