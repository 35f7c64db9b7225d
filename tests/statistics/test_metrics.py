"""The metrics against literal, slow ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import recall_score

from masktune.statistics import metrics


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1))
def test_balanced_accuracy_is_that_of_scikit_learn(answers):
    predictions, labels = map(np.array, zip(*answers, strict=True))
    expected = recall_score(labels, predictions, labels=np.unique(labels), average="macro", zero_division=0)
    assert metrics.balanced_accuracy(predictions, labels) == pytest.approx(expected)


def slow_calibration_error(confidences, correct):
    """Guo et al.'s formula, bin by bin."""
    total = 0.0
    for i in range(15):
        members = [j for j, value in enumerate(confidences) if i / 15 < value <= (i + 1) / 15 or (i == value == 0)]
        if members:
            accuracy = sum(correct[j] for j in members) / len(members)
            confidence = sum(confidences[j] for j in members) / len(members)
            total += len(members) / len(confidences) * abs(accuracy - confidence)
    return total


@given(st.lists(st.tuples(st.integers(0, 1000).map(lambda i: i / 1000), st.booleans()), min_size=1))
def test_calibration_error_is_the_published_formula(answers):
    confidences, correct = map(np.array, zip(*answers, strict=True))
    expected = slow_calibration_error(confidences, correct)
    assert metrics.calibration_error(confidences, correct) == pytest.approx(expected)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcd")), min_size=1))
def test_pair_consistency_is_the_share_of_whole_clusters(rows):
    clusters = {name: [right for right, other in rows if other == name] for _, name in rows}
    literal = sum(all(answers) for answers in clusters.values()) / len(clusters)
    assert metrics.pair_consistency(*map(np.array, zip(*rows, strict=True))) == pytest.approx(literal)


def test_auroc_is_the_share_of_pairs_in_order():
    scores, labels = np.array([0.1, 0.4, 0.4, 0.8, 0.2]), np.array([0, 1, 0, 1, 0])
    literal = np.mean([(p > n) + 0.5 * (p == n) for p in scores[labels == 1] for n in scores[labels == 0]])
    assert metrics.auroc(scores, labels) == pytest.approx(literal)
    assert np.isnan(metrics.auroc(scores, np.ones(5)))


def test_class_accuracy_is_recall():
    assert metrics.class_accuracy([0, 1, 1, 0], [0, 0, 1, 1]) == {0: 0.5, 1: 0.5}
    assert metrics.class_accuracy([1, 1, 1], [0, 1, 1]) == {0: 0.0, 1: 1.0}
