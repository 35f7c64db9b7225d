"""Measures of diversity compared with literal versions and at their limits."""

from itertools import combinations

import numpy as np
import pytest

from masktune.statistics import diversity

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
