"""Figures of accuracies and differences. Each takes frames of `accuracy.numbers` or of runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from masktune.analysis import names
from masktune.analysis.accuracy.tables import failed_to_train
from masktune.analysis.formatting import count, number
from masktune.analysis.plotting import alt_text, marks, panels, set_rows, theme
from masktune.analysis.plotting.marks import draw_horizontal
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.plotting.value_axis import signed_tick
from masktune.statistics import intervals

_CONSTANT: dict[str, Any] = {"color": theme.QUIET, "linewidth": 0.9, "linestyle": (0, (1, 1.4))}


def accuracies(seeds: pd.DataFrame, main: pd.DataFrame, runs: pd.DataFrame | None = None) -> Drawing:
    """In- and out-of-distribution accuracy: a column a task, a row a model; every seed, the mean, its 95 % interval.

    `runs`: all runs of the study; a task, model or method of its main part that has no finished run is named, and the
    panel of a model and a task without any is empty and says so. What the study does not declare has no panel.
    """
    runs = _main_runs(runs)
    models, tasks = (_values(main, runs, column) for column in ("model", "task"))
    methods = list(dict.fromkeys(main["method"])) if runs is None else names.methods_in_order(runs)
    if main.empty:
        return panels.text_figure(
            "No run is finished yet.", alt_text.compose("No accuracies.", missing=alt_text.unfinished_runs(runs))
        )
    with theme.apply_theme():
        figure, axes = _grid(main, models, tasks, _declared(main, runs))
        for row, column in axes:
            model, task = models[row], tasks[column]
            _accuracy_panel(axes[row, column], _at(seeds, model, task), _at(main, model, task), methods)
        for row, model in enumerate(models):
            first = min(at for at in axes if at[0] == row)
            axes[first].set_ylabel(names.model(model), color=theme.INK, weight="bold", labelpad=10)
        for column, task in enumerate(tasks):
            below_each_other = [axes[at] for at in sorted(axes) if at[1] == column]
            below_each_other[0].set_title(names.task(task), pad=8)
            lowest = below_each_other[-1]
            lowest.set_xlabel("accuracy (%)")
            lowest.tick_params(labelbottom=True)
            if task not in set(main["task"]):
                lowest.set_xticks([])
        _legend(figure, methods, main)
        panels.add_note(figure, alt_text.unfinished_runs(runs))
    figure.alt = alt_text.compose(*_ranges(main, methods), missing=alt_text.unfinished_runs(runs))
    return figure


def _main_runs(runs: pd.DataFrame | None) -> pd.DataFrame | None:
    """The runs of the study's main part, where the runs say which they are."""
    return runs if runs is None or "part" not in runs else runs[runs["part"] == "main"]


def _values(frame: pd.DataFrame, runs: pd.DataFrame | None, column: str) -> list[str]:
    """The values of a column in the frame and in all runs; in the order of the frame where it has all of them."""
    shown = list(dict.fromkeys(frame[column]))
    planned = list(dict.fromkeys([*([] if runs is None else runs[column]), *shown]))
    return shown if set(shown) == set(planned) else planned


def _ranges(main: pd.DataFrame, methods: list[str]) -> list[str]:
    """The mean in distribution and the range out of distribution of each method."""
    sentences, where = ["Mean accuracy in per cent."], alt_text.row_namer(main)
    for method in methods:
        own = main[main["method"] == method]
        inside, outside = (own[own["kind"] == kind] for kind in ("in_distribution", "out_of_distribution"))
        values = [f"{number(inside['accuracy'].mean())} in distribution"] if len(inside) else []
        values += [f"{alt_text.value_range(outside, 'accuracy', where)} out of distribution"] if len(outside) else []
        sentences += [f"{method}: {', '.join(values)}."] if values else []
        failed = own[failed_to_train(own)].drop_duplicates(["model", "task"])
        places = ", ".join(f"{names.model(row.model)} on {row.task}" for row in failed.itertuples())
        sentences += [f"{method} did not train: {places}."] if places else []
    return sentences


def _declared(main: pd.DataFrame, runs: pd.DataFrame | None) -> set[tuple[str, str]]:
    """(model, task) of all runs, finished or not."""
    known = main if runs is None else pd.concat([main, runs])
    return set(known[["model", "task"]].itertuples(index=False, name=None))


def _grid(
    main: pd.DataFrame, models: Sequence[str], tasks: Sequence[str], declared: set[tuple[str, str]]
) -> tuple[Drawing, dict[tuple[int, int], Axes]]:
    """One panel for each declared (model, task), wide enough for names of sets, high enough for their number.

    Gives the panels by their row and column.
    """
    most = main.groupby(["model", "task"], observed=True)["set"].nunique().max()
    row = set_rows.ROW + 0.16 * max(0, main["method"].nunique() - 2)
    size = (1.2 + 3.5 * max(len(tasks), 1.5), 0.75 + len(models) * (row * most + 0.3))
    figure = Drawing(figsize=size, layout=ConstrainedLayoutEngine(hspace=0.04, wspace=0.03))
    axes = figure.subplots(len(models), len(tasks), squeeze=False, sharex="col")
    drawn = {(row, column): axis for (row, column), axis in np.ndenumerate(axes)}
    for row, column in list(drawn):
        if (models[row], tasks[column]) not in declared:
            drawn.pop((row, column)).remove()
    return figure, drawn


def _at(frame: pd.DataFrame, model: str, task: str) -> pd.DataFrame:
    return frame[(frame["model"] == model) & (frame["task"] == task)]


def _accuracy_panel(axis: Axes, seeds: pd.DataFrame, main: pd.DataFrame, methods: list[str]) -> None:
    sets = list(dict.fromkeys(main["set"]))
    set_rows.label_rows(axis, main.drop_duplicates("set"))
    if main.empty:
        panels.mark_empty(axis)
        return
    for name, level in main.drop_duplicates("set").set_index("set")["majority"].items():
        row = sets.index(name)
        axis.plot([level, level], [row - 0.42, row + 0.42], **_CONSTANT)
    for method, offset in zip(methods, set_rows.row_offsets(len(methods)), strict=True):
        style = theme.mark(method, methods)
        points = seeds[(seeds["method"] == method) & seeds["set"].isin(sets)]
        # Next to the interval and not on it: outwards for two methods, below for the one in the middle.
        middle = offset + (0.11 if offset >= 0 else -0.11)
        heights = points["set"].map(sets.index).to_numpy(dtype=float) + middle + set_rows.jitter(points["seed"]) / 2
        axis.scatter(points["accuracy"], heights, s=11, color=style.colour, alpha=0.35, linewidths=0, zorder=2)
        for row in main[main["method"] == method].itertuples():
            draw_horizontal(axis, row.accuracy, (row.low, row.high), sets.index(row.set) + offset, style, row.seeds)
    failed = main[failed_to_train(main)]
    offsets = dict(zip(methods, set_rows.row_offsets(len(methods)), strict=True))
    heights = [sets.index(row.set) + offsets[row.method] for row in failed.itertuples()]
    axis.plot(failed["accuracy"], heights, **marks.UNTRAINED)
    axis.margins(x=0.06)


def _legend(figure: Drawing, methods: list[str], main: pd.DataFrame) -> None:
    handles = [marks.method_handle(theme.mark(method, methods), method) for method in methods]
    handles += marks.seed_handles(main["seeds"])
    if main["seeds"].max() > 1:
        handles += [marks.dot_handle("one seed"), _line("95 % interval of the mean")]
    if failed_to_train(main).any():
        handles += [Line2D([], [], label="did not train", **marks.UNTRAINED)]
    marks.add_legend(figure, [*handles, Line2D([], [], label="constant answer", **_CONSTANT)])


def _line(label: str) -> Line2D:
    """An interval in the legend."""
    return Line2D([], [], color=theme.QUIET, linewidth=1.7, label=label)


def differences(frame: pd.DataFrame, runs: pd.DataFrame | None = None) -> Drawing:
    """A forest plot: paired differences from plain fine-tuning, a column a task, 95 % intervals, zero in the middle.

    `runs`: all runs of the study, see `accuracies`.
    """
    runs = _main_runs(runs)
    if frame.empty:
        return _nothing_to_compare(alt_text.unfinished_runs(runs))
    tasks, methods = _values(frame, runs, "task"), _methods(frame)
    rows = {task: frame[frame["task"] == task].drop_duplicates(["set", "model"]) for task in tasks}
    rows = {task: sets.sort_values("set", key=lambda s: s.map(_order(s)), kind="stable") for task, sets in rows.items()}
    most = max(len(sets) for sets in rows.values())
    with theme.apply_theme():
        figure = Drawing(figsize=(1.2 + 3.5 * max(len(tasks), 1.5), 1.1 + 0.33 * most), layout="constrained")
        axes = figure.subplots(1, len(tasks), squeeze=False, sharex=True)[0]
        for axis, task in zip(axes, tasks, strict=True):
            _forest(axis, rows[task], frame[frame["task"] == task], methods)
            axis.set_title(names.task(task), pad=8)
            axis.set_xlabel(f"difference from {_reference(frame)} (points)")
        handles = [marks.method_handle(theme.mark(method, methods), method) for method in methods[1:]]
        handles += [*marks.seed_handles(frame["seeds"]), _line("95 % interval over seeds and examples")]
        marks.add_legend(figure, handles)
        panels.add_note(figure, alt_text.unfinished_runs(runs))
    figure.alt = alt_text.compose(*_each(frame), missing=alt_text.unfinished_runs(runs))
    return figure


def _methods(frame: pd.DataFrame) -> list[str]:
    """What is compared with plain fine-tuning, after that itself: the order of the marks."""
    return [frame["first"].iloc[0], *dict.fromkeys(frame["second"])]


def _reference(frame: pd.DataFrame) -> str:
    """What the methods are compared with."""
    firsts = frame["first"].unique()
    return firsts[0] if len(firsts) == 1 else "equally long fine-tuning"


def _each(frame: pd.DataFrame) -> list[str]:
    """A sentence for each method that is compared; the first is named once where it is one."""
    where, firsts = alt_text.row_namer(frame), frame["first"].unique()
    ahead = f"Points ahead of {firsts[0]}" if len(firsts) == 1 else "Points ahead"
    return [f"{ahead} out of distribution."] + [
        f"{second}{'' if len(firsts) == 1 else f' minus {first}'}: {alt_text.difference_range(rows, where)}."
        for (first, second), rows in frame.groupby(["first", "second"], sort=False, observed=True)
    ]


def _nothing_to_compare(missing: str = "") -> Drawing:
    """In place of differences while one method alone has finished runs."""
    alt = alt_text.compose("Nothing to compare: no second method has finished runs yet.", missing=missing)
    return panels.text_figure("No second method has finished runs yet.", alt)


def _order(sets: pd.Series) -> dict[str, int]:
    return {name: i for i, name in enumerate(dict.fromkeys(sets))}


def _forest(axis: Axes, rows: pd.DataFrame, frame: pd.DataFrame, methods: list[str]) -> None:
    places = list(zip(rows["set"], rows["model"], strict=True))
    set_rows.label_rows(axis, rows, models=frame["model"].nunique() > 1)
    axis.xaxis.set_major_formatter(signed_tick)
    if frame.empty:
        panels.mark_empty(axis)
        return
    axis.axvline(0, color=theme.QUIET, linewidth=0.9, zorder=1)
    offsets = set_rows.row_offsets(len(methods) - 1)
    for row in frame.itertuples():
        height = places.index((row.set, row.model)) + offsets[methods.index(row.second) - 1]
        draw_horizontal(axis, row.difference, (row.low, row.high), height, theme.mark(row.second, methods), row.seeds)


def predicted(differences: pd.DataFrame, prediction: Mapping[str, float]) -> Drawing:
    """What the reader expected and what was observed: the mean difference out of distribution, a row a task.

    `prediction`: points by task; tasks left out are drawn without one. Small points: each model x set.
    """
    frame = differences[differences["kind"] == "out_of_distribution"]
    if frame.empty:
        return _nothing_to_compare()
    # A task that was predicted and has no finished runs keeps its row.
    tasks = list(dict.fromkeys([*frame["task"], *prediction]))
    methods = _methods(frame)
    with theme.apply_theme():
        figure = Drawing(figsize=(6.4, 1.2 + 0.55 * len(tasks)), layout="constrained")
        axis = figure.subplots()
        set_rows.label_rows(axis, pd.DataFrame({"set": tasks, "kind": ""}))
        here = set(frame["task"])
        titles = [names.task(task) + ("" if task in here else f"\n({panels.NO_RUNS})") for task in tasks]
        axis.set_yticks(range(len(tasks)), titles)
        axis.axvline(0, color=theme.QUIET, linewidth=0.9, zorder=1)
        for method, offset in zip(methods[1:], set_rows.row_offsets(len(methods) - 1), strict=True):
            _draw_observed(axis, frame[frame["second"] == method], tasks, offset, theme.mark(method, methods))
        for task in (task for task in tasks if prediction.get(task) is not None):
            axis.plot(
                prediction[task], tasks.index(task), "|", color=theme.INK, markersize=22, markeredgewidth=2, zorder=5
            )
        axis.set_xlabel(f"mean difference from {_reference(frame)}, out of distribution (points)")
        handles = [
            marks.method_handle(theme.mark(method, methods), f"observed, {method} ({count(rows['seeds'], 'seed')})")
            for method, rows in frame.groupby("second", sort=False, observed=True)
        ]
        handles += [
            marks.dot_handle("one model and set"),
            marks.dot_handle("predicted", marker="|", color=theme.INK, markersize=11, markeredgewidth=2),
        ]
        axis.xaxis.set_major_formatter(signed_tick)
        marks.add_legend(figure, handles)
    figure.alt = alt_text.compose(*_predicted_and_observed(frame, prediction))
    return figure


def _predicted_and_observed(frame: pd.DataFrame, prediction: Mapping[str, float]) -> list[str]:
    """Predicted and observed, a sentence for each method and task."""
    means = frame.groupby(["second", "task"], sort=False, observed=True)["difference"].mean()
    return [
        f"{names.task(task)}, {second}: "
        + (f"predicted {number(prediction[task], True)}, " if prediction.get(task) is not None else "")
        + f"observed {number(mean, True)} points."
        for (second, task), mean in means.items()
    ]


def _draw_observed(axis: Axes, frame: pd.DataFrame, tasks: list[str], offset: float, style: theme.Mark) -> None:
    heights = frame["task"].map(tasks.index) + offset
    axis.scatter(frame["difference"], heights, s=14, color=style.colour, alpha=0.4, linewidths=0, zorder=2)
    for task, rows in frame.groupby("task", sort=False, observed=True):
        height, seeds = tasks.index(task) + offset, rows["seeds"].min()
        draw_horizontal(axis, rows["difference"].mean(), (np.nan, np.nan), height, style, seeds)


def learning_curve(histories: Mapping[int, Sequence[Mapping[str, float]]]) -> Drawing:
    """Each loss that the Trainer logged against the step: a thin line a seed, the mean over seeds thick.

    `histories`: the Trainer's `log_history` by seed. Every key that begins with "loss" is drawn in a panel of its own.
    """
    logs = pd.DataFrame([{"seed": seed, **entry} for seed, history in histories.items() for entry in history])
    losses = [key for key in logs if key.startswith("loss") and pd.api.types.is_numeric_dtype(logs[key])]
    if not losses:
        return panels.text_figure("No finished run has logged a loss.")
    with theme.apply_theme():
        figure, axes = panels.side_by_side(len(losses), 3.3, 2.5)
        for axis, key in zip(axes, losses, strict=True):
            points = logs.dropna(subset=[key])
            for _, one in points.groupby("seed"):
                axis.plot(one["step"], one[key], color=theme.FAINT, linewidth=1)
            mean = points.groupby("step")[key].mean()
            axis.plot(mean.index, mean, color=theme.mark("fine-tuning", []).colour, linewidth=1.8)
            axis.set_title(_title(key))
            axis.set_xlabel("step")
            axis.set_ylabel("loss (nats)")
    courses = [_course(_title(key), logs.dropna(subset=[key]).groupby("step")[key].mean()) for key in losses]
    figure.alt = alt_text.compose(f"Mean over {len(histories)} seed{'s' * (len(histories) != 1)}.", *courses)
    return figure


def _title(key: str) -> str:
    return _LOSSES.get(key, key.replace("_", " "))


def _course(title: str, mean: pd.Series) -> str:
    """From where to where a loss went."""
    return f"{title}: {mean.iloc[0]:.2f} at step {mean.index[0]:g}, {mean.iloc[-1]:.2f} at step {mean.index[-1]:g}."


_LOSSES = {"loss": "Joint loss", "loss_mlm": "Masked-LM loss", "loss_classification": "Classification loss"}


def cell_accuracies(runs: pd.DataFrame) -> Drawing:
    """The accuracy of one cell on each set: a point a seed, the mean, its 95 % t interval over seeds.

    `runs`: a row a seed with the columns seed and accuracy/<set>, in the order in which the sets shall be drawn.
    """
    columns = [column for column in runs if column.startswith("accuracy/") and runs[column].notna().any()]
    if not columns:
        return panels.text_figure("This cell has no finished run.")
    style = theme.mark("Mask-tuning" if _is_mask_tuning(runs) else "fine-tuning", [])
    rows = [_cell_row(column.removeprefix("accuracy/"), 100 * runs[column].dropna()) for column in columns]
    with theme.apply_theme():
        figure = Drawing(figsize=(6.0, 1.1 + 0.36 * len(columns)), layout="constrained")
        axis = figure.subplots()
        set_rows.label_rows(axis, pd.DataFrame({"set": [row["set"] for row in rows], "kind": ""}))
        for height, row in enumerate(rows):
            heights = height + 0.18 + set_rows.jitter(runs.loc[row["values"].index, "seed"])
            axis.scatter(row["values"], heights, s=12, color=style.colour, alpha=0.4, linewidths=0)
            draw_horizontal(axis, row["accuracy"], (row["low"], row["high"]), height, style, row["seeds"])
        axis.set_xlabel("accuracy (%)")
        marks.add_legend(
            figure, [*marks.seed_handles(pd.Series([row["seeds"] for row in rows])), marks.dot_handle("one seed")]
        )
    where = lambda row: names.evaluation_set(row["set"])  # noqa: E731
    figure.alt = alt_text.compose(
        f"Mean accuracy of one cell: {alt_text.value_range(pd.DataFrame(rows), 'accuracy', where, ' %')}."
    )
    return figure


def _cell_row(name: str, values: pd.Series) -> dict[str, Any]:
    estimate = intervals.mean_over_seeds(values).within(0, 100)
    numbers = {"accuracy": estimate.mean, "low": estimate.low, "high": estimate.high, "seeds": estimate.seeds}
    return {"set": name, "values": values, **numbers}


def single_runs(runs: pd.DataFrame) -> Drawing:
    """Runs without repetition: a row a set, a mark a method, the 95 % Wilson interval over the examples of the set.

    `runs`: the columns set, kind, method, examples, accuracy (a share), a row for each set and method.
    """
    methods = list(dict.fromkeys(runs["method"]))
    sets = runs.drop_duplicates("set")
    with theme.apply_theme():
        figure = Drawing(figsize=(6.4, 1.0 + set_rows.ROW * len(sets)), layout="constrained")
        axis = figure.subplots()
        set_rows.label_rows(axis, sets)
        for row in runs.itertuples():
            height = list(sets["set"]).index(row.set) + set_rows.row_offsets(len(methods))[methods.index(row.method)]
            low, high = intervals.wilson(row.accuracy, row.examples)
            draw_horizontal(
                axis, 100 * row.accuracy, (100 * low, 100 * high), height, theme.mark(row.method, methods), 1
            )
        axis.set_xlabel("accuracy (%), interval over examples")
        handles = [marks.method_handle(theme.mark(method, methods), method) for method in methods]
        marks.add_legend(figure, [*handles, *marks.seed_handles(pd.Series([1]))])
    where = lambda row: names.evaluation_set(row["set"])  # noqa: E731
    shares = runs.assign(accuracy=100 * runs["accuracy"])
    spans = [
        f"{method} {alt_text.value_range(shares[shares['method'] == method], 'accuracy', where, ' %')}."
        for method in methods
    ]
    figure.alt = alt_text.compose("Accuracy of single runs.", *spans)
    return figure


def _is_mask_tuning(runs: pd.DataFrame) -> bool:
    return "method" in runs and bool((runs["method"] == "mask_tuning").any())
