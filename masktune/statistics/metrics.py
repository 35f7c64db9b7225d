"""Metrics of one run on one evaluation set. Pure functions of numpy arrays; n is the number of examples of the set.

Accuracies are shares, not per cent.
"""

import numpy as np

BINS = 15  # of confidence, as Guo et al. 2017


def accuracy(predictions: np.ndarray, labels: np.ndarray) -> float:
    """The share of examples predicted right. [n], [n] -> scalar.

    >>> accuracy([1, 0, 1, 1], [1, 0, 0, 1])
    0.75
    """
    return float(np.mean(np.asarray(predictions) == np.asarray(labels)))


def class_accuracy(predictions: np.ndarray, labels: np.ndarray) -> dict[int, float]:
    """Accuracy among the examples of each class (its recall). [n], [n] -> class -> share.

    >>> class_accuracy([1, 0, 1, 1], [1, 0, 0, 1])
    {0: 0.5, 1: 1.0}
    """
    predictions, labels = np.asarray(predictions), np.asarray(labels)
    return {int(label): accuracy(predictions[labels == label], label) for label in np.unique(labels)}


def balanced_accuracy(predictions: np.ndarray, labels: np.ndarray) -> float:
    """The mean over classes of the accuracy in each: every constant answer scores chance. [n], [n] -> scalar.

    >>> balanced_accuracy([1, 1, 1, 1], [1, 1, 1, 0])
    0.5
    """
    return float(np.mean(list(class_accuracy(predictions, labels).values())))


def auroc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve: how often a positive example outscores a negative one. [n], [n] in {0, 1} -> scalar.

    It moves with the ranking alone, not with the threshold. NaN when only one class is there.

    >>> auroc([0.9, 0.6, 0.7], [1, 1, 0])
    0.5
    """
    if len(np.unique(labels)) < 2:
        return float("nan")
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, scores))


def pair_consistency(correct: np.ndarray, clusters: np.ndarray) -> float:
    """The share of clusters in which every example is right (Gardner et al. 2020). bool [n], [n] -> scalar.

    >>> pair_consistency([True, True, True, False], clusters=["a", "a", "b", "b"])
    0.5
    """
    _, membership = np.unique(np.asarray(clusters), return_inverse=True)
    wrong = np.bincount(membership, weights=~np.asarray(correct, dtype=bool))
    return float(np.mean(wrong == 0))


def calibration_error(confidences: np.ndarray, correct: np.ndarray) -> float:
    """Expected calibration error: how far confidence is from accuracy. [n] in [0, 1], bool [n] -> scalar.

    Examples fall into 15 bins of equal width by the probability of the answer given; the gaps |accuracy - mean
    confidence| of the bins are averaged, weighted by their examples (Naeini et al. 2015; Guo et al. 2017, section 2).

    >>> calibration_error([0.9, 0.9], [True, False])
    0.4
    """
    confidences = np.asarray(confidences, dtype=float)
    bins = np.clip(np.ceil(confidences * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = np.bincount(bins, weights=np.asarray(correct, dtype=float) - confidences)
    return float(np.abs(gaps).sum() / len(confidences))
