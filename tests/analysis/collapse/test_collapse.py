"""What is lost by steps of training and of adaptation, on a made-up study whose slopes are known."""

import itertools

import numpy as np
import pandas as pd
import pytest

from masktune.analysis.answers import blocks
from masktune.analysis.collapse import figures, numbers, tables, text
from masktune.analysis.table import latex, markdown
from masktune.statistics.intervals import mean_over_seeds
from masktune.statistics.slopes import slopes
from masktune.study.design.load import parse_study

SEEDS, EXAMPLES = range(6), 200
EPOCHS = {1: 100.0, 10: 1000.0}  # and their steps
ADAPTED = {"plain": None, "some": 300, "more": 3000}
SETS = {"validation": "in_distribution", "swaps": "out_of_distribution"}
KNOWN = {"method": "Mask-tuning", "against": "fine-tuning", "kind": "in_distribution", "unadapted_as": 30}


def study(*declared):
    models = {
        name: {"checkpoint": "embedded:bert"} | ({} if steps is None else {"adaptation": {"steps": steps}})
        for name, steps in ADAPTED.items()
    }
    grid = [
        {"label": label, "method": method, "training": {"epochs": list(EPOCHS)}}
        for label, method in (("fine-tuning", "fine_tuning"), ("Mask-tuning", "mask_tuning"))
    ]
    return parse_study(
        {"name": "toy", "data": "embedded", "tasks": ["paraphrase"], "seeds": len(SEEDS), "models": models,
         "grid": grid, "slopes": list(declared)}
    )  # fmt: skip


def lost(epochs, model, seed, training=-10, adaptation=-4):
    """Answers in 200 that Mask-tuning loses: slopes of -5 and -2 points as long as there is no other number."""
    places = np.log10([EPOCHS[epochs], ADAPTED[model] or 30])
    return round(40 + training * (places[0] - 2) + adaptation * (places[1] - 1.477)) + seed


def gathered(gone=lambda **run: False, **own):
    """Runs, predictions and training logs; `gone` says which runs have not finished."""
    runs, answers, logs = [], [], []
    for model, epochs, (label, method), seed in itertools.product(
        ADAPTED, EPOCHS, (("fine-tuning", "fine_tuning"), ("Mask-tuning", "mask_tuning")), SEEDS
    ):
        run_id = f"{model}/{epochs}/{label}/{seed}"
        done = not gone(model=model, epochs=epochs, label=label, seed=seed)
        runs.append({"run_id": run_id, "model": model, "task": "paraphrase", "label": f"{label} (epochs {epochs})",
                     "method": method, "part": "main", "seed": seed, "status": "done" if done else "missing",
                     "steps": EPOCHS[epochs] if done else np.nan})  # fmt: skip
        if not done:
            continue
        wrong = 10 + (lost(epochs, model, seed, **own) if label == "Mask-tuning" else 0)
        for name, kind in SETS.items():
            answers.append(
                pd.DataFrame(
                    {
                        "run_id": run_id,
                        "set": name,
                        "kind": kind,
                        "example_id": [f"{i:03d}" for i in range(EXAMPLES)],
                        "cluster_id": [f"{i:03d}" for i in range(EXAMPLES)],
                        "group": "",
                        "label": np.arange(EXAMPLES) % 2,
                        "prediction": (np.arange(EXAMPLES) % 2) ^ (np.arange(EXAMPLES) < wrong),
                        "logits": [[0.0, 1.0]] * EXAMPLES,
                    }
                )  # fmt: skip
            )
        if label == "Mask-tuning":
            logs += [
                {"run_id": run_id, "step": share * EPOCHS[epochs], "norm_mlm": 20.0 * (1 - share) + seed + 1.5,
                 "norm_classification": 2.0, "cosine_mlm_classification": 0.0, "loss_mlm": 1.0,
                 "loss_classification": 0.5}
                for share in (0.04, 0.1, 0.5, 1.0)
            ]  # fmt: skip
    return pd.DataFrame(runs), pd.concat(answers) if answers else None, pd.DataFrame(logs)


def evaluated(declared, made):
    runs, predictions, logs = made
    known = [] if predictions is None else blocks(runs, predictions)
    return numbers.evaluate(declared, known, runs, logs)


@pytest.fixture(scope="module")
def whole():
    return evaluated(study(KNOWN), gathered())


def said(found):
    return " ".join(text.collapse(found))


def test_the_loss_is_the_other_row_minus_the_method(whole):
    assert len(whole.losses) == 2 * 2 * 3 and whole.total == 6
    row = whole.losses.query("model == 'some' and training_steps == 1000 and set == 'validation'").iloc[0]
    assert row["loss"] == pytest.approx(np.mean([100 * lost(10, "some", seed) / EXAMPLES for seed in SEEDS]))
    assert row["low"] < row["loss"] < row["high"] and row["adaptation_steps"] == 300 and row["seeds"] == 6


def test_slopes_are_those_of_each_seed_over_all_places(whole):
    at = [(model, epochs) for model in ADAPTED for epochs in EPOCHS]
    logs = np.log10([(EPOCHS[epochs], ADAPTED[model] or 30) for model, epochs in at])
    values = [[100 * lost(epochs, model, seed) / EXAMPLES for model, epochs in at] for seed in SEEDS]
    by_seed = slopes(logs, np.array(values))
    assert whole.slopes["basis"].tolist() == [numbers.WHOLE] * 2
    assert whole.slopes["slope"].tolist() == pytest.approx(by_seed.mean(axis=0).tolist())
    assert whole.slopes["high"].tolist() == pytest.approx([mean_over_seeds(one).high for one in by_seed.T])
    assert whole.slopes["slope"].tolist() == pytest.approx([-5, -2], abs=0.3)
    assert whole.slopes["p"].tolist() == [2 / 2**6] * 2
    assert "6 of 6 seeds have all 6 places." in said(whole)
    assert "The hypothesis holds: both lie below zero." in said(whole)


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (
            {"training": 10},
            "not shown: that of the adaptation steps lies below zero and that of the training steps lies",
        ),
        (
            {"adaptation": 4},
            "that of the training steps lies below zero and that of the adaptation steps lies above zero",
        ),
    ],
)
def test_another_slope_is_no_support(own, words):
    assert words in said(evaluated(study(KNOWN), gathered(**own)))


def test_a_slope_that_is_not_told_from_zero_is_no_support():
    found = evaluated(study(KNOWN), gathered())
    rows = found.slopes.assign(p=[0.03125, 0.4], low=[-6, -3.0], high=[-4, 1.0])
    assert "below zero and that of the adaptation steps is not told from zero." in " ".join(text.outcome(rows))
    disagreeing = found.slopes.assign(p=0.03125, low=[-6, -3.0], high=[-4, 1.0])
    assert "not told from zero" in " ".join(text.outcome(disagreeing)), "test and interval have to agree"


def test_seeds_without_all_places_are_counted_and_give_an_estimate_beside():
    made = gathered(lambda model, epochs, seed, **_: model == "more" and epochs == 10 and seed < 2)
    found = evaluated(study(KNOWN), made)
    declared, beside = (found.slopes[found.slopes["basis"] == basis] for basis in (numbers.WHOLE, numbers.PARTLY))
    assert declared["seeds"].tolist() == [4, 4] and declared["p"].isna().all(), "four seeds cannot reach 0.05"
    assert beside["seeds"].tolist() == [6, 6] and beside["fewest_places"].tolist() == [5, 5]
    assert beside["p"].isna().all(), "what is not declared is not tested"
    words = said(found)
    assert "4 of 6 seeds have all 6 places." in words and "too few seeds for a test" in words
    assert "an estimate that is not the declared one: 6 seeds with 5 of 6 places or more" in words


def test_where_one_length_is_missing_no_slope_is_told():
    found = evaluated(study(KNOWN), gathered(lambda epochs, **_: epochs == 1))
    assert found.slopes["seeds"].tolist() == [0] * 4 and found.losses["training_steps"].unique().tolist() == [1000]
    words = said(found)
    assert "0 of 6 seeds have all 6 places, so that nothing is tested yet." in words
    assert "The places that are there do not tell the slopes of any seed." in words and "nan" not in words


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "gone",
    [
        lambda **_: True,
        lambda label, **_: label == "Mask-tuning",
        lambda label, **_: label == "fine-tuning",
        lambda epochs, **_: epochs == 1,
        lambda model, **_: model != "plain",
        lambda model, epochs, seed, **_: (model, epochs, seed) != ("some", 10, 3),
        lambda **_: False,
    ],
)
def test_everything_is_made_of_what_is_there(gone):
    made = gathered(gone)
    found = evaluated(study(KNOWN), made)
    assert "nan" not in said(found) and found.slopes["seeds"].notna().all()
    figure = figures.collapse(found, made[0])
    assert 0 < len(figure.alt) <= 300 and "nan" not in figure.alt
    if len(found.losses):
        for table in (tables.losses(found), tables.slopes(found)):
            assert "nan" not in markdown(table) and latex(table)
    else:
        assert figures.NOTHING in figure.alt and "No place has finished runs of both methods." in said(found)


def test_ratios_are_medians_of_seeds_in_each_part_of_training(whole):
    rows = whole.ratios.query("model == 'plain' and training_steps == 1000")
    assert rows["share"].tolist() == [0.1, 0.5, 1.0] and rows["seeds"].tolist() == [6] * 3
    by_seed = [np.median([(20 * 0.96 + seed + 1.5) / 2, (20 * 0.9 + seed + 1.5) / 2]) for seed in SEEDS]
    first = rows.iloc[0]
    assert (first["ratio"], first["lowest"], first["highest"]) == pytest.approx(
        (np.median(by_seed), min(by_seed), max(by_seed))
    )
    assert "Language model not adapted: the masked-LM gradient is in 100 steps 11.3 (first tenth) and" in said(whole)


def test_the_figure_has_a_panel_for_each_set_and_each_length(whole):
    figure = figures.collapse(whole)
    titles = [axis.get_title(loc="left") for axis in figure.axes if axis.axison]
    assert titles == [
        "validation (in-distribution)", "word swaps (OOD)", "gradients in 100 steps", "gradients in 1,000 steps"
    ]  # fmt: skip
    assert [axis.get_yscale() for axis in figure.axes if axis.axison] == ["linear"] * 2 + ["log"] * 2
    assert [len(axis.collections) for axis in figure.axes if axis.get_yscale() == "log"] == [3, 3], "a band a model"


def test_the_tables_hold_every_place_and_every_slope(whole):
    shown = tables.losses(whole).shown
    assert shown["Language model"].tolist() == [
        name for name in ("not adapted", "adapted for 300 steps", "adapted for 3,000 steps") for _ in EPOCHS
    ]
    assert shown["Steps of fine-tuning"].tolist() == ["100", "1,000"] * 3
    slopes_table = tables.slopes(whole)
    assert slopes_table.shown["Ten times the"].tolist() == ["training steps", "adaptation steps"]
    assert "falls with the logarithm of the training steps and of the adaptation steps (none counts as 30)" in (
        slopes_table.caption
    )


def test_several_tables_of_slopes_and_none():
    both = study(KNOWN, {**KNOWN, "kind": "out_of_distribution", "over": ["training steps"], "unadapted_as": None})
    found = evaluated(both, gathered())
    assert found.slopes[["kind", "over"]].values.tolist() == [
        ["in_distribution", "training steps"],
        ["in_distribution", "adaptation steps"],
        ["out_of_distribution", "training steps"],
    ]
    assert "The hypothesis holds: it lies below zero." in said(found)
    assert text.collapse(evaluated(study(), gathered())) == [text.NONE_DECLARED]
