"""The gates of a study on made-up runs, and what they make of its claims."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from synthetic_study import METHODS, make

from masktune.analysis import claims, names, results
from masktune.analysis.answers import blocks
from masktune.analysis.claims import figures, gates, verdicts
from masktune.analysis.formatting import interval
from masktune.analysis.table import latex, markdown
from masktune.statistics import multiplicity
from masktune.study.design.load import parse_study

CUE_FREE = ("cue-free", "r_drop", {}, np.nan, np.nan)
REMEDY = ("Product of Experts", "free_lb", {}, np.nan, np.nan)
ROWS = [*METHODS, CUE_FREE, REMEDY]
GAIN = {"method": "Mask-tuning", "against": "fine-tuning", "kind": "out_of_distribution", "test": "superiority"}
KEPT = {**GAIN, "kind": "in_distribution", "test": "non_inferiority", "margin": 5.0}
DECLARED = {
    "declared": "2026-11-26",
    "trained": {"accuracy": 80, "loss": 0.9},
    "control": {"label": "cue-free", "against": "fine-tuning", "gain": 15},
    "remedies": {"labels": ["Product of Experts"], "against": "fine-tuning"},
}


def study(*tables, grid=(), **changes):
    return parse_study(
        {
            "name": "toy", "data": "embedded", "tasks": ["sentiment", "paraphrase"], "seeds": 8,
            "models": {"bert": {"checkpoint": "embedded:bert"}},
            "grid": grid or [{"label": label, "method": method} for label, method, *_ in ROWS],
            "claims": list(tables) or [GAIN, KEPT], "gates": {**DECLARED, **changes},
        }
    )  # fmt: skip


def runs_of(control=(), untrained=(), remedy=()):
    """A study of eight seeds: a large gain of Mask-tuning; the control gains on `control`, sets by name.

    Rows of (label, task) in `untrained` answer every set at random, `remedy` names the sets on which the remedy gains.
    """
    runs, predictions = make(tasks=("sentiment", "paraphrase"), seeds=8, examples=120, gain=1.2, methods=ROWS)
    place = predictions[["run_id", "set", "label"]].merge(runs[["run_id", "label", "task"]], on="run_id")
    predictions["run_id"] = predictions["run_id"].astype(str)
    for label, sets in (("cue-free", control), ("Product of Experts", remedy)):
        right = (place["label_y"] == label) & place["set"].isin(sets)
        predictions.loc[right, "prediction"] = predictions.loc[right, "label"]
    for label, task in untrained:
        lost = ((place["label_y"] == label) & (place["task"] == task)).to_numpy()
        drawn = np.random.default_rng(0).integers(0, 2, int(lost.sum()))
        predictions.loc[lost, "prediction"] = drawn
    return runs, predictions


def losses(runs, **by_label):
    """Training logs of 20 entries with the classification loss of each label at the end, 0.1 where none is given."""
    rows = [
        {"run_id": run.run_id, "step": step, gates.LOSS: 2.0 if step < 19 else by_label.get(run.label, 0.1)}
        for run in runs.itertuples()
        for step in range(1, 21)
    ]
    return pd.DataFrame(rows)


def evaluated(runs, predictions, declared, histories):
    """(what the gates came to, the claims, their conclusions), without the tables that need a bootstrap."""
    found = blocks(runs, predictions)
    outcome = gates.evaluate(declared, found, runs, histories)
    frame = claims.numbers.evaluate(declared, found, outcome)
    return SimpleNamespace(gates=outcome, claims=frame, conclusions=claims.numbers.conclusions(declared, frame))


EVERYWHERE = ("contrast", "counterfactual", "swaps")


@pytest.fixture(scope="module")
def open_gates():
    runs, predictions = runs_of(control=EVERYWHERE, remedy=("swaps",))
    return results.of(runs, predictions, study(), losses(runs))


def test_with_open_gates_verdicts_are_as_without_any(open_gates):
    frame = open_gates.claims
    assert set(frame["verdict"]) == {verdicts.REPRODUCED}
    outside = frame[frame["kind"] == "out_of_distribution"]
    assert set(outside["trained"]) == {"both"} and set(outside["control"]) == {"passed"}
    remedies = outside.set_index("set")["remedies"]
    assert remedies.to_dict() == {"contrast": "0 of 1 gain", "counterfactual": "0 of 1 gain", "swaps": "1 of 1 gain"}
    inside = frame[frame["kind"] == "in_distribution"]
    assert set(inside["control"]) == {""} and set(inside["trained"]) == {"both"}
    plain = claims.numbers.evaluate(study(), open_gates.blocks)
    same = ["difference", "low", "p", "corrected_p", "verdict", "reason"]
    pd.testing.assert_frame_equal(frame[same], plain[same])
    assert set(plain["trained"]) == {gates.NO_GATES}


def test_what_was_measured_at_each_gate(open_gates):
    trained = open_gates.gates.trained.set_index(["task", "method"])
    row = trained.loc[("sentiment", "fine-tuning")]
    block = next(block for block in open_gates.blocks if (block.task, block.name) == ("sentiment", "validation"))
    assert row["accuracy"] == pytest.approx(100 * block.correct(block.answers[0]).mean())
    assert (row["asked_accuracy"], row["asked_loss"], row["classes"], row["seeds"]) == (80, 0.9, 2, 8)
    assert row["loss"] == pytest.approx(0.1) and row["loss_share"] == pytest.approx(0.1 / np.log(2))
    found = open_gates.gates.contrasts
    assert found.groupby("role").size().to_dict() == {"control": 3, "remedy": 3}
    swaps = found[(found["set"] == "swaps") & (found["role"] == "control")].iloc[0]
    pair = next(block for block in open_gates.blocks if block.name == "swaps").pair("fine-tuning", "cue-free")
    assert swaps["difference"] == pytest.approx(100 * (pair[1].mean() - pair[0].mean()))
    assert (swaps["asked"], swaps["passed"]) == (15, "passed")


def test_a_row_that_did_not_train_has_no_verdict_on_robustness():
    runs, predictions = runs_of(control=EVERYWHERE, untrained=[("Mask-tuning", "sentiment")])
    found = evaluated(runs, predictions, study(), losses(runs))
    frame = found.claims.set_index(["kind", "set", "task"])["verdict"]
    outside = frame["out_of_distribution"].droplevel("task")
    assert outside[["contrast", "counterfactual"]].tolist() == [verdicts.DID_NOT_TRAIN] * 2
    assert outside["swaps"] == verdicts.REPRODUCED
    reason = found.claims.set_index("set").loc["contrast", "reason"]
    assert reason.startswith("Mask-tuning: accuracy ") and reason.endswith("in distribution, 80 asked for")
    inside = frame["in_distribution"].droplevel("set")
    assert inside["sentiment"] == verdicts.OPPOSITE, "in distribution it is plainly worse, and that is a verdict"
    assert inside["paraphrase"] == verdicts.REPRODUCED
    whole = found.conclusions.set_index("claim").loc[1]
    assert (whole["comparisons"], whole["judged"], whole["tested"]) == (3, 1, 1)
    assert whole["difference"] == whole["lowest"] == found.claims.set_index("set").loc["swaps", "difference"]
    assert whole["reason"].startswith("judged on 1 of 3 comparisons: 2 did not train (Mask-tuning: accuracy")


def test_a_loss_at_the_level_of_guessing_alone_closes_the_gate():
    runs, predictions = runs_of(control=EVERYWHERE)
    found = evaluated(runs, predictions, study(GAIN), losses(runs, **{"Mask-tuning": 0.709}))
    assert set(found.claims["verdict"]) == {verdicts.DID_NOT_TRAIN}
    assert set(found.claims["reason"]) == {"Mask-tuning: training loss 0.709, 102 % of ln 2, at most 90 % asked"}
    [whole] = found.conclusions.itertuples()
    assert (whole.verdict, whole.judged, whole.holds_on) == (verdicts.DID_NOT_TRAIN, 0, 0)
    assert whole.reason.startswith("judged on 0 of 3 comparisons: 3 did not train (Mask-tuning: training loss 0.709")


def test_where_the_other_row_did_not_train_there_is_no_verdict_in_distribution_either():
    runs, predictions = runs_of(control=EVERYWHERE, untrained=[("fine-tuning", "sentiment")])
    frame = evaluated(runs, predictions, study(), losses(runs)).claims
    assert set(frame.loc[frame["task"] == "sentiment", "verdict"]) == {verdicts.DID_NOT_TRAIN}


def test_a_set_whose_control_fails_cannot_tell():
    runs, predictions = runs_of(control=("contrast", "counterfactual"))
    found = evaluated(runs, predictions, study(), losses(runs))
    frame = found.claims.set_index("set")
    assert frame.loc["swaps", "verdict"] == verdicts.CONTROL_FAILED and frame.loc["swaps", "control"] == "failed"
    control = found.gates.contrasts.set_index(["role", "set"]).loc[("control", "swaps")]
    gained = interval(*control[["difference", "low", "high"]], sign=True)
    assert frame.loc["swaps", "reason"] == f"cue-free gains {gained} points here, 15 asked for"
    assert frame.loc["contrast", "verdict"] == verdicts.REPRODUCED
    assert set(frame.loc["validation", "verdict"]) == {verdicts.REPRODUCED}, "the control is not asked in distribution"
    whole = found.conclusions.iloc[0]
    assert (whole["verdict"], whole["holds_on"], whole["judged"]) == (verdicts.REPRODUCED, 2, 2)
    assert whole["reason"].startswith("judged on 2 of 3 comparisons: 1 control failed (cue-free gains")
    assert "1 control failed" in whole["reason"] and set(frame["p"].notna()) == {True}


def test_a_set_whose_control_has_not_run_carries_no_verdict_yet():
    """Nothing is known of the set; what would have been shown on it counts neither for the claim nor against it."""
    runs, predictions = runs_of()
    gone = runs["label"] == "cue-free"
    runs.loc[gone, "status"] = "missing"
    kept = predictions[~predictions["run_id"].isin(runs.loc[gone, "run_id"])]
    found = evaluated(runs, kept, study(), losses(runs[~gone]))
    outside = found.claims[found.claims["kind"] == "out_of_distribution"]
    assert set(outside["verdict"]) == {verdicts.NOT_TESTABLE} and outside["difference"].notna().all()
    assert set(outside["reason"]) == {"the positive control of the set has not run"}
    assert set(found.claims.loc[found.claims["kind"] == "in_distribution", "verdict"]) == {verdicts.REPRODUCED}
    whole = found.conclusions.iloc[0]
    assert (whole["verdict"], whole["holds_on"], whole["judged"]) == (verdicts.NOT_TESTABLE, 0, 0)
    assert whole["reason"].startswith("judged on 0 of 3 comparisons: 3 not testable here (the positive control")


def test_a_set_that_has_no_control_beside_others_that_have_one_carries_no_verdict():
    """As the real sets of inference and paraphrase, of which no train set is at hand."""
    runs, predictions = runs_of(control=EVERYWHERE)
    grid = [{"label": label, "method": method} for label, method, *_ in ROWS]
    grid = [{**row, **({"tasks": ["sentiment"]} if row["label"] == "cue-free" else {})} for row in grid]
    kept = ~((runs["label"] == "cue-free") & (runs["task"] == "paraphrase"))
    here = predictions[predictions["run_id"].isin(runs.loc[kept, "run_id"])]
    declared = study(GAIN, KEPT, grid=grid)
    frame = evaluated(runs[kept], here, declared, losses(runs[kept])).claims.set_index("set")
    swaps = frame.loc["swaps"]
    assert (swaps["control"], swaps["verdict"]) == (gates.NO_CONTROL, verdicts.NOT_TESTABLE)
    assert swaps["reason"] == "no positive control is declared for this model and task" and swaps["corrected_p"] <= 0.05
    others = frame.drop(index="swaps")
    assert set(others["verdict"]) == {verdicts.REPRODUCED}, "nor is it asked in distribution"
    whole = claims.numbers.conclusion(frame[frame["claim"] == 1].reset_index())
    assert (whole["verdict"], whole["judged"]) == (verdicts.REPRODUCED, 2)
    assert whole["reason"].startswith("judged on 2 of 3 comparisons: 1 not testable here (no positive control")


def test_training_comes_before_the_control():
    runs, predictions = runs_of(untrained=[("Mask-tuning", "paraphrase")])
    frame = evaluated(runs, predictions, study(GAIN), losses(runs)).claims.set_index("set")
    assert frame.loc["swaps", "verdict"] == verdicts.DID_NOT_TRAIN
    assert frame.loc["contrast", "verdict"] == verdicts.CONTROL_FAILED
    rows = claims.numbers.conclusion(frame.reset_index())
    assert rows["verdict"] == verdicts.DID_NOT_TRAIN
    assert rows["reason"].startswith("judged on 0 of 3 comparisons: 1 did not train, 2 control failed")


def test_what_is_not_run_comes_before_every_gate():
    runs, predictions = runs_of(untrained=[("Mask-tuning", "sentiment")])
    gone = runs["label"] == "fine-tuning"
    runs.loc[gone, "status"] = "missing"
    kept = predictions[~predictions["run_id"].isin(runs.loc[gone, "run_id"])]
    found = evaluated(runs, kept, study(), losses(runs[~gone]))
    assert set(found.claims["verdict"]) == {verdicts.NOT_TESTABLE}
    assert set(found.claims["reason"]) == {"runs missing"}
    assert set(found.claims.loc[found.claims["kind"] == "out_of_distribution", "control"]) == {"not run"}


def test_the_correction_counts_what_a_gate_closes(open_gates):
    runs, predictions = runs_of(control=("contrast", "counterfactual"))
    frame = evaluated(runs, predictions, study(), losses(runs)).claims
    assert frame["corrected_p"].to_numpy() == pytest.approx(multiplicity.correct(frame["p"], "headline"))
    rows = frame[frame["claim"] == 1]
    held = rows["p"].mask(rows["gate"] != "", 1.0)
    assert verdicts.judge_claim(rows)["holds_on"] == multiplicity.holds_on(held, 0.05)


def test_a_study_without_a_control_says_so():
    runs, predictions = runs_of()
    declared = {"declared": "2026-11-26", "trained": {"accuracy": 80, "loss": 0.9}}
    toy = study(GAIN)
    plain = parse_study(
        {
            "name": "toy", "data": "embedded", "tasks": ["sentiment"], "seeds": 8, "claims": [GAIN],
            "models": {"bert": {"checkpoint": "embedded:bert"}}, "gates": declared,
            "grid": [{"label": label, "method": method} for label, method, *_ in ROWS],
        }
    )  # fmt: skip
    assert toy.gates.control is not None and plain.gates.control is None
    found = results.of(runs[runs["task"] == "sentiment"], predictions, plain, losses(runs))
    assert set(found.claims["control"]) == {gates.NO_CONTROL} and set(found.claims["remedies"]) == {gates.NO_REMEDIES}
    assert set(found.claims["verdict"]) == {verdicts.REPRODUCED}
    assert [table.name for table in found.gate_tables] == ["trained"] and "gates" not in found.figures()


def test_the_tables_and_the_figure_show_what_was_asked_for(open_gates):
    trained, contrasts = open_gates.gate_tables
    assert trained.shown["Trained"].eq("yes").all() and trained.shown["Seeds below"].iloc[0] == "0 of 8"
    assert trained.shown["Loss"].iloc[0] == "0.100 (14 %)"
    for text in ("2026-11-26", "at most 90 % of that", "no verdict on robustness"):
        assert text in trained.caption
    column = "Control: cue-free \N{MINUS SIGN} fine-tuning [95 %]"
    assert contrasts.shown[column].str.endswith(" passed").all()
    assert contrasts.shown.iloc[-1, -1].endswith("] gains") and "at least 15.0 points" in contrasts.caption
    shown = [table.name for table in open_gates.tables]
    assert shown[:6] == ["main", "claims_page", "conclusions", "claims", "trained", "gates"]
    for table in (trained, contrasts):
        assert "nan" not in markdown(table) + latex(table)
    alt = open_gates.figures()["gates"].alt
    assert "15.0 are asked for. It passes on all." in alt and len(alt) <= 300


def test_the_words_of_the_figure_say_where_the_control_shows_nothing(open_gates):
    contrasts = open_gates.gates.contrasts.copy()
    control = contrasts.index[contrasts["role"] == "control"]
    assert len(control) >= 3
    contrasts.loc[control, "passed"] = ["failed", "did not train", "did not train", *["passed"] * (len(control) - 3)]
    alt = figures.gates(contrasts).alt
    first, second, third = (names.evaluation_set(name) for name in contrasts.loc[control[:3], "set"])
    assert f"It fails on {first}; it did not train on {second} and {third}." in alt


def test_a_loss_that_knows_a_bias_model_is_not_held_against_guessing():
    runs, _ = runs_of()
    logs = losses(runs, **{"Mask-tuning": 0.3, "cue-free": 0.709})
    found = gates.final_losses(runs, logs)
    assert (
        found["Mask-tuning", "bert", "sentiment"] == pytest.approx(0.3) and ("cue-free", "bert", "swaps") not in found
    )
    biased = runs.assign(method=runs["method"].replace("r_drop", "mask_tuning+product_of_experts"))
    assert ("cue-free", "bert", "sentiment") in found
    assert not any(label == "cue-free" for label, *_ in gates.final_losses(biased, logs))
    assert gates.final_losses(runs, logs.drop(columns=gates.LOSS)) == {}


@pytest.mark.parametrize("label", ["cue-free", "fine-tuning"])
def test_a_control_shows_nothing_of_a_set_where_one_of_its_rows_did_not_train(label):
    runs, predictions = runs_of(control=EVERYWHERE, untrained=[(label, "paraphrase")])
    if label == "cue-free":  # that it answers at random in distribution alone
        kept, _ = runs_of(control=EVERYWHERE)[::-1]
        outside = predictions["set"] == "swaps"
        predictions.loc[outside, "prediction"] = kept.loc[outside, "prediction"]
    found = evaluated(runs, predictions, study(), losses(runs))
    control = found.gates.contrasts.set_index(["role", "set"])["passed"]["control"]
    assert control.to_dict() == {"contrast": "passed", "counterfactual": "passed", "swaps": verdicts.DID_NOT_TRAIN}
    swaps = found.claims.set_index("set").loc["swaps"]
    assert swaps["control"] == verdicts.DID_NOT_TRAIN
    assert swaps["verdict"] == (verdicts.NOT_TESTABLE if label == "cue-free" else verdicts.DID_NOT_TRAIN)
    if label == "cue-free":
        assert swaps["reason"] == "the positive control of the set did not train"


def test_a_remedy_that_did_not_train_does_not_gain():
    runs, predictions = runs_of(control=EVERYWHERE, remedy=("swaps",))
    lost = (predictions["set"] == "validation") & predictions["run_id"].isin(
        runs.loc[(runs["label"] == "Product of Experts") & (runs["task"] == "paraphrase"), "run_id"]
    )
    predictions.loc[lost, "prediction"] = 0
    found = results.of(runs, predictions, study(), losses(runs))
    remedy = found.gates.contrasts.set_index(["role", "set"])["passed"]["remedy"]
    assert remedy["swaps"] == verdicts.DID_NOT_TRAIN and remedy["contrast"] == "does not gain"
    assert found.claims.set_index("set").loc["swaps", "remedies"] == "0 of 1 gain, 1 did not train"
    shown = next(table for table in found.gate_tables if table.name == "gates").shown
    assert shown.iloc[-1, -1].endswith("] did not train")
    assert "did not train" in [text.get_text() for text in found.figures()["gates"].legends[0].get_texts()]
