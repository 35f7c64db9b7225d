"""What the trials say, in sentences."""

import json

import numpy as np
import pandas as pd


def trials(frame: pd.DataFrame, plain: str, ours: str) -> list[str]:
    """How far validation accuracy depends on the settings, and how the learning rate of `ours` compares with `plain`'s.

    `frame`: `numbers.read`.
    """
    spread = 100 * frame.groupby(["label", "model", "task"], sort=False)["validation"].agg(np.ptp)
    chosen = frame[frame["chosen"]].set_index(["label", "model", "task"])["settings"]
    rates = chosen.map(lambda settings: json.loads(settings)["learning_rate"])
    ratio = (rates[ours] / rates[plain]).dropna()
    return [
        f"Between the worst and the best trial of one method lie {spread.median():.1f} points of validation accuracy "
        f"in the median over methods, models and tasks, and {spread.max():.1f} at most.",
        f"In {len(ratio)} places (model x task) {ours} was given a smaller learning rate than {plain} "
        f"{(ratio < 1).sum()} times, the same {(ratio == 1).sum()} times and a larger one {(ratio > 1).sum()} times.",
    ]
