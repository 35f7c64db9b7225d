import numpy as np
import pandas as pd
import pytest
from synthetic_study import METHODS, make

from masktune.analysis.ablations import figures as curves
from masktune.analysis.ablations import numbers as ablations
from masktune.analysis.answers import blocks
from masktune.analysis.gradients import numbers as terms


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
    return runs, pd.DataFrame(rows), ablations.variants(blocks(runs, predictions), runs)


def test_only_steps_with_both_terms_count(study):
    runs, histories, _ = study
    found = terms.along(runs, histories)
    assert len(found) == 2 * 3 * 4
    assert found["norm_ratio"].tolist()[:4] == [5.0, 2.5, 1.25, 1.0]


def test_without_measurements_it_says_so(study):
    runs, _, _ = study
    empty = terms.along(runs, pd.DataFrame({"run_id": runs["run_id"], "step": 1.0, "loss": 0.5}))
    assert empty.empty
    assert terms.sentences(empty) == ["No gradients were measured in the runs of this study."]


def test_the_sentence_gives_the_first_and_the_last_quarter(study):
    runs, histories, _ = study
    (line,) = terms.sentences(terms.along(runs, histories))
    assert "is 5.0 times as long" in line and "1.0 times in the last" in line
    assert "median \N{MINUS SIGN}0.25" in line and "at 100 % of the steps" in line


def test_tables_and_sentences_hold_the_differences_of_the_variants(study):
    runs, histories, variants = study
    inside = variants[(variants["label"] == "clean") & (variants["kind"] == "in_distribution")]["difference"].item()
    lines = terms.verdicts(variants)
    (clean,) = [line for line in lines if "clean" in line]
    assert f"{inside:+.1f}".replace("-", "\N{MINUS SIGN}") in clean
    table = terms.table(terms.along(runs, histories), variants)
    assert set(table.frame["label"]) == {"Mask-tuning", "clean"}
    assert table.frame["norm_ratio"].tolist() == [np.median([5, 2.5, 1.25, 1.0])] * 2
    ranked = terms.readings(variants).frame["out_of_distribution"]
    assert ranked.is_monotonic_decreasing and len(ranked) == 2


def test_the_figure_has_a_panel_for_each_quantity(study):
    runs, histories, _ = study
    figure = curves.along_training(terms.along(runs, histories), ["norm_ratio", "cosine"], ["Norms", "Cosine"])
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["Norms", "Cosine"]


def test_an_adapted_language_model_is_set_beside_the_one_that_was_not(study):
    _, _, variants = study
    assert terms.adapted(variants) == ["No language model of this study was adapted beside one that was not."]
    base = variants[variants["base"]]
    more = base.assign(label="adapted", base=False, adaptation='{"steps":300}', difference=7.0)
    [line] = terms.adapted(pd.concat([variants, more], ignore_index=True))
    assert "the difference is +7.0 points in distribution and +7.0 out of distribution; without, " in line
