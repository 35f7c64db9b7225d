"""What tuning tried and chose: the table of chosen settings, and what more trials would have bought."""

import json

import numpy as np
import pandas as pd

from masktune.analysis import names
from masktune.analysis.plotting import alt_text as findings
from masktune.analysis.plotting import panels, theme
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.table import Table, count
from masktune.errors import MaskTuneError
from masktune.study.paths import trials_file
from masktune.study.plan.trials import COLUMNS

OTHERS = "other methods"


def read(study: str) -> pd.DataFrame:
    """Every trial of a study that has been tuned: plan.trials.COLUMNS. Raises MaskTuneError where it has not."""
    path = trials_file(study)
    if not path.is_file():
        raise MaskTuneError(f"{path} does not exist; run: python -m masktune tune {study}")
    return pd.read_csv(path)[list(COLUMNS)]


def table(found: pd.DataFrame) -> Table:
    """The chosen settings of each method and model, a column for each task, with the validation accuracy they had."""
    chosen = found[found["chosen"]]
    texts = [f"{_words(row.settings)} ({100 * row.validation:.1f})" for row in chosen.itertuples()]
    cells = chosen.assign(text=texts, model=chosen["model"].map(names.model), task=chosen["task"].map(names.task))
    wide = cells.pivot_table(index=["label", "model"], columns="task", values="text", aggfunc="first", sort=False)
    wide = wide.fillna("\N{EN DASH}").reset_index().rename_axis(columns=None)
    caption = (
        f"The best of {count(found.groupby(['label', 'model', 'task']).size(), 'trial')} for each method, model and "
        "task, with its accuracy in per cent on in-distribution validation, one run a trial on a seed that is in no "
        "result; what varies between trials: the settings named."
    )
    return Table(
        "tuned", "What tuning chose", caption, found, wide.rename(columns={"label": "Method", "model": "Model"})
    )


def _words(settings: str) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in json.loads(settings).items())


def expected_maximum(values: np.ndarray) -> np.ndarray:
    """The expected best of n trials for n = 1 ... N, from N values: the mean over all draws with replacement [N].

    Dodge et al. 2019 (Show your work), section 3.1.
    """
    ordered, total = np.sort(np.asarray(values, dtype=float)), len(values)
    share = np.arange(total + 1) / total
    return np.array([(ordered * np.diff(share**n)).sum() for n in range(1, total + 1)])


def curves(found: pd.DataFrame, model: str, shown: list[str]) -> Drawing:
    """The expected best validation accuracy by the number of trials, a panel a task; `shown` in colour, others grey."""
    own = found[found["model"] == model]
    tasks = list(dict.fromkeys(own["task"]))
    if not tasks:
        return panels.alone(f"Nothing was tuned for {names.model(model)}.")
    with theme.applied():
        figure, axes = panels.side_by_side(len(tasks))
        for axis, task in zip(axes, tasks, strict=True):
            by_label = own[own["task"] == task].groupby("label", sort=False)["validation"]
            for label, values in sorted(by_label, key=lambda item: item[0] in shown):
                best = 100 * expected_maximum(values.to_numpy())
                look = {"color": theme.QUIET, "linewidth": 0.8, "alpha": 0.6, "label": OTHERS}
                if label in shown:
                    look = {"color": theme.mark(label, shown).colour, "linewidth": 1.8, "label": label}
                axis.plot(np.arange(1, len(best) + 1), best, marker="o", markersize=3, **look)
            axis.set_title(f"{names.task(task)}, {names.model(model)}", pad=8)
            axis.set(xlabel="trials", xticks=range(1, len(best) + 1))
        axes[0].set_ylabel("expected best validation accuracy (%)")
        handles = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
        panels.legend(figure, list(handles.values()))
    best = own.groupby(["label", "task"], sort=False)["validation"].max().mul(100).rename("accuracy").reset_index()
    ends = findings.span(best, "accuracy", lambda row: f"{row['label']}, {names.task(row['task'])}", " %")
    figure.alt = findings.alt(f"Best validation accuracy of all trials, {names.model(model)}: {ends}.")
    return figure


def sentences(found: pd.DataFrame, plain: str, ours: str) -> list[str]:
    """How far validation accuracy depends on the settings, and which learning rate `ours` wants beside `plain`."""
    spread = 100 * found.groupby(["label", "model", "task"], sort=False)["validation"].agg(np.ptp)
    chosen = found[found["chosen"]].set_index(["label", "model", "task"])["settings"]
    rates = chosen.map(lambda settings: json.loads(settings)["learning_rate"])
    ratio = (rates[ours] / rates[plain]).dropna()
    return [
        f"Between the worst and the best trial of one method lie {spread.median():.1f} points of validation accuracy "
        f"in the median over methods, models and tasks, and {spread.max():.1f} at most.",
        f"In {len(ratio)} places (model x task) {ours} was given a smaller learning rate than {plain} "
        f"{(ratio < 1).sum()} times, the same {(ratio == 1).sum()} times and a larger one {(ratio > 1).sum()} times.",
    ]
