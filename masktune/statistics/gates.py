"""Gates: what must hold before a comparison says anything about robustness. S is the number of seeds.

Accuracies are in per cent, differences in points. What is asked for is declared by a study (`study.design.gates`).
"""

import math

import numpy as np

PASSED, FAILED = "passed", "failed"


def did_train(
    accuracies: np.ndarray, loss: float, classes: int, least_accuracy: float, largest_loss: float
) -> tuple[bool, str]:
    """Whether a row learnt its task, and if not, why: both its accuracy and its loss have to say so.

    `accuracies` in distribution by seed [S] have a mean of `least_accuracy` or more; `loss`, the classification loss at
    the end of training in nats, lies at or below the share `largest_loss` of ln(classes), which is what guessing gives.
    A NaN loss was not logged, and the accuracy decides alone.

    >>> did_train([77.0], loss=0.3, classes=2, least_accuracy=90, largest_loss=0.9)
    (False, 'accuracy 77.0 in distribution, 90 asked for')
    """
    accuracy, guessing = float(np.mean(accuracies)), math.log(classes)
    reasons = []
    if not accuracy >= least_accuracy:
        reasons.append(f"accuracy {accuracy:.1f} in distribution, {least_accuracy:g} asked for")
    if loss > largest_loss * guessing:
        share = 100 * loss / guessing
        reasons.append(
            f"training loss {loss:.3f}, {share:.0f} % of ln {classes}, at most {100 * largest_loss:g} % asked"
        )
    return not reasons, "; ".join(reasons)


def can_tell(difference: float, low: float, gain: float) -> str:
    """Whether a set tells a robust model from another: PASSED or FAILED.

    Its positive control is `difference` more accurate, `low` the lower end of the 95 % interval: `gain` is asked for,
    and an interval above 0. A control without an interval shows nothing.

    >>> can_tell(difference=20.0, low=3.0, gain=15)
    'passed'
    """
    return PASSED if difference >= gain and low > 0 else FAILED


def gains(low: float) -> bool:
    """Whether a remedy is more accurate beyond doubt: the lower end of its 95 % interval lies above 0.

    >>> gains(low=0.4)
    True
    """
    return bool(low > 0)


def final_loss(steps: np.ndarray, losses: np.ndarray) -> float:
    """The mean of the losses that were logged in the last tenth of training; NaN where none was. [n], [n] -> scalar.

    >>> round(final_loss([1, 50, 95, 100], [0.7, 0.4, 0.2, 0.1]), 2)
    0.15
    """
    if not len(steps):
        return float("nan")
    steps = np.asarray(steps, dtype=float)
    return float(np.mean(np.asarray(losses, dtype=float)[steps > 0.9 * steps.max()]))
