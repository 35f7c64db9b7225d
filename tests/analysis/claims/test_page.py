"""The page of claims, and what would change a verdict."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from masktune.analysis import claims
from masktune.analysis.claims import changes, gates, page, verdicts
from masktune.analysis.table import latex, markdown
from masktune.study.design.load import parse_study
from masktune.study.plan import power

GAIN = {"method": "Mask-tuning", "against": "fine-tuning", "kind": "out_of_distribution", "test": "superiority"}
KEPT = {**GAIN, "kind": "in_distribution", "test": "non_inferiority", "margin": 0.5}
SETS = [("contrast", "sentiment"), ("counterfactual", "sentiment"), ("swaps", "paraphrase")]


def study(*tables):
    return parse_study(
        {
            "name": "toy", "data": "embedded", "tasks": ["sentiment", "paraphrase"], "seeds": 10,
            "models": {"bert": {"checkpoint": "embedded:bert", "pretrainings": 3}}, "claims": list(tables),
            "grid": [
                {"label": "fine-tuning", "method": "fine_tuning"},
                {"label": "Mask-tuning", "method": "mask_tuning"},
                {"label": "every token", "method": "mask_tuning", "reduction": "maskable", "mask_rate": 0.15},
                {"label": "cue-free", "method": "fine_tuning", "data_options": {"cue_rate": 0.5}},
            ],
        }
    )  # fmt: skip


def compared(sets=SETS, claim=1, **changes):
    """Comparisons of a claim of superiority as `claims.numbers.evaluate` has them: +1 point, not shown."""
    rows = [
        {
            "claim": claim, "family": "headline", "test": "superiority", "task": task, "model": "bert", "set": name,
            "kind": "out_of_distribution", "method": "Mask-tuning", "against": "fine-tuning", "declared_seeds": 10,
            "seeds": 10, "examples": 420, "clusters": 210 + 10 * number, "difference": 1.0, "low": -0.5, "high": 2.5,
            "bound": -0.2, "spread": 2.0, "p": 0.2, "opposite_p": 0.2, "smallest_p": 2 / 2**10, "corrected_p": 0.6,
            "corrected_opposite_p": 0.6, "trained": "both", "control": "passed", "remedies": "2 of 2 gain",
            "gate": "", "gate_reason": "", "verdict": verdicts.NOT_REPRODUCED, "reason": "", "accuracy": 60.0,
            "against_accuracy": 59.0, "constant": 50.0, **changes,
        }
        for number, (name, task) in enumerate(sets)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=claims.numbers.COLUMNS)


def changed(frame, declared):
    """What would change the verdict on the first claim."""
    whole = next(claims.numbers.conclusions(declared, frame).itertuples())
    return changes.describe(declared, whole, frame[frame["claim"] == 1], frame), whole.verdict


def test_more_seeds_where_a_difference_is_not_shown():
    text, verdict = changed(compared(), study(GAIN))
    seeds = power.seeds_to_resolve(1.0, 2.0, 0.05 / 3, 2)
    assert verdict == verdicts.NOT_REPRODUCED
    assert text == f"about {seeds} seeds (10 now) to show differences as observed"
    frame = compared()
    frame.loc[0, "spread"], frame.loc[1, "difference"] = 0.9, 0.001
    found = [power.seeds_to_resolve(1.0, spread, 0.05 / 3, 2) for spread in (0.9, 2.0)]
    assert changed(frame, study(GAIN))[0] == (
        f"about {found[0]} to {found[1]} or more than 1,000 seeds (10 now) to show differences as observed, "
        "and more examples of 1 set, on which the seeds agree"
    )


def test_no_number_of_seeds_shows_what_is_hardly_there():
    assert changed(compared(difference=0.001), study(GAIN))[0].startswith("more than 1,000 seeds")


def test_what_is_shown_says_by_how_much():
    shown = compared(difference=5.0, low=3.2, high=6.8, p=0.002, corrected_p=0.006, verdict=verdicts.REPRODUCED)
    text, verdict = changed(shown, study(GAIN))
    assert verdict == verdicts.REPRODUCED and "clears what is asked for by 3.2 points or more" in text
    lost = shown.assign(difference=-5.0, low=-6.8, high=-3.2, opposite_p=0.002, verdict=verdicts.OPPOSITE)
    text, verdict = changed(lost, study(GAIN))
    assert verdict == verdicts.OPPOSITE and "by 3.2 points" in text


def test_a_margin_is_counted_from():
    """0.3 points lost with a one-sided end at -0.4: 0.1 within the margin of 0.5."""
    kept = {"test": "non_inferiority", "margin": 0.5, "kind": "in_distribution", "difference": -0.3, "bound": -0.4}
    shown = compared(**kept, p=0.002, corrected_p=0.006, verdict=verdicts.REPRODUCED)
    text, verdict = changed(shown, study(KEPT))
    assert verdict == verdicts.REPRODUCED and "by 0.1 points" in text
    text, _ = changed(shown.assign(bound=-1.0, p=0.2, verdict=verdicts.NOT_REPRODUCED), study(KEPT))
    seeds = power.seeds_to_resolve(0.2, 2.0, 0.05 / 3, 1)
    assert text.startswith(f"about {seeds} seeds")


def test_training_a_stronger_cue_and_what_is_not_run():
    frame = compared()
    reason = "fine-tuning: accuracy 52.7 in distribution, 90 asked for"
    frame.loc[:, ["gate", "gate_reason"]] = frame.loc[:, ["gate", "gate_reason"]].astype(object)
    frame.loc[0, ["gate", "gate_reason", "verdict"]] = [verdicts.DID_NOT_TRAIN, reason, verdicts.DID_NOT_TRAIN]
    weak = "cue-free gains +3.1 [+1.0, +5.2] points here, 15 asked for"
    frame.loc[1, ["gate", "gate_reason", "verdict"]] = [verdicts.CONTROL_FAILED, weak, verdicts.CONTROL_FAILED]
    text, _ = changed(frame, study(GAIN))
    assert text.endswith(f"train it: fine-tuning (1 comparison); a stronger cue on 1 set: {weak}")
    gone = compared(seeds=0, p=np.nan, difference=np.nan, reason="runs missing")
    text, verdict = changed(gone, study(GAIN))
    assert (verdict, text) == (
        verdicts.NOT_TESTABLE, "run what is missing (3 of 3 comparisons): python -m masktune run toy",
    )  # fmt: skip
    assert changed(compared(seeds=8), study(GAIN))[0].startswith("the seeds that are missing: ")


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        (gates.NO_CONTROL, "a positive control that is declared beforehand (3 comparisons)"),
        (gates.NOT_RUN, "the run of the positive control (3 comparisons)"),
    ],
)
def test_a_set_that_is_not_known_to_tell_wants_a_control(control, expected):
    closed = compared(control=control, gate=verdicts.NOT_TESTABLE, gate_reason=gates.WITHOUT[control])
    assert changed(closed, study(GAIN)) == (expected, verdicts.NOT_TESTABLE)


def test_an_estimate_wants_a_test_and_few_seeds_want_more():
    text, verdict = changed(compared(test="estimate", p=np.nan), study({**GAIN, "test": "estimate"}))
    assert (verdict, text) == (verdicts.NOT_TESTABLE, "a test that is declared beforehand, of 6 seeds or more")
    few = compared(seeds=6, declared_seeds=6, p=np.nan, smallest_p=np.nan, reason="6 seeds cannot reach 0.05")
    assert changed(few, study(GAIN))[0] == "7 seeds, with which the test can reach its level"


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Mask-tuning", "alpha 0.6, mask rate 0.05, fill argmax, reduction masked"),
        ("every token", "alpha 0.6, mask rate 0.15, fill argmax, reduction maskable"),
        ("fine-tuning", "fine-tuning"),
        ("cue-free", "cue rate 0.5"),
    ],
)
def test_the_reading_of_a_row(label, expected):
    assert page.reading(study(GAIN), label) == expected


def runs(curves=((3.0, 2.0, 2.0), (3.0, 2.2, 2.2), (3.0, 2.4, 2.4))):
    """Runs of both labels: seed s from pre-training s % 3, whose held-out losses a curve holds."""
    rows = []
    for label in ("fine-tuning", "Mask-tuning", "another"):
        for seed in range(10):
            curve = [{"step": 100 * step, "loss": loss} for step, loss in enumerate(curves[seed % 3])]
            head = json.dumps({"curve": curve if label != "another" else [{"step": 0, "loss": 9.0}]})
            rows.append({"label": label, "model": "bert", "task": "sentiment", "seed": seed, "status": "done",
                         "pretraining": seed % 3, "language_model": head})  # fmt: skip
    return pd.DataFrame(rows)


def test_the_page_has_a_row_for_each_claim_with_all_that_it_rests_on():
    declared = study(GAIN, KEPT)
    kept = {"test": "non_inferiority", "margin": 0.5, "kind": "in_distribution"}
    inside = compared([("validation", "sentiment")], 2, control="", remedies="", bound=-0.9, **kept)
    frame = pd.concat([compared(), inside], ignore_index=True)
    made = page.page(declared, runs(), frame, claims.numbers.conclusions(declared, frame))
    assert made["claim"].tolist() == [1, 2] and made["models"].tolist() == ["bert", "bert"]
    row = made.iloc[0]
    assert (row["head_loss"], row["head_lowest"], row["head_highest"]) == pytest.approx((2.2, 2.0, 2.4))
    assert row["head_levelled_off"] == 1 and (row["pretrainings"], row["seeds"]) == (3, 10)
    assert (row["fewest_clusters"], row["most_clusters"]) == (210, 230)
    assert row["gates"] == "trained on 3 of 3; control passed on 3 of 3; remedies gain in 6 of 6"
    assert made["gates"][1] == "trained on 1 of 1"
    table = claims.tables.page(made, frame)
    shown = table.shown.iloc[0]
    assert shown["Language model"] == "2.20 (2.00 to 2.40), levelled off" and shown["Size"] == "3 x 10 x 210 to 230"
    assert shown["Difference [95 %]"].startswith("contrast edits +1.0 [\N{MINUS SIGN}0.5, +2.5]; counterfactual edits ")
    assert table.shown["Difference [95 %]"][1].startswith("Sentiment validation +1.0")
    assert re.search(r"about \d+ seeds", shown["What would change it"]) and "80 % power" in table.caption
    assert "nan" not in markdown(table) + latex(table)


def test_many_comparisons_are_shown_by_their_range():
    frame = compared([(f"set {number}", "sentiment") for number in range(7)])
    declared = study(GAIN)
    made = page.page(declared, runs(), frame, claims.numbers.conclusions(declared, frame))
    assert claims.tables.page(made, frame).shown["Difference [95 %]"].tolist() == ["+1.0 (+1.0 to +1.0)"]


def test_what_is_not_known_of_the_language_models_is_a_dash():
    frame, declared = compared(), study(GAIN)
    concluded = claims.numbers.conclusions(declared, frame)
    known = page.page(declared, runs([(3.0, 2.9, 2.0)] * 3), frame, concluded)
    assert claims.tables.page(known, frame).shown["Language model"].tolist() == ["2.00, still falling"]
    plain = page.page(declared, runs().drop(columns=["language_model", "pretraining"]), frame, concluded)
    assert claims.tables.page(plain, frame).shown["Language model"].tolist() == ["\N{EN DASH}"]
    assert plain["pretrainings"].tolist() == [1]


def test_a_checkpoint_that_is_not_adapted_has_the_loss_from_which_others_started():
    made = runs([(8.0, 5.0, 4.0)] * 3)
    own = made["label"] != "another"
    made = made.assign(checkpoint="tiny", adaptation='{"steps":300}')
    bare = made[own].assign(model="bare", adaptation="null", language_model=None)
    whole = pd.concat([made, bare], ignore_index=True)
    of_both = pd.concat([compared(), compared(model="bare")], ignore_index=True)
    concluded = claims.numbers.conclusions(declared := study(GAIN), of_both)
    row = page.page(declared, whole, of_both, concluded).iloc[0]
    assert (row["head_lowest"], row["head_highest"], row["head_levelled_off"]) == (4.0, 8.0, 0)
    others = page.page(declared, whole, compared(), claims.numbers.conclusions(declared, compared())).iloc[0]
    assert (others["head_lowest"], others["head_highest"]) == (4.0, 4.0)


def test_the_gates_of_a_claim_that_has_none_or_no_runs():
    none = dict.fromkeys(("trained", "control", "remedies"), gates.NO_GATES)
    assert page.gates(compared(**none)) == gates.NO_GATES
    assert page.gates(compared(seeds=0)) == gates.NOT_RUN
    weak = compared(control="failed", remedies=gates.NO_REMEDIES, trained="not Mask-tuning")
    assert page.gates(weak) == "trained on 0 of 3; control passed on 0 of 3; remedies: none declared"
