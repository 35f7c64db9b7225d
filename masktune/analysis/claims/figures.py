"""The figure of the gates: what the positive control and the known remedies gain on each set."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from masktune.analysis import names
from masktune.analysis.claims.gates import CONTROL
from masktune.analysis.claims.verdicts import DID_NOT_TRAIN
from masktune.analysis.formatting import join_words, number
from masktune.analysis.plotting import alt_text, marks, panels, set_rows, theme
from masktune.analysis.plotting.marks import draw_horizontal
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.plotting.value_axis import signed_tick
from masktune.statistics.gates import FAILED

# What is said of a control that shows nothing of a set, by its word in the column `passed`.
_CLOSED = {FAILED: "fails on", DID_NOT_TRAIN: "did not train on"}
_ASKED: dict[str, Any] = {"color": theme.INK, "linewidth": 1.1, "linestyle": (0, (4, 2))}


def gates(contrasts: pd.DataFrame) -> Drawing:
    """A column a task, a row a set and model: the control's gain and the remedies', and a line at what is asked for.

    `contrasts`: `gates.Outcome.contrasts`.
    """
    if contrasts.empty:
        return panels.text_figure("No control and no remedy has finished runs yet.")
    tasks, methods = (list(dict.fromkeys(contrasts[column])) for column in ("task", "method"))
    most = contrasts.drop_duplicates(["task", "model", "set"]).groupby("task").size().max()
    row = set_rows.ROW + 0.1 * max(0, len(methods) - 2)
    with theme.apply_theme():
        figure = Drawing(figsize=(1.2 + 3.5 * max(len(tasks), 1.5), 1.1 + row * most), layout="constrained")
        axes = figure.subplots(1, len(tasks), squeeze=False, sharex=True)[0]
        for axis, task in zip(axes, tasks, strict=True):
            _panel(axis, contrasts[contrasts["task"] == task], methods, contrasts["model"].nunique() > 1)
            axis.set_title(names.task(task), pad=8)
            axis.set_xlabel(f"gain over {' or '.join(dict.fromkeys(contrasts['against']))} (points)")
        handles = [marks.method_handle(theme.mark(method, methods), method) for method in methods]
        handles += marks.seed_handles(contrasts["seeds"])
        handles += [Line2D([], [], label="asked of the control", **_ASKED)] if _asked(contrasts) else []
        if contrasts["passed"].eq(DID_NOT_TRAIN).any():
            handles += [Line2D([], [], label=DID_NOT_TRAIN, **marks.UNTRAINED)]
        marks.add_legend(figure, handles)
    figure.alt = alt_text.compose(*_words(contrasts))
    return figure


def _panel(axis: Axes, frame: pd.DataFrame, methods: list[str], several: bool) -> None:
    rows = frame.drop_duplicates(["set", "model"])
    places = list(zip(rows["set"], rows["model"], strict=True))
    set_rows.label_rows(axis, rows, models=several)
    axis.xaxis.set_major_formatter(signed_tick)
    axis.axvline(0, color=theme.QUIET, linewidth=0.9, zorder=1)
    for asked in _asked(frame):
        axis.axvline(asked, zorder=1, **_ASKED)
    offsets = set_rows.row_offsets(len(methods))
    for row in frame.itertuples():
        height = places.index((row.set, row.model)) + offsets[methods.index(row.method)]
        draw_horizontal(axis, row.difference, (row.low, row.high), height, theme.mark(row.method, methods), row.seeds)
        if row.passed == DID_NOT_TRAIN:
            axis.plot([row.difference], [height], **marks.UNTRAINED)


def _asked(frame: pd.DataFrame) -> list[float]:
    return [float(asked) for asked in frame.loc[frame["role"] == CONTROL, "asked"].unique()]


def _words(frame: pd.DataFrame) -> list[str]:
    where, control = alt_text.row_namer(frame), frame[frame["role"] == CONTROL]
    closed = [(control[control["passed"] == shown], said) for shown, said in _CLOSED.items()]
    sentences = [f"Gains in points of {frame['method'].nunique()} methods on sets out of distribution."]
    if len(control):
        told = [
            f"{said} {join_words([where(row) for _, row in rows.iterrows()])}" for rows, said in closed if len(rows)
        ]
        sentences.append(f"The control {control['method'].iloc[0]} goes {alt_text.difference_range(control, where)}; "
                         f"{number(control['asked'].iloc[0])} are asked for. "
                         f"It {'; it '.join(told) or 'passes on all'}.")  # fmt: skip
    for method, own in frame[frame["role"] != CONTROL].groupby("method", sort=False):
        sentences.append(f"{method}: {alt_text.difference_range(own, where)}.")
    return sentences
