"""Lines along training: what was measured at each step or epoch, its mean and its range over the seeds."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from masktune.analysis.formatting import count
from masktune.analysis.plotting import alt_text, marks, panels, theme
from masktune.analysis.plotting.theme import Drawing


def along_training(
    histories: pd.DataFrame, columns: Sequence[str], titles: Sequence[str], time: str = "step"
) -> Drawing:
    """What was measured along training: a panel per quantity, a line per label (mean over seeds, band: all seeds).

    `histories`: the columns label, seed, `time` ("step" or "epoch") and those named in `columns`.
    """
    if histories.empty:
        return panels.text_figure("No finished run has measured this along training.")
    with theme.apply_theme():
        figure, axes = panels.side_by_side(len(columns), 3.4, 3.1)
        for axis, name, title in zip(axes, columns, titles, strict=True):
            _quantity(axis, histories, name, time)
            axis.set_title(title, pad=8)
            axis.set_xlabel(time)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        marks.add_legend(figure, axes[0].get_legend_handles_labels()[0])
    figure.alt = alt_text.compose(*_ends(histories, columns, titles, time))
    return figure


def _quantity(axis: Axes, histories: pd.DataFrame, name: str, time: str) -> None:
    """One quantity: a line and a band per label."""
    labels = list(dict.fromkeys(histories["label"]))
    seeds = histories.groupby("label")["seed"].nunique()
    for label in labels:
        colour = theme.mark(label, labels).colour
        by_time = histories[histories["label"] == label].dropna(subset=[name]).groupby(time)[name]
        mean, low, high = by_time.mean(), by_time.min(), by_time.max()
        axis.fill_between(low.index, low, high, color=colour, alpha=0.15)
        legend = f"{label} ({count(seeds[[label]], 'seed')})"
        axis.plot(mean.index, mean, color=colour, linewidth=1.6, label=legend)


def _ends(histories: pd.DataFrame, columns: Sequence[str], titles: Sequence[str], time: str) -> list[str]:
    """Where each quantity begins and ends, a sentence per panel: the mean over the seeds of each label."""
    sentences = []
    for name, title in zip(columns, titles, strict=True):
        means = histories.dropna(subset=[name]).groupby(["label", time], sort=False)[name].mean()
        courses = [(label, means[label].sort_index()) for label in dict.fromkeys(means.index.get_level_values(0))]
        ends = "; ".join(f"{label} {course.iloc[0]:.3g} to {course.iloc[-1]:.3g}" for label, course in courses)
        sentences.append(f"{title}, first to last {time}: {ends}.")
    return sentences
