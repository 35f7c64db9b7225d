"""Figures of the cost: training time by the size of the model and by the number of examples."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from masktune.analysis import names, provenance
from masktune.analysis.cost import numbers
from masktune.analysis.cost.formatting import digits
from masktune.analysis.plotting import alt_text, marks, panels, theme, value_axis
from masktune.analysis.plotting.theme import Drawing


def by_size(runs: pd.DataFrame) -> Drawing:
    """Training time of an example by the parameters of the model: a panel per task, a line per method."""
    each = numbers.per_run(_main(runs)).dropna(subset=["parameters", "seconds_per_example"])
    if each.empty:
        return panels.text_figure("No finished run says how many parameters its model has; runs made from now on do.")
    each = each.assign(x=each["parameters"] / 1e6, y=1000 * each["seconds_per_example"])
    each = each.assign(panel=provenance.add_to_titles(each["task"].map(names.task), each))
    return _lines(each, "parameters (millions)", "training time an example (ms)")


def by_data(runs: pd.DataFrame) -> Drawing:
    """Training time of a run by the examples it reads: a panel per model, a line per method."""
    each = numbers.per_run(_main(runs)).dropna(subset=["train_examples", "train_seconds"])
    if each.empty:
        return panels.text_figure("No finished run says how long it trained.")
    each = each.assign(x=each["train_examples"], y=each["train_seconds"])
    each = each.assign(panel=provenance.add_to_titles(each["model"].map(names.model), each))
    return _lines(each, "examples read in training", "training time of a run (s)")


def _main(runs: pd.DataFrame) -> pd.DataFrame:
    """The main rows of the study, if its runs name their part: a figure has room for a handful of methods."""
    return runs[runs["part"] == "main"] if "part" in runs else runs


def _lines(each: pd.DataFrame, across: str, upwards: str) -> Drawing:
    """Every run as a pale point, the geometric mean at each x as a mark on a line; both axes logarithmic."""
    titles, methods = list(dict.fromkeys(each["panel"])), names.methods_in_order(each)
    by_mark = each.groupby(["panel", "label", "x"], sort=False)
    means = by_mark.agg(level=("y", numbers.geometric_mean), seeds=("seed", "nunique")).reset_index()
    with theme.apply_theme():
        figure, axes = panels.side_by_side(len(titles), 3.1, 3.0, sharey=True)
        for axis, title in zip(axes, titles, strict=True):
            for method in methods:
                points, mean = (
                    frame[(frame["panel"] == title) & (frame["label"] == method)] for frame in (each, means)
                )
                _method(axis, points, mean, theme.mark(method, methods))
            _logarithmic(axis, each)
            axis.set(title=title, xlabel=across)
        for axis in axes[:: panels.PER_LINE]:
            axis.set_ylabel(upwards)
        handles = [marks.method_handle(theme.mark(method, methods), method) for method in methods]
        marks.add_legend(figure, [*handles, marks.dot_handle("one run"), *marks.seed_handles(means["seeds"])])
    where = lambda row: f"{row['label']}, {row['panel']}, at {digits(row['x'])}"  # noqa: E731
    figure.alt = alt_text.compose(f"Mean {upwards} by {across}: {alt_text.value_range(means, 'level', where)}.")
    return figure


def _method(axis: Axes, points: pd.DataFrame, means: pd.DataFrame, style: theme.Mark) -> None:
    """The runs of one method in one panel, and their means."""
    means = means.sort_values("x")
    axis.scatter(points["x"], points["y"], s=11, color=style.colour, alpha=0.35, linewidths=0)
    axis.plot(means["x"], means["level"], color=style.colour, linewidth=1.4)
    for row in means.itertuples():
        axis.plot([row.x], [row.level], linestyle="", **marks.marker_style(style, row.seeds))


def _logarithmic(axis: Axes, each: pd.DataFrame) -> None:
    value_axis.ValueAxis(each["x"], digits, log=True).draw(axis)
    axis.set(ylim=(each["y"].min() / 1.15, each["y"].max() * 1.15), yscale="log")
    axis.yaxis.set(major_locator=LogLocator(subs=(1, 2, 3, 5, 7)), minor_locator=NullLocator())
    axis.yaxis.set_major_formatter(lambda value, _: digits(value))
