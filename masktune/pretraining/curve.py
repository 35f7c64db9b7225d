"""The held-out loss of a language model along its training, and whether that training was long enough.

A curve is a list of measurements, the first before training: {"step", "loss" (nats), "accuracy" (a share)}. Read
without loading torch.
"""

from collections.abc import Mapping, Sequence

POINTS = 12  # of a curve, besides the one before training
LAST = 0.25  # of training
STILL = 0.02  # nats that the last part of training may still gain


def steps_at(steps: int) -> set[int]:
    """The steps of a training after which it is measured: POINTS of them at equal distances, the last one included."""
    return {max(1, round(steps * number / POINTS)) for number in range(1, POINTS + 1)} if steps else set()


def last_gain(curve: Sequence[Mapping[str, float]]) -> float:
    """By how many nats the held-out loss fell in the last quarter of training. NaN where nothing was trained."""
    if not curve or not (end := curve[-1]["step"]):
        return float("nan")
    start = [point for point in curve if point["step"] <= (1 - LAST) * end][-1]
    return start["loss"] - curve[-1]["loss"]


def has_levelled_off(curve: Sequence[Mapping[str, float]]) -> bool:
    """Whether the last quarter of training gained less than STILL nats of held-out loss.

    The learning rate falls to zero there, which lowers the loss by itself: a training that passes has levelled off at
    its rate and with that fall counted in.
    """
    return last_gain(curve) < STILL
