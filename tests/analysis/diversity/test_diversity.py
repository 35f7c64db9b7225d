"""The measures of the experiment on diversity by run, their ratios, and what is made of them."""

import numpy as np
import pytest
from invented_perturbations import perturbations

from masktune.analysis.claims.paper import CLAIMS
from masktune.analysis.diversity import figures, numbers, tables, text
from masktune.study.design.arms import ARMS, FROZEN, MASK_TUNING, MLM_ONLY, RANDOM
from masktune.study.run import diversity as experiment


@pytest.fixture(scope="module")
def measured():
    return experiment.measure(perturbations())


def test_a_row_for_each_snapshot_and_epochs_add_up(measured):
    assert len(measured) == len(ARMS) * 3 * 3
    assert set(numbers.MEASURES) < set(measured)
    one = measured[(measured["label"] == RANDOM) & (measured["seed"] == 0)]
    assert one["distinct_so_far"].is_monotonic_increasing
    assert one["distinct_so_far"].iloc[0] == one["distinct"].iloc[0]
    assert one["distinct_so_far"].iloc[-1] > 2 * one["distinct"].iloc[-1]


def test_the_start_is_left_out_of_the_means(measured):
    runs = numbers.by_run(measured.assign(changed=measured["epoch"], distinct_so_far=measured["epoch"]))
    assert set(runs["changed"]) == {1.5} and set(runs["distinct_so_far"]) == {2}


def test_ratios_are_geometric_means_over_paired_seeds(measured):
    # Three seeds, the ratio 1/2, 1 and 4 of each: log 2 x (-1, 0, 2).
    times = {0: 0.5, 1: 1.0, 2: 4.0}
    factor = measured["seed"].map(times).where(measured["label"] == MASK_TUNING, 1.0)
    ratios = numbers.ratios(measured.assign(vendi=factor))
    row = ratios[(ratios["measure"] == "vendi") & (ratios["first"] == FROZEN)].iloc[0]
    assert row["ratio"] == pytest.approx(2 ** (1 / 3)) and row["seeds"] == 3
    half = 4.302653 * np.log(2) * np.std([-1, 0, 2], ddof=1) / np.sqrt(3)
    assert np.log(row["high"] / row["ratio"]) == pytest.approx(half, rel=1e-5)
    changed = ratios[(ratios["measure"] == "changed")].set_index(["second", "first"])["ratio"]
    assert changed.tolist() == pytest.approx([1 / 4, 1 / 2, 1])


def test_a_ratio_to_nothing_is_no_number(measured):
    none = measured.assign(changed=measured["changed"].where(measured["label"] != FROZEN, 0.0))
    shown = tables.ratios(none).shown.set_index("Measure")
    assert shown.loc["Share of texts changed", "Mask-tuning \N{DIVISION SIGN} frozen fills"] == "\N{EN DASH}"
    assert text.ratios(none)


def test_the_sentences_hold_the_numbers(measured):
    first, second, ceiling, most = text.ratios(measured)
    assert first.startswith("Mask-tuning over MLM-only training: from 0.2") and "Of 9 measures" in first
    assert second.startswith("Mask-tuning over frozen fills")
    assert "less than 3 times as diverse" in ceiling and "under 9 of 9 measures" in ceiling
    assert "masked in 100.0% of the texts" in most and "at most 1.00 times" in most


def test_whether_learning_puts_tokens_back_is_said_with_its_interval(measured):
    table = {MASK_TUNING: 0.8, MLM_ONLY: 0.5, FROZEN: 0.6, RANDOM: 0.0}
    frame = measured.assign(restored=measured["label"].map(table) + 0.01 * measured["seed"])
    start, ours, alone = text.restoration(frame)
    assert "puts back 61.0%" in start
    assert "+20.0 [+20.0, +20.0] points (95 % t interval over paired seeds, n = 3)" in ours and "back to" in ours
    assert "\N{MINUS SIGN}10.0 [" in alone and "away from the original" in alone
    noisy = frame["restored"] + np.where((frame["label"] == MASK_TUNING) & (frame["seed"] == 0), -0.5, 0)
    assert "do not tell" in text.restoration(frame.assign(restored=noisy))[1]


def test_tables_and_figures_say_what_they_rest_on(measured):
    for table in (tables.measures(measured), tables.ratios(measured)):
        assert "8 train examples, each perturbed 4 times" in table.caption and "3 seeds" in table.caption
        assert len(table.shown) == len(numbers.MEASURES)
    assert tables.ratios(measured).shown["Paper"].unique().tolist() == ["3 times"]
    assert f"{numbers.PUBLISHED:g} times" == next(claim.published for claim in CLAIMS if claim.name == "diversity")
    for figure in (figures.tokens(measured), figures.meanings(measured)):
        assert [len(axis.lines) for axis in figure.axes] == [3, 3, 3]
        assert {axis.get_xlabel() for axis in figure.axes} == {"epoch"}


def test_one_seed_gives_numbers_without_intervals(measured):
    one = measured[measured["seed"] == 0]
    ratios = numbers.ratios(one)
    assert ratios["ratio"].notna().all() and ratios["low"].isna().all()
    assert "[" not in "".join(tables.measures(one).shown[RANDOM])
    assert "One seed gives no intervals." in text.ratios(one)[0]
    assert "nan" not in " ".join([*text.ratios(one), *text.restoration(one)])
