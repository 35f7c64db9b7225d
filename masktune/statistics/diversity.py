"""How diverse perturbed texts are: pure functions of token ids and of embeddings.

n is the number of sources, D how many perturbed texts each of them has, L the padded length, m a number of texts, H the
size of an embedding. All but `pairwise_similarity` and `restored` are higher where texts are more diverse.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.special import entr

NEIGHBOURS = 5  # Naeem et al. 2020, section 4


def share_changed(texts: np.ndarray, sources: np.ndarray) -> float:
    """The share of texts that differ from their source. [D, n, L], [n, L] -> scalar.

    >>> share_changed(np.array([[[1, 2]], [[1, 3]]]), np.array([[1, 2]]))
    0.5
    """
    return float((texts != sources).any(-1).mean())


def restored(texts: np.ndarray, sources: np.ndarray, positions: np.ndarray) -> float:
    """The share of masked tokens that came back as they were; NaN if none was masked.

    [D, n, L], [n, L], bool [D, n, L] -> scalar.

    >>> restored(np.array([[[1, 2]]]), np.array([[1, 2]]), np.array([[[False, True]]]))
    1.0
    """
    return float((texts == sources)[positions].mean()) if positions.any() else float("nan")


def distinct_texts(texts: np.ndarray, sources: np.ndarray) -> float:
    """How many different texts other than itself a source became: the mean. [D, n, L], [n, L] -> scalar.

    >>> distinct_texts(np.array([[[1, 2]], [[1, 3]], [[1, 4]]]), np.array([[1, 2]]))
    2.0
    """
    changed = (texts != sources).any(-1)
    return float(np.mean([len(np.unique(texts[changed[:, i], i], axis=0)) for i in range(len(sources))]))


def distinct_n(texts: Iterable[Sequence[int]], n: int) -> float:
    """distinct-n (Li et al. 2016, section 5.4): different n-grams over all n-grams, NaN if there is none.

    >>> distinct_n([[1, 2, 1, 2]], n=2)
    0.6666666666666666
    """
    grams = [tuple(text[start : start + n]) for text in texts for start in range(len(text) - n + 1)]
    return len(set(grams)) / len(grams) if grams else float("nan")


def pairwise_similarity(embeddings: np.ndarray) -> np.ndarray:
    """Mean cosine similarity of all pairs of m > 1 texts. [..., m, H] -> [...].

    >>> round(float(pairwise_similarity(np.eye(2))), 6)
    0.0
    """
    count, total = embeddings.shape[-2], _directions(embeddings).sum(-2)
    return ((total**2).sum(-1) - count) / (count * (count - 1))


def vendi_score(embeddings: np.ndarray) -> np.ndarray:
    """The effective number of different texts (Friedman and Dieng 2023), from 1 (all alike) to m (all orthogonal).

    exp of the entropy of the eigenvalues of K / m, K the cosine similarities. They are the squared singular values of
    the directions over m, which takes no matrix of all pairs. [..., m, H] -> [...].

    >>> round(float(vendi_score(np.eye(3))), 6)
    3.0
    """
    shares = np.linalg.svd(_directions(embeddings), compute_uv=False) ** 2 / embeddings.shape[-2]
    return np.exp(entr(shares).sum(-1))


def coverage(references: np.ndarray, embeddings: np.ndarray, neighbours: int = NEIGHBOURS) -> float:
    """The share of references with a text no further away than their k-th nearest neighbour among the references.

    Naeem et al. 2020, equation 9; Euclidean distances. [r, H] with r > neighbours, [m, H] -> scalar.

    >>> coverage(np.eye(3), np.eye(3), neighbours=1)
    1.0
    """
    from sklearn.neighbors import NearestNeighbors

    # Without an argument kneighbors leaves each reference out of its own neighbours.
    radii = NearestNeighbors(n_neighbors=neighbours).fit(references).kneighbors()[0][:, -1]
    nearest = NearestNeighbors(n_neighbors=1).fit(embeddings).kneighbors(references)[0][:, 0]
    return float((nearest <= radii).mean())


def _directions(embeddings: np.ndarray) -> np.ndarray:
    """The embeddings at length 1, in double precision. [..., m, H]."""
    embeddings = np.asarray(embeddings, dtype=float)
    return embeddings / np.linalg.norm(embeddings, axis=-1, keepdims=True)
