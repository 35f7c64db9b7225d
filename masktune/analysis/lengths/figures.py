"""The figure of the lengths."""

import pandas as pd
from matplotlib.axes import Axes

from masktune.analysis import names
from masktune.analysis.formatting import number
from masktune.analysis.plotting import alt_text, marks, panels, theme
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.plotting.value_axis import ValueAxis


def lengths(frame: pd.DataFrame) -> Drawing:
    """Accuracy by the length of the cut: a panel per set, a line per method, bars from the lowest seed to the highest.

    `frame`: `numbers.by_length`.
    """
    places = list(dict.fromkeys(zip(frame["task"], frame["model"], frame["set"], strict=True)))
    methods = list(dict.fromkeys(frame["method"]))
    if not places:
        return panels.text_figure("No finished runs were evaluated at more than one length.")
    with theme.apply_theme():
        figure, axes = panels.side_by_side(len(places), 3.4, 3.2)
        for axis, place in zip(axes, places, strict=True):
            _panel(axis, frame[(frame[["task", "model", "set"]] == list(place)).all(axis=1)], methods)
            axis.set_title(f"{names.evaluation_set(place[2])}, {names.model(place[1])}", pad=8)
        for axis in axes[:: panels.PER_LINE]:
            axis.set_ylabel("accuracy (%)")
        handles = [marks.method_handle(theme.mark(method, methods), method) for method in methods]
        marks.add_legend(figure, [*handles, *marks.seed_handles(frame["seeds"])])
        panels.add_note(figure, "Bars: from the lowest seed to the highest.")
    figure.alt = alt_text.compose("Mean accuracy by the tokens that are read.", *_words(frame))
    return figure


def _panel(axis: Axes, frame: pd.DataFrame, methods: list[str]) -> None:
    """One set: a line per method over the lengths."""
    at = ValueAxis(frame["tokens"], str)
    at.draw(axis)
    for method, offset in zip(methods, marks.offsets(len(methods)), strict=True):
        rows, style = frame[frame["method"] == method], theme.mark(method, methods)
        places = [at.position(tokens, offset) for tokens in rows["tokens"]]
        axis.plot(places, rows["accuracy"], color=style.colour, linewidth=1.4)
        for place, row in zip(places, rows.itertuples(), strict=True):
            marks.draw_vertical(axis, place, row.accuracy, (row.lowest, row.highest), style, row.seeds)
    axis.set_xlabel("tokens read at evaluation")


def _words(frame: pd.DataFrame) -> list[str]:
    """For each set and method the accuracy at the shortest and at the longest cut."""
    sentences = []
    for (name, method), rows in frame.groupby(["set", "method"], sort=False, observed=True):
        ends = (f"{number(row.accuracy)} % at {row.tokens}" for row in rows.iloc[[0, -1]].itertuples())
        sentences.append(f"{names.evaluation_set(name)}, {method}: {' and '.join(ends)}.")
    return sentences
