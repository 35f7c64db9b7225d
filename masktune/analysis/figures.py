"""The figures. Each takes frames of `tables` and returns a matplotlib Figure that a notebook shows."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from masktune.analysis import names, statistics, theme
from masktune.analysis.theme import Drawing

_ROW = 0.46  # inches that one set takes
_SPREAD = 0.30  # how far apart two methods lie on the row of a set


def accuracies(seeds: pd.DataFrame, main: pd.DataFrame) -> Drawing:
    """In- and out-of-distribution accuracy: a column a task, a row a model; every seed, the mean, its 95 % interval."""
    tasks, models = list(dict.fromkeys(main["task"])), list(dict.fromkeys(main["model"]))
    methods = list(dict.fromkeys(main["method"]))
    with theme.applied():
        figure, axes = _grid(main, models, tasks)
        for row, model in enumerate(models):
            for column, task in enumerate(tasks):
                axis = axes[row, column]
                _accuracy_panel(axis, _at(seeds, model, task), _at(main, model, task), methods)
                if row == 0:
                    axis.set_title(names.task(task), pad=8)
                if row == len(models) - 1:
                    axis.set_xlabel("accuracy (%)")
            axes[row, 0].set_ylabel(names.model(model), color=theme.INK, weight="bold", labelpad=10)
        _legend(figure, methods, main["seeds"])
    figure.alt = "Accuracy of each method on each set, by task and model: every seed, the mean and its interval"
    return figure


def _grid(main: pd.DataFrame, models: Sequence[str], tasks: Sequence[str]) -> tuple[Drawing, np.ndarray]:
    """One panel for each model and task, wide enough for names of sets, high enough for their number."""
    most = main.groupby(["model", "task"], observed=True)["set"].nunique().max()
    row = _ROW + 0.16 * max(0, main["method"].nunique() - 2)
    size = (1.2 + 3.5 * max(len(tasks), 1.5), 0.75 + len(models) * (row * most + 0.3))
    figure = Drawing(figsize=size, layout="constrained")
    figure.get_layout_engine().set(hspace=0.04, wspace=0.03)
    return figure, figure.subplots(len(models), len(tasks), squeeze=False, sharex="col")


def _at(frame: pd.DataFrame, model: str, task: str) -> pd.DataFrame:
    return frame[(frame["model"] == model) & (frame["task"] == task)]


def _accuracy_panel(axis: Axes, seeds: pd.DataFrame, main: pd.DataFrame, methods: list[str]) -> None:
    sets = list(dict.fromkeys(main["set"]))
    _set_rows(axis, main.drop_duplicates("set"))
    for name, level in main.drop_duplicates("set").set_index("set")["majority"].items():
        row = sets.index(name)
        axis.plot([level, level], [row - 0.42, row + 0.42], color=theme.QUIET, linewidth=0.9, linestyle=(0, (1, 1.4)))
    for method, offset in zip(methods, _offsets(len(methods)), strict=True):
        style = theme.mark(method, methods)
        points = seeds[(seeds["method"] == method) & seeds["set"].isin(sets)]
        # Beside the interval and not on it: outwards for two methods, below for the one in the middle.
        heights = points["set"].map(sets.index) + offset + (0.1 if offset >= 0 else -0.1) + _jitter(points["seed"]) / 2
        axis.scatter(points["accuracy"], heights, s=11, color=style.colour, alpha=0.35, linewidths=0, zorder=2)
        for row in main[main["method"] == method].itertuples():
            _interval(axis, row.accuracy, row.low, row.high, sets.index(row.set) + offset, style)
    axis.margins(x=0.06)


def _set_rows(axis: Axes, sets: pd.DataFrame) -> None:
    """The names of the sets from top to bottom, a pale band behind those that are in-distribution."""
    axis.set_yticks(range(len(sets)), [names.evaluation_set(name) for name in sets["set"]])
    axis.set_ylim(len(sets) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
    for row, kind in enumerate(sets["kind"]):
        if kind == "in_distribution":
            axis.axhspan(row - 0.5, row + 0.5, color=theme.BAND, linewidth=0, zorder=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)


def _offsets(count: int) -> np.ndarray:
    """Where so many methods lie around the middle of a row."""
    return (np.arange(count) - (count - 1) / 2) * (_SPREAD if count < 3 else 0.5 / (count - 1))


def _jitter(seeds: pd.Series) -> np.ndarray:
    """A small, fixed shift for each seed, so that equal accuracies stay visible."""
    return ((seeds.to_numpy() * 7) % 10 - 4.5) / 10 * 0.12


def _interval(axis: Axes, mean: float, low: float, high: float, height: float, style: theme.Mark) -> None:
    """A mean and its interval at one height."""
    if not np.isnan(low):
        axis.plot([low, high], [height, height], color=style.colour, linewidth=1.8, solid_capstyle="round", zorder=3)
    axis.plot(
        mean,
        height,
        style.marker,
        color=style.colour,
        markersize=6,
        markeredgecolor="white",
        markeredgewidth=0.9,
        zorder=4,
    )


def _legend(figure: Drawing, methods: list[str], seeds: pd.Series) -> None:
    handles = [_handle(theme.mark(method, methods), method) for method in methods]
    if seeds.max() > 1:
        handles.append(_dot("one seed"))
        handles.append(Line2D([], [], color=theme.QUIET, linewidth=1.8, label="95 % interval of the mean"))
    handles.append(Line2D([], [], color=theme.QUIET, linewidth=0.9, linestyle=(0, (1, 1.4)), label="constant answer"))
    wide = figure.get_size_inches()[0] > 8
    figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=len(handles) if wide else 3,
        handletextpad=0.5,
        columnspacing=1.6,
    )


def _handle(style: theme.Mark, label: str) -> Line2D:
    return Line2D(
        [],
        [],
        marker=style.marker,
        color=style.colour,
        linewidth=1.8,
        markersize=6.5,
        markeredgecolor="white",
        label=label,
    )


def _dot(label: str, **look: object) -> Line2D:
    """A point in the legend."""
    return Line2D([], [], **{"marker": "o", "color": theme.QUIET, "markersize": 3.5, **look}, linestyle="", label=label)


def _signed(value: float, _: int) -> str:
    """A tick of an axis of differences."""
    return f"{value:+g}".replace("-", "\N{MINUS SIGN}") if value else "0"


def differences(frame: pd.DataFrame) -> Drawing:
    """A forest plot: paired differences from the first method, a column a task, 95 % intervals, zero in the middle."""
    if frame.empty:
        return _nothing_to_compare()
    tasks, methods = list(dict.fromkeys(frame["task"])), [frame["first"].iloc[0], *dict.fromkeys(frame["second"])]
    rows = {task: frame[frame["task"] == task].drop_duplicates(["set", "model"]) for task in tasks}
    rows = {task: part.sort_values("set", key=lambda s: s.map(_order(s)), kind="stable") for task, part in rows.items()}
    most = max(len(part) for part in rows.values())
    with theme.applied():
        figure = Drawing(figsize=(1.2 + 3.5 * max(len(tasks), 1.5), 1.1 + 0.33 * most), layout="constrained")
        axes = figure.subplots(1, len(tasks), squeeze=False, sharex=True)[0]
        for axis, task in zip(axes, tasks, strict=True):
            _forest(axis, rows[task], frame[frame["task"] == task], methods)
            axis.set_title(names.task(task), pad=8)
            axis.set_xlabel(f"difference from {methods[0]} (points)")
        handles = [_handle(theme.mark(method, methods), method) for method in methods[1:]]
        handles.append(Line2D([], [], color=theme.QUIET, linewidth=1.8, label="95 % interval over seeds and examples"))
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
    figure.alt = "Paired differences in accuracy from the first method, with 95 % intervals, by task, set and model"
    return figure


def _nothing_to_compare() -> Drawing:
    """In place of differences while one method alone has finished runs."""
    with theme.applied():
        figure = Drawing(figsize=(4.0, 0.5))
        figure.text(0, 0.5, "No second method has finished runs yet.", color=theme.QUIET)
    figure.alt = "Nothing to compare: no second method has finished runs yet"
    return figure


def _order(sets: pd.Series) -> dict[str, int]:
    return {name: i for i, name in enumerate(dict.fromkeys(sets))}


def _forest(axis: Axes, rows: pd.DataFrame, frame: pd.DataFrame, methods: list[str]) -> None:
    places = list(zip(rows["set"], rows["model"], strict=True))
    several = frame["model"].nunique() > 1
    labels = [
        names.evaluation_set(name) + (f" \N{MIDDLE DOT} {names.model(model)}" if several else "")
        for name, model in places
    ]
    _set_rows(axis, rows)
    axis.set_yticks(range(len(places)), labels)
    axis.axvline(0, color=theme.QUIET, linewidth=0.9, zorder=1)
    offsets = _offsets(len(methods) - 1)
    for row in frame.itertuples():
        height = places.index((row.set, row.model)) + offsets[methods.index(row.second) - 1]
        _interval(axis, row.difference, row.low, row.high, height, theme.mark(row.second, methods))
    axis.xaxis.set_major_formatter(_signed)
    axis.set_ylim(max(len(places), 1) - 0.5, -0.5)


def predicted(differences: pd.DataFrame, prediction: Mapping[str, float]) -> Drawing:
    """What the reader expected beside what was seen: the mean difference out of distribution, a row a task.

    `prediction`: points by task; tasks left out are drawn without one. Small points: each model x set.
    """
    frame = differences[differences["kind"] == "out_of_distribution"]
    if frame.empty:
        return _nothing_to_compare()
    tasks = list(dict.fromkeys(frame["task"]))
    methods = [frame["first"].iloc[0], *dict.fromkeys(frame["second"])]
    with theme.applied():
        figure = Drawing(figsize=(6.4, 1.2 + 0.55 * len(tasks)), layout="constrained")
        axis = figure.subplots()
        _set_rows(axis, pd.DataFrame({"set": tasks, "kind": ""}))
        axis.set_yticks(range(len(tasks)), [names.task(task) for task in tasks])
        axis.axvline(0, color=theme.QUIET, linewidth=0.9, zorder=1)
        for method, offset in zip(methods[1:], _offsets(len(methods) - 1), strict=True):
            _observed(axis, frame[frame["second"] == method], tasks, offset, theme.mark(method, methods))
        for task in (task for task in tasks if prediction.get(task) is not None):
            axis.plot(
                prediction[task], tasks.index(task), "|", color=theme.INK, markersize=22, markeredgewidth=2, zorder=5
            )
        axis.set_xlabel(f"mean difference from {methods[0]}, out of distribution (points)")
        handles = [_handle(theme.mark(method, methods), f"observed, {method}") for method in methods[1:]]
        handles += [
            _dot("one model and set"),
            _dot("predicted", marker="|", color=theme.INK, markersize=11, markeredgewidth=2),
        ]
        axis.xaxis.set_major_formatter(_signed)
        figure.legend(handles=handles, loc="outside upper left", ncols=min(3, len(handles)))
    figure.alt = "Predicted and observed mean differences out of distribution, by task"
    return figure


def _observed(axis: Axes, frame: pd.DataFrame, tasks: list[str], offset: float, style: theme.Mark) -> None:
    heights = frame["task"].map(tasks.index) + offset
    axis.scatter(frame["difference"], heights, s=14, color=style.colour, alpha=0.4, linewidths=0, zorder=2)
    for task, mean in frame.groupby("task", sort=False, observed=True)["difference"].mean().items():
        _interval(axis, mean, float("nan"), float("nan"), tasks.index(task) + offset, style)


def learning_curve(histories: Mapping[int, Sequence[Mapping[str, float]]]) -> Drawing:
    """Each loss that the Trainer logged against the step: a thin line a seed, the mean over seeds thick.

    `histories`: the Trainer's `log_history` by seed. Every key that begins with "loss" is drawn in a panel of its own.
    """
    logs = pd.DataFrame([{"seed": seed, **entry} for seed, history in histories.items() for entry in history])
    losses = [key for key in logs if key.startswith("loss") and pd.api.types.is_numeric_dtype(logs[key])]
    with theme.applied():
        figure = Drawing(figsize=(3.3 * max(len(losses), 1), 2.5), layout="constrained")
        for axis, key in zip(figure.subplots(1, max(len(losses), 1), squeeze=False)[0], losses, strict=False):
            points = logs.dropna(subset=[key])
            for _, one in points.groupby("seed"):
                axis.plot(one["step"], one[key], color=theme.FAINT, linewidth=1)
            mean = points.groupby("step")[key].mean()
            axis.plot(mean.index, mean, color=theme.mark("fine-tuning", []).colour, linewidth=1.8)
            axis.set_title(_LOSSES.get(key, key.replace("_", " ")))
            axis.set_xlabel("step")
            axis.set_ylabel("loss (nats)")
    figure.alt = "Each logged loss against the training step, by seed"
    return figure


_LOSSES = {"loss": "Joint loss", "loss_mlm": "Masked-LM loss", "loss_classification": "Classification loss"}


def cell_accuracies(runs: pd.DataFrame) -> Drawing:
    """The accuracy of one cell on each set: a point a seed, the mean, its 95 % t interval over seeds.

    `runs`: a row a seed with the columns seed and accuracy/<set>, in the order in which the sets shall be drawn.
    """
    columns = [column for column in runs if column.startswith("accuracy/") and runs[column].notna().any()]
    style = theme.mark("Mask-tuning" if _is_mask_tuning(runs) else "fine-tuning", [])
    with theme.applied():
        figure = Drawing(figsize=(6.0, 0.8 + 0.36 * max(len(columns), 1)), layout="constrained")
        axis = figure.subplots()
        _set_rows(axis, pd.DataFrame({"set": [column.removeprefix("accuracy/") for column in columns], "kind": ""}))
        for row, column in enumerate(columns):
            values = 100 * runs[column].dropna()
            axis.scatter(
                values, row + _jitter(runs.loc[values.index, "seed"]), s=12, color=style.colour, alpha=0.4, linewidths=0
            )
            estimate = statistics.mean_over_seeds(values).within(0, 100)
            _interval(axis, estimate.mean, estimate.low, estimate.high, row, style)
        axis.set_xlabel("accuracy (%)")
    figure.alt = "Accuracy of one cell on each set: every seed, the mean and its interval"
    return figure


def single_runs(runs: pd.DataFrame) -> Drawing:
    """Runs without repetition: a row a set, a mark a method, the 95 % Wilson interval over the examples of the set.

    `runs`: the columns set, kind, method, examples, accuracy (a share), a row for each set and method.
    """
    methods = list(dict.fromkeys(runs["method"]))
    sets = runs.drop_duplicates("set")
    with theme.applied():
        figure = Drawing(figsize=(6.4, 1.0 + _ROW * len(sets)), layout="constrained")
        axis = figure.subplots()
        _set_rows(axis, sets)
        for row in runs.itertuples():
            height = list(sets["set"]).index(row.set) + _offsets(len(methods))[methods.index(row.method)]
            low, high = statistics.wilson(row.accuracy, row.examples)
            _interval(axis, 100 * row.accuracy, 100 * low, 100 * high, height, theme.mark(row.method, methods))
        axis.set_xlabel("accuracy (%), interval over examples")
        handles = [_handle(theme.mark(method, methods), method) for method in methods]
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
    figure.alt = "Accuracy of single runs on each set, with Wilson intervals over examples"
    return figure


def _is_mask_tuning(runs: pd.DataFrame) -> bool:
    return "method" in runs and bool((runs["method"] == "mask_tuning").any())
