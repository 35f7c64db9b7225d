"""Comparisons at equal accuracy in distribution and at the best epoch, on made-up readings."""

import numpy as np
import pandas as pd
import pytest

from masktune.analysis import readings
from masktune.analysis.table import latex, markdown
from masktune.statistics.intervals import mean_over_seeds
from masktune.study.design.load import parse_study
from masktune.study.store.stored import READING

GAIN = {"method": "Mask-tuning", "against": "fine-tuning", "kind": "out_of_distribution", "test": "estimate"}
KEPT = {**GAIN, "kind": "in_distribution"}
# In distribution and out of it after each epoch. Plain fine-tuning loses out of distribution what it gains in it.
PLAIN = ([0.60, 0.80, 0.90], [0.70, 0.50, 0.40])
OURS = ([0.55, 0.78, 0.70], [0.72, 0.66, 0.65])


def study(*claims):
    return parse_study(
        {
            "name": "toy", "data": "embedded", "tasks": ["paraphrase"], "seeds": 3, "claims": list(claims),
            "models": {"bert": {"checkpoint": "embedded:bert"}},
            "grid": [
                {"label": "fine-tuning", "method": "fine_tuning"},
                {"label": "Mask-tuning", "method": "mask_tuning"},
            ],
        }
    )  # fmt: skip


def gathered(courses=(("fine-tuning", PLAIN), ("Mask-tuning", OURS)), shifts=(0.0, 0.01, 0.02)):
    """Runs and training logs: of each seed the courses of a label, moved out of distribution by a shift."""
    runs, logs = [], []
    for label, (inside, outside) in courses:
        for seed, shift in enumerate(shifts):
            run_id = f"{label}/{seed}"
            runs.append({"run_id": run_id, "label": label, "model": "bert", "task": "paraphrase", "seed": seed,
                         "status": "done"})  # fmt: skip
            moved = np.array(outside) + shift * (label == "Mask-tuning")
            for epoch, (one, other) in enumerate(zip(inside, moved, strict=True), 1):
                logs.append({"run_id": run_id, "step": 10 * epoch - 5, "epoch": epoch - 0.5, "loss": 1.0})
                read = {f"{READING}validation": one, f"{READING}swaps": other}
                logs.append({"run_id": run_id, "step": 10 * epoch, "epoch": float(epoch), **read})
    order = np.random.default_rng(0).permutation(len(logs))
    return pd.DataFrame(runs), pd.DataFrame(logs).iloc[order]


def courses_of(declared, made=None):
    return readings.numbers.courses(declared, *(made or gathered()))


def test_at_equal_accuracy_the_other_row_is_read_where_it_was_as_accurate():
    declared = study(GAIN, KEPT)
    frame = readings.numbers.matched(declared, courses_of(declared))
    assert frame["set"].tolist() == ["swaps"], "out of distribution alone"
    [row] = frame.itertuples()
    # Fine-tuning has 70 % half way between its first two epochs, and 60 % out of distribution there.
    assert row.difference == pytest.approx(26.0) and row.matched == pytest.approx(6.0)
    expected = mean_over_seeds(np.array([5.0, 6.0, 7.0]))
    assert (row.matched_low, row.matched_high) == pytest.approx((expected.low, expected.high))
    assert (row.seeds, row.beyond, row.against_epoch) == (3, 0, pytest.approx(1.5))
    assert (row.inside, row.against_inside) == pytest.approx((70.0, 90.0))


def test_what_lies_beyond_the_readings_is_counted():
    declared = study(GAIN)
    poor = ([0.50] * 3, OURS[1])
    frame = readings.numbers.matched(
        declared, courses_of(declared, gathered([("fine-tuning", PLAIN), ("Mask-tuning", poor)]))
    )
    [row] = frame.itertuples()
    assert (row.beyond, row.against_epoch) == (3, 1.0) and row.matched == pytest.approx(66 - 70)
    [sentence] = readings.text.matched(frame)
    assert "in 3 of 3 pairs fine-tuning never has that accuracy" in sentence


def test_as_accurate_at_the_end_is_the_plain_comparison():
    declared = study(GAIN)
    same = ([0.1, 0.2, 0.90], OURS[1])
    made = gathered([("fine-tuning", PLAIN), ("Mask-tuning", same)])
    [row] = readings.numbers.matched(declared, courses_of(declared, made)).itertuples()
    assert row.matched == pytest.approx(row.difference) and row.against_epoch == 3


def test_the_best_epoch_is_chosen_in_distribution():
    declared = study(GAIN, KEPT)
    frame = readings.numbers.when_read(declared, courses_of(declared)).set_index("set")
    swaps, validation = frame.loc["swaps"], frame.loc["validation"]
    assert (swaps["best_epoch"], swaps["against_best_epoch"], swaps["epochs"]) == (2, 3, 3)
    assert swaps["last"] == pytest.approx(26.0) and swaps["best"] == pytest.approx(27.0)
    assert validation["last"] == pytest.approx(-20.0) and validation["best"] == pytest.approx(-12.0)


def test_seeds_without_a_partner_and_unfinished_runs_are_left_out():
    declared = study(GAIN)
    runs, logs = gathered()
    runs.loc[(runs["label"] == "Mask-tuning") & (runs["seed"] == 0), "status"] = "failed"
    logs = logs[logs["run_id"] != "fine-tuning/1"]
    [row] = readings.numbers.matched(declared, courses_of(declared, (runs, logs))).itertuples()
    assert (row.seeds, row.matched) == (1, pytest.approx(7.0)) and np.isnan(row.matched_low)


def test_a_comparison_of_two_claims_is_shown_once():
    declared = study(GAIN, {**GAIN, "family": "ablation"})
    assert len(readings.numbers.matched(declared, courses_of(declared))) == 1


def test_runs_that_were_read_once_have_no_such_tables():
    declared = study(GAIN)
    runs, logs = gathered()
    plain = logs[["run_id", "step", "epoch", "loss"]].dropna()
    for histories in (plain, pd.DataFrame(), plain.iloc[:0]):
        known = readings.numbers.courses(declared, runs, histories)
        assert known == {} and readings.numbers.matched(declared, known).empty
        assert readings.numbers.when_read(declared, known).empty
    assert readings.text.matched(pd.DataFrame(columns=readings.numbers.MATCHED)) == []


def test_a_row_that_was_read_once_is_compared_at_its_end_and_has_no_best_epoch():
    declared = study(GAIN)
    runs, logs = gathered()
    ours = runs["label"] == "Mask-tuning"
    last = {"accuracy/validation": 0.70, "accuracy/swaps": 0.65, "training/epochs": 3.0}
    once = logs[~logs["run_id"].isin(runs.loc[ours, "run_id"])]
    known = courses_of(declared, (runs.assign(**last), once))
    [row] = readings.numbers.matched(declared, known).itertuples()
    assert (row.seeds, row.inside, row.matched) == (3, pytest.approx(70.0), pytest.approx(5.0))
    assert readings.numbers.when_read(declared, known).empty


def trained_for(label, lengths, shift=0.0, **settings):
    """Runs of one row and three seeds, read once: each length of training ends where PLAIN is after so many epochs."""
    return [
        {
            "run_id": f"{label}/{epochs}/{seed}", "label": label if epochs == 3 else f"{label} (epochs {epochs})",
            "model": "bert", "task": "paraphrase", "seed": seed, "status": "done", "training/epochs": epochs,
            "accuracy/validation": PLAIN[0][epochs - 1] - shift, "accuracy/swaps": PLAIN[1][epochs - 1], **settings,
        }
        for epochs in lengths
        for seed in range(3)
    ]  # fmt: skip


@pytest.mark.parametrize("lengths", [(1, 2, 3), (3, 1, 2), (2, 3)])
def test_trainings_of_several_lengths_are_a_course(lengths):
    declared = study(GAIN)
    plain, ours = {"method": "fine_tuning"}, {"method": "mask_tuning", "alpha": 0.6}
    other = trained_for("faster", (1,), method="fine_tuning", **{"training/learning_rate": 0.1})
    runs = trained_for("fine-tuning", lengths, **plain) + trained_for("Mask-tuning", (3,), shift=0.05, **ours) + other
    known = readings.numbers.courses(declared, pd.DataFrame(runs), pd.DataFrame())
    [row] = readings.numbers.matched(declared, known).itertuples()
    # Half way between two and three epochs, 85 % in distribution, fine-tuning has 45 % out of it, Mask-tuning 40 %.
    assert (row.against_epoch, row.matched, row.difference) == pytest.approx((2.5, -5.0, 0.0))
    assert (row.seeds, row.beyond) == (3, 0)
    assert readings.numbers.when_read(declared, known).empty, "an end of another training is no epoch of this one"


def test_a_row_at_two_lengths_is_not_matched_with_itself_and_one_of_the_shortest_not_at_all():
    declared = study(GAIN)
    same = [{**row, "label": "Mask-tuning"} for row in trained_for("fine-tuning", (3,), method="fine_tuning")]
    shorter = [{**row, "label": "fine-tuning"} for row in trained_for("fine-tuning", (2,), method="fine_tuning")]
    longer = trained_for("Mask-tuning", (3,), method="mask_tuning")
    for runs in (same + shorter, shorter + longer):
        known = readings.numbers.courses(declared, pd.DataFrame(runs), pd.DataFrame())
        assert known and readings.numbers.matched(declared, known).empty


def test_tables_and_text_say_what_is_shown():
    declared = study(GAIN, KEPT)
    known = courses_of(declared)
    frame = readings.numbers.matched(declared, known)
    table, other = (
        readings.tables.matched(frame),
        readings.tables.when_read(readings.numbers.when_read(declared, known)),
    )
    assert table.shown["At equal accuracy [95 %]"].tolist() == ["+6.0 [+3.5, +8.5]"]
    assert table.shown["In distribution"].tolist() == ["70.0 against 90.0"] and table.shown["Beyond"][0] == "0 of 3"
    assert other.shown["Best epochs"].tolist() == ["2.0 and 3.0 of 3"] * 2
    for each in (table, other):
        assert "3 paired seeds" in each.caption and "Nothing here is tested" in each.caption
        assert "nan" not in markdown(each) + latex(each)
    assert readings.text.matched(frame) == [
        "Mask-tuning \N{MINUS SIGN} fine-tuning at equal accuracy in distribution: +6.0 points out of distribution on "
        "1 set, 3 seeds (at the last epoch +26.0), the interval over seeds above zero on 1 and below on 0."
    ]


def test_many_pairs_of_rows_are_one_sentence():
    declared = study(GAIN)
    frame = readings.numbers.matched(declared, courses_of(declared))
    many = pd.concat([frame.assign(against=f"row {number}") for number in range(readings.text.MOST_PAIRS + 1)])
    [sentence] = readings.text.matched(many)
    assert "5 pairs of rows on 5 comparisons out of distribution: +6.0 to +6.0 points" in sentence
    assert "above zero on 5 and below on 0 (at the last epoch on 5 and 0)" in sentence
    assert len(readings.text.matched(many.iloc[:-1])) == readings.text.MOST_PAIRS
