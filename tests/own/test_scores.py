"""Numbers from stored logits, each beside what it is by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from masktune.own import scores
from masktune.own.data.examples import Examples
from masktune.own.stored import Run
from masktune.statistics.crossed import paired_difference

NAMES = ("bad", "good", "other")
LABELS = ["bad", "good", "good", "other", "bad", "good"]
PART = Examples("a.csv", "0" * 64, [(f"text {n}",) for n in range(5)] + [("TEXT 4",)], LABELS, [1, 2, 3, 4, 5, 6])
ANSWERS = {("own", 0): [0, 1, 1, 2, 0, 0], ("own", 1): [0, 1, 0, 2, 1, 1], ("other", 0): [1, 1, 1, 1, 1, 1]}


def run(method, seed, score=0.5):
    logits = np.eye(3, dtype=np.float32)[ANSWERS[method, seed]]
    return Run(method, seed, 1, score, [], [], 1.0, "fp32", {"test": logits})


RUNS = {"own": [run("own", 0, 0.4), run("own", 1, 0.6)], "other": [run("other", 0)]}


@pytest.fixture
def part():
    return scores.score_part("test", PART, NAMES, RUNS, scores.IN)


def test_accuracy_is_the_mean_over_seeds_and_the_constant_answer_the_most_frequent_class(part):
    assert part.methods["own"].by_seed == pytest.approx([5 / 6, 4 / 6])
    assert part.methods["own"].accuracy.mean == pytest.approx(4.5 / 6)
    assert part.methods["own"].balanced == pytest.approx(((1 + 2 / 3 + 1) / 3 + (1 / 2 + 2 / 3 + 1) / 3) / 2)
    assert part.constant == ("good", 0.5)
    assert 0 <= part.methods["own"].accuracy.low <= part.methods["own"].accuracy.high <= 1


def test_a_difference_is_the_users_method_minus_the_other_over_the_seeds_that_both_have(part):
    labels = np.array([NAMES.index(label) for label in LABELS])
    first, second = (np.array(ANSWERS[method, 0]) == labels for method in ("other", "own"))
    expected = paired_difference(first[None], second[None], np.array([0, 1, 2, 3, 4, 4])).estimate()
    assert part.differences["other"] == expected
    assert expected.mean == pytest.approx(2 / 6) and expected.seeds == 1


def test_a_cluster_of_the_users_is_one_draw_of_an_interval():
    labels = np.array([NAMES.index(label) for label in LABELS])
    first, second = (np.array(ANSWERS[method, 0]) == labels for method in ("other", "own"))
    clustered = scores.score_part("test", replace(PART, clusters=list("aab bb")), NAMES, RUNS, scores.IN)
    expected = paired_difference(first[None], second[None], np.array([0, 0, 1, 2, 1, 1])).estimate()
    assert clustered.differences["other"] == expected


def test_the_seed_that_validates_best_is_chosen_and_of_equals_the_lowest():
    chosen = scores.choose(RUNS, PART, NAMES)
    assert (chosen.seed, chosen.accuracy, chosen.beside) == (1, pytest.approx(4 / 6), {"own": pytest.approx(4 / 6)})
    equal = {"own": [run("own", 1), run("own", 0)], "other": RUNS["other"]}
    chosen = scores.choose(equal, PART, NAMES)
    assert (chosen.seed, chosen.beside["other"]) == (0, 0.5)
    assert chosen.confusion == [[2, 0, 0], [1, 2, 0], [0, 0, 1]]


def test_the_scores_of_a_class_are_those_of_scikit_learn():
    from sklearn.metrics import precision_recall_fscore_support

    answers, labels = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 2, 1])
    expected = precision_recall_fscore_support(labels, answers, labels=[0, 1, 2], zero_division=0)
    found = scores.by_class(answers, labels, NAMES)
    for number, each in enumerate(found):
        assert (each.precision, each.recall, each.f1, each.examples) == pytest.approx([v[number] for v in expected])


def test_an_end_of_an_interval_that_there_is_none_of_is_null_in_json():
    assert scores.plain({"a": [math.nan, 1.0], "b": (2, "c")}) == {"a": [None, 1.0], "b": [2, "c"]}
