"""The figure of the trials."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from masktune.analysis import names
from masktune.analysis.plotting import alt_text, marks, panels, theme
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.tuning.numbers import expected_maximum

OTHERS = "other methods"


def trials(frame: pd.DataFrame, model: str, shown: list[str]) -> Drawing:
    """The expected best validation accuracy by the number of trials: a panel per task, `shown` in colour, others grey.

    `frame`: `numbers.read`.
    """
    own = frame[frame["model"] == model]
    tasks = list(dict.fromkeys(own["task"]))
    if not tasks:
        return panels.text_figure(f"Nothing was tuned for {names.model(model)}.")
    with theme.apply_theme():
        figure, axes = panels.side_by_side(len(tasks))
        for axis, task in zip(axes, tasks, strict=True):
            _panel(axis, own[own["task"] == task], shown)
            axis.set_title(f"{names.task(task)}, {names.model(model)}", pad=8)
        axes[0].set_ylabel("expected best validation accuracy (%)")
        handles = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
        marks.add_legend(figure, list(handles.values()))
    best = own.groupby(["label", "task"], sort=False)["validation"].max().mul(100).rename("accuracy").reset_index()
    ends = alt_text.value_range(best, "accuracy", lambda row: f"{row['label']}, {names.task(row['task'])}", " %")
    figure.alt = alt_text.compose(f"Best validation accuracy of all trials, {names.model(model)}: {ends}.")
    return figure


def _panel(axis: Axes, frame: pd.DataFrame, shown: list[str]) -> None:
    """One task: a line per method, those in colour above the others."""
    by_label = frame.groupby("label", sort=False)["validation"]
    for label, values in sorted(by_label, key=lambda item: item[0] in shown):
        best = 100 * expected_maximum(values.to_numpy())
        look: dict[str, Any] = {"color": theme.QUIET, "linewidth": 0.8, "alpha": 0.6, "label": OTHERS}
        if label in shown:
            look = {"color": theme.mark(label, shown).colour, "linewidth": 1.8, "label": label}
        axis.plot(np.arange(1, len(best) + 1), best, marker="o", markersize=3, **look)
    axis.set(xlabel="trials", xticks=range(1, len(best) + 1))
