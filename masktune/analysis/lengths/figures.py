"""The figure of the lengths."""

import pandas as pd
from matplotlib.axes import Axes

from masktune.analysis import names
from masktune.analysis.formatting import number
from masktune.analysis.plotting import alt_text, panels, theme
from masktune.analysis.plotting.theme import Drawing


def lengths(frame: pd.DataFrame) -> Drawing:
    """Accuracy by the length of the cut: a panel per set, a line per method, bars from the lowest seed to the highest.

    `frame`: `numbers.by_length`.
    """
    places = list(dict.fromkeys(zip(frame["task"], frame["model"], frame["set"], strict=True)))
    methods = list(dict.fromkeys(frame["method"]))
    if not places:
        return panels.alone("No finished runs were evaluated at more than one length.")
    with theme.applied():
        figure, axes = panels.side_by_side(len(places), 3.4, 3.2)
        for axis, place in zip(axes, places, strict=True):
            _panel(axis, frame[(frame[["task", "model", "set"]] == list(place)).all(axis=1)], methods)
            axis.set_title(f"{names.evaluation_set(place[2])}, {names.model(place[1])}", pad=8)
        for axis in axes[:: panels.A_LINE]:
            axis.set_ylabel("accuracy (%)")
        handles = [panels.handle(theme.mark(method, methods), method) for method in methods]
        panels.legend(figure, [*handles, *panels.of_seeds(frame["seeds"])])
        panels.note(figure, "Bars: from the lowest seed to the highest.")
    figure.alt = alt_text.alt("Mean accuracy by the tokens that are read.", *_words(frame))
    return figure


def _panel(axis: Axes, frame: pd.DataFrame, methods: list[str]) -> None:
    """One set: a line per method over the lengths."""
    at = panels.Places(frame["tokens"], str)
    at.draw(axis)
    for method, aside in zip(methods, panels.asides(len(methods)), strict=True):
        rows, style = frame[frame["method"] == method], theme.mark(method, methods)
        places = [at.of(tokens, aside) for tokens in rows["tokens"]]
        axis.plot(places, rows["accuracy"], color=style.colour, linewidth=1.4)
        for place, row in zip(places, rows.itertuples(), strict=True):
            panels.upright(axis, place, row.accuracy, (row.lowest, row.highest), style, row.seeds)
    axis.set_xlabel("tokens read at evaluation")


def _words(frame: pd.DataFrame) -> list[str]:
    """For each set and method the accuracy at the shortest and at the longest cut."""
    sentences = []
    for (name, method), rows in frame.groupby(["set", "method"], sort=False, observed=True):
        ends = (f"{number(row.accuracy)} % at {row.tokens}" for row in rows.iloc[[0, -1]].itertuples())
        sentences.append(f"{names.evaluation_set(name)}, {method}: {' and '.join(ends)}.")
    return sentences
