"""Measures of diversity beside literal versions and at their limits; and the page made of them."""

from itertools import combinations

import numpy as np
import pytest
from invented_perturbations import perturbations

from masktune.analysis.diversity import numbers as diversity_page
from masktune.statistics import diversity
from masktune.study.run import diversity as experiment
from masktune.study.spec.arms import ARMS, FROZEN, MASK_TUNING, MLM_ONLY, RANDOM

SOURCES = np.array([[1, 2, 3], [4, 5, 6]])
# Two draws: the first changes a token of the first source, the second changes both sources.
TEXTS = np.array([[[1, 9, 3], [4, 5, 6]], [[1, 8, 3], [7, 5, 6]]])
MASKED = np.array([[[0, 1, 0], [1, 0, 0]], [[0, 1, 1], [1, 0, 0]]], dtype=bool)


def embeddings(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def cosine(one, other):
    return one @ other / np.sqrt((one @ one) * (other @ other))


def test_counts_of_changed_restored_and_distinct_texts():
    assert diversity.share_changed(TEXTS, SOURCES) == 3 / 4
    assert diversity.restored(TEXTS, SOURCES, MASKED) == 2 / 5
    assert diversity.distinct_texts(TEXTS, SOURCES) == (2 + 1) / 2
    assert diversity.distinct_texts(np.concatenate([TEXTS, TEXTS]), SOURCES) == (2 + 1) / 2
    assert diversity.distinct_texts(np.stack([SOURCES]), SOURCES) == 0


def test_where_nothing_is_masked_nothing_is_said_of_putting_back():
    assert np.isnan(diversity.restored(TEXTS, SOURCES, np.zeros_like(MASKED)))


def test_distinct_n_counts_n_grams_within_texts():
    texts = [[1, 2, 1, 2], [1, 2], [3]]
    assert diversity.distinct_n(texts, 1) == 3 / 7
    assert diversity.distinct_n(texts, 2) == 2 / 4
    assert diversity.distinct_n([[1, 2, 3]], 2) == 1
    assert np.isnan(diversity.distinct_n(texts, 5))


def test_pairwise_similarity_is_the_mean_over_pairs():
    texts = embeddings(3, 6, 4)
    literal = [np.mean([cosine(*pair) for pair in combinations(one, 2)]) for one in texts]
    assert diversity.pairwise_similarity(texts) == pytest.approx(literal)
    assert diversity.pairwise_similarity(np.ones((4, 3))) == pytest.approx(1)
    assert diversity.pairwise_similarity(7 * np.eye(4)) == pytest.approx(0)


def test_vendi_score_is_that_of_the_matrix_of_all_pairs():
    texts = embeddings(3, 7, 4)
    for one, score in zip(texts, diversity.vendi_score(texts), strict=True):
        kernel = np.array([[cosine(first, second) for second in one] for first in one])
        values = np.linalg.eigvalsh(kernel / len(one))
        assert score == pytest.approx(np.exp(-sum(value * np.log(value) for value in values if value > 1e-12)))


def test_vendi_score_counts_what_is_different():
    assert diversity.vendi_score(np.ones((5, 3))) == pytest.approx(1)
    assert diversity.vendi_score(np.eye(5)) == pytest.approx(5)
    assert diversity.vendi_score(np.repeat(np.eye(3), 4, axis=0)) == pytest.approx(3)


def test_coverage_is_that_of_a_loop_over_distances():
    references, texts = embeddings(40, 3), embeddings(15, 3, seed=1)
    covered = []
    for number, reference in enumerate(references):
        others = np.delete(references, number, axis=0)
        radius = sorted(np.linalg.norm(others - reference, axis=1))[4]
        covered.append(any(np.linalg.norm(text - reference) <= radius for text in texts))
    assert 0 < np.mean(covered) < 1
    assert diversity.coverage(references, texts) == np.mean(covered)


def test_coverage_is_whole_for_the_references_and_nothing_far_away():
    references = embeddings(20, 3)
    assert diversity.coverage(references, references) == 1
    assert diversity.coverage(references, references + 1000) == 0


@pytest.fixture(scope="module")
def measured():
    return experiment.measure(perturbations())


def test_a_row_for_each_snapshot_and_epochs_add_up(measured):
    assert len(measured) == len(ARMS) * 3 * 3
    assert set(diversity_page.MEASURES) < set(measured)
    one = measured[(measured["label"] == RANDOM) & (measured["seed"] == 0)]
    assert one["distinct_so_far"].is_monotonic_increasing
    assert one["distinct_so_far"].iloc[0] == one["distinct"].iloc[0]
    assert one["distinct_so_far"].iloc[-1] > 2 * one["distinct"].iloc[-1]


def test_the_start_is_left_out_of_the_means(measured):
    runs = diversity_page.by_run(measured.assign(changed=measured["epoch"], distinct_so_far=measured["epoch"]))
    assert set(runs["changed"]) == {1.5} and set(runs["distinct_so_far"]) == {2}


def test_ratios_are_geometric_means_over_paired_seeds(measured):
    # Three seeds, the ratio 1/2, 1 and 4 of each: log 2 x (-1, 0, 2).
    times = {0: 0.5, 1: 1.0, 2: 4.0}
    factor = measured["seed"].map(times).where(measured["label"] == MASK_TUNING, 1.0)
    found = diversity_page.ratios(measured.assign(vendi=factor))
    row = found[(found["measure"] == "vendi") & (found["first"] == FROZEN)].iloc[0]
    assert row["ratio"] == pytest.approx(2 ** (1 / 3)) and row["seeds"] == 3
    half = 4.302653 * np.log(2) * np.std([-1, 0, 2], ddof=1) / np.sqrt(3)
    assert np.log(row["high"] / row["ratio"]) == pytest.approx(half, rel=1e-5)
    changed = found[(found["measure"] == "changed")].set_index(["second", "first"])["ratio"]
    assert changed.tolist() == pytest.approx([1 / 4, 1 / 2, 1])


def test_a_ratio_to_nothing_is_no_number(measured):
    none = measured.assign(changed=measured["changed"].where(measured["label"] != FROZEN, 0.0))
    shown = diversity_page.ratios_table(none).shown.set_index("Measure")
    assert shown.loc["Share of texts changed", "Mask-tuning \N{DIVISION SIGN} frozen fills"] == "\N{EN DASH}"
    assert diversity_page.verdicts(none)


def test_the_sentences_hold_the_numbers(measured):
    first, second, ceiling, most = diversity_page.verdicts(measured)
    assert first.startswith("Mask-tuning over MLM-only training: from 0.2") and "Of 9 measures" in first
    assert second.startswith("Mask-tuning over frozen fills")
    assert "less than 3 times as diverse" in ceiling and "under 9 of 9 measures" in ceiling
    assert "masked in 100.0% of the texts" in most and "at most 1.00 times" in most


def test_whether_learning_puts_tokens_back_is_said_with_its_interval(measured):
    table = {MASK_TUNING: 0.8, MLM_ONLY: 0.5, FROZEN: 0.6, RANDOM: 0.0}
    frame = measured.assign(restored=measured["label"].map(table) + 0.01 * measured["seed"])
    start, ours, alone = diversity_page.restoration(frame)
    assert "puts back 61.0%" in start
    assert "+20.0 [+20.0, +20.0] points (95 % t interval over paired seeds, n = 3)" in ours and "back to" in ours
    assert "\N{MINUS SIGN}10.0 [" in alone and "away from the original" in alone
    noisy = frame["restored"] + np.where((frame["label"] == MASK_TUNING) & (frame["seed"] == 0), -0.5, 0)
    assert "do not tell" in diversity_page.restoration(frame.assign(restored=noisy))[1]


def test_tables_and_figures_say_what_they_rest_on(measured):
    for table in (diversity_page.values_table(measured), diversity_page.ratios_table(measured)):
        assert "8 train examples, each perturbed 4 times" in table.caption and "3 seeds" in table.caption
        assert len(table.shown) == len(diversity_page.MEASURES)
    assert diversity_page.ratios_table(measured).shown["Paper"].unique().tolist() == ["3 times"]
    assert f"{diversity_page.PUBLISHED:g} times" == diversity_page.published()
    for figure in (diversity_page.of_tokens(measured), diversity_page.of_meanings(measured)):
        assert [len(axis.lines) for axis in figure.axes] == [3, 3, 3]
        assert {axis.get_xlabel() for axis in figure.axes} == {"epoch"}


def test_one_seed_gives_numbers_without_intervals(measured):
    one = measured[measured["seed"] == 0]
    found = diversity_page.ratios(one)
    assert found["ratio"].notna().all() and found["low"].isna().all()
    assert "[" not in "".join(diversity_page.values_table(one).shown[RANDOM])
    assert "One seed gives no intervals." in diversity_page.verdicts(one)[0]
    assert "nan" not in " ".join([*diversity_page.verdicts(one), *diversity_page.restoration(one)])
