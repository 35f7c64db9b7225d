"""Axes whose rows are evaluation sets, with the methods side by side in each row."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from masktune.analysis import names
from masktune.analysis.plotting import theme

ROW = 0.46  # inches that one set takes
SPREAD = 0.30  # how far apart two methods lie on the row of a set
LONGEST = 32  # letters that a name may have on one line: a longer one would take the place of the panel


def label_rows(axis: Axes, sets: pd.DataFrame, models: bool = False) -> None:
    """Write the names of the sets from top to bottom, with a pale band behind those in distribution.

    `models`: a row is a set and a model, and both are named.
    """
    named = [names.evaluation_set(name) for name in sets["set"]]
    if models:
        named = [_join(name, names.model(model)) for name, model in zip(named, sets["model"], strict=True)]
    axis.set_yticks(range(len(sets)), named)
    axis.set_ylim(max(len(sets), 1) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
    for row, kind in enumerate(sets["kind"]):
        if kind == "in_distribution":
            axis.axhspan(row - 0.5, row + 0.5, color=theme.BAND, linewidth=0, zorder=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)


def _join(name: str, model: str) -> str:
    line = f"{name} \N{MIDDLE DOT} {model}"
    return line if len(line) <= LONGEST else f"{name}\n{model}"


def row_offsets(count: int) -> np.ndarray:
    """Where so many methods lie around the middle of a row, in rows."""
    return (np.arange(count) - (count - 1) / 2) * (SPREAD if count < 3 else 0.5 / (count - 1))


def jitter(seeds: pd.Series) -> np.ndarray:
    """A small, fixed shift for each seed, so that equal accuracies stay visible."""
    return ((seeds.to_numpy() * 7) % 10 - 4.5) / 10 * 0.12
