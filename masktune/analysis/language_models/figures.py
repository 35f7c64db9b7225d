"""The figure of the language models."""

import pandas as pd
from matplotlib.axes import Axes

from masktune.analysis import names
from masktune.analysis.language_models.numbers import ALL_TASKS
from masktune.analysis.plotting import alt_text, marks, panels, theme
from masktune.analysis.plotting.theme import Drawing


def curves(frame: pd.DataFrame) -> Drawing:
    """Held-out loss along masked-LM training: a panel a model, a line for each pre-training, coloured by task.

    `frame`: `numbers.curves`.
    """
    models = list(dict.fromkeys(frame["model"]))
    tasks = list(dict.fromkeys(frame["task"]))
    if not models:
        return panels.text_figure("No run of this study says how its language model was trained.")
    with theme.apply_theme():
        figure, axes = panels.side_by_side(len(models), 3.4, 2.8)
        for axis, model in zip(axes, models, strict=True):
            _panel(axis, frame[frame["model"] == model], tasks)
            axis.set_title(names.model(model), pad=8)
        for axis in axes[:: panels.PER_LINE]:
            axis.set_ylabel("held-out loss (nats)")
        if tasks != [ALL_TASKS]:
            lines, labels = [], []
            for axis in axes:
                for line, label in zip(*axis.get_legend_handles_labels(), strict=True):
                    if label not in labels:
                        lines.append(line)
                        labels.append(label)
            marks.add_legend(figure, lines)
        panels.add_note(figure, "A line for each training of a language model; points: where it was measured.")
    figure.alt = alt_text.compose("Held-out loss along masked-LM training.", *_words(frame))
    return figure


def _panel(axis: Axes, frame: pd.DataFrame, tasks: list[str]) -> None:
    for _, rows in frame.groupby("training", sort=False):
        task = rows["task"].iloc[0]
        look = theme.SERIES[tasks.index(task) % len(theme.SERIES)]
        title = task if task == ALL_TASKS else names.task(task)
        axis.plot(
            rows["step"], rows["loss"], color=look.colour, marker=look.marker, markersize=3, linewidth=1.0, alpha=0.8,
            label=title,
        )  # fmt: skip
    axis.set(xlabel="steps of training", ylim=(0, None))


def _words(frame: pd.DataFrame) -> list[str]:
    """From which loss to which the language models of each model went."""
    sentences = []
    for model, rows in frame.groupby("model", sort=False):
        ends = rows.groupby("training", sort=False)["loss"].agg(["first", "last"])
        sentences.append(f"{names.model(str(model))}: from {ends['first'].mean():.2f} to {ends['last'].mean():.2f}.")
    return sentences
