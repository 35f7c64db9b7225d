import numpy as np
import pandas as pd
import pytest
from synthetic_study import METHODS, make

from masktune.analysis.ablations.numbers import variants
from masktune.analysis.answers import blocks
from masktune.analysis.gradients import numbers, tables, text
from masktune.analysis.plotting.lines import along_training


@pytest.fixture(scope="module")
def study():
    clean = ("clean", "mask_tuning", {"fill": "original"}, 0.6, 0.05)
    runs, predictions = make(tasks=("inference",), seeds=3, methods=[*METHODS, clean])
    runs.loc[runs["label"] == "clean", "part"] = "ablation"
    trained = runs[runs["method"] == "mask_tuning"]
    rows = [
        {
            "run_id": run.run_id, "step": step, "norm_mlm": 10.0 / step, "norm_classification": 2.0,
            "cosine_mlm_classification": -0.25, "loss_mlm": 1.0, "loss_classification": 0.5,
        }
        for run in trained.itertuples()
        for step in (1.0, 2.0, 4.0, 5.0)
    ]  # fmt: skip
    rows.append({"run_id": trained["run_id"].iloc[0], "step": 5.0, "train_loss": 1.0})
    rows += [
        {"run_id": run_id, "step": 1.0, "loss": 0.3} for run_id in runs.loc[runs["method"] == "fine_tuning", "run_id"]
    ]
    return runs, pd.DataFrame(rows), variants(blocks(runs, predictions), runs)


def test_only_steps_with_both_terms_count(study):
    runs, histories, _ = study
    measured = numbers.along(runs, histories)
    assert len(measured) == 2 * 3 * 4
    assert measured["norm_ratio"].tolist()[:4] == [5.0, 2.5, 1.25, 1.0]


def test_without_measurements_it_says_so(study):
    runs, _, _ = study
    empty = numbers.along(runs, pd.DataFrame({"run_id": runs["run_id"], "step": 1.0, "loss": 0.5}))
    assert empty.empty
    assert text.gradients(empty) == ["No gradients were measured in the runs of this study."]


def test_the_sentence_gives_the_first_and_the_last_quarter(study):
    runs, histories, _ = study
    (line,) = text.gradients(numbers.along(runs, histories))
    assert "is 5.0 times as long" in line and "1.0 times in the last" in line
    assert "median \N{MINUS SIGN}0.25" in line and "at 100 % of the steps" in line


def test_the_table_holds_the_median_of_each_variant(study):
    runs, histories, observed = study
    table = tables.gradients(numbers.along(runs, histories), observed)
    assert set(table.frame["label"]) == {"Mask-tuning", "clean"}
    assert table.frame["norm_ratio"].tolist() == [np.median([5, 2.5, 1.25, 1.0])] * 2


def test_the_figure_has_a_panel_for_each_quantity(study):
    runs, histories, _ = study
    figure = along_training(numbers.along(runs, histories), ["norm_ratio", "cosine"], ["Norms", "Cosine"])
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["Norms", "Cosine"]


def test_the_main_rows_are_those_of_one_setting_of_the_method():
    runs, _ = make(tasks=("inference",), seeds=1, examples=2)
    longer = runs[runs["label"] == "Mask-tuning"].assign(label="Mask-tuning, longer")
    other = longer.assign(label="another mean", options='{"reduction": "maskable"}')
    assert numbers.main_labels(pd.concat([runs, longer, other])) == ["Mask-tuning", "Mask-tuning, longer"]
    assert numbers.main_labels(runs[runs["method"] == "fine_tuning"]) == []


def test_labels_name_the_model_where_there_are_several():
    rows = pd.DataFrame({"label": ["ours", "ours"], "model": ["bert", "bart"]})
    assert numbers.named(rows)["label"].tolist() == ["ours, BERT", "ours, BART"]
    assert numbers.named(rows[:1])["label"].tolist() == ["ours"]


def test_the_sentences_are_of_the_labels_that_are_asked_for(study):
    runs, histories, _ = study
    measured = numbers.along(runs, histories)
    assert [line.split(", ")[2].split(":")[0] for line in text.gradients(measured, "clean", "Mask-tuning")] == [
        "Mask-tuning", "clean"
    ]  # fmt: skip
