"""The trials by which a study is tuned: a study of their own, how they are judged, and what is kept of them.

The trials run as the study <name>-tuning. For each label, model and task the best is kept in studies/tuned/<name>.toml,
which `masktune.study.design.load` reads.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masktune.data import EVALUATION
from masktune.errors import MaskTuneError
from masktune.files import write_file
from masktune.records import require
from masktune.study.design.grid import GridRow, Variant
from masktune.study.design.study import Study
from masktune.study.design.tuning import Tuning, settings_of, tuned_rows, with_settings
from masktune.study.paths import tuned_folder

if TYPE_CHECKING:
    import pandas

SUFFIX = "-tuning"
COLUMNS = ("label", "model", "task", "trial", "settings", "validation", "chosen")


def study_of_trials(study: Study) -> Study:
    """The trials of a study as a study. Raises MaskTuneError where it declares no tuning, or a seed of its own."""
    tuning = _tuning_of(study)
    own = {seed for cell in study.cells for seed in cell.seeds} & set(tuning.seeds)
    require(not own, "[tuning] seeds", list(tuning.seeds), "seeds that the study itself does not use")
    rows = tuple(
        replace(row, variants=tuple(variant for _, variant in _trials(tuning, row)), seeds=tuning.seeds)
        for row in tuned_rows(study.grid)
    )
    # Trials are judged by their result in distribution alone.
    last = {task: replace(training, readings="last") for task, training in study.task_training.items()}
    return replace(
        study, name=f"{study.name}{SUFFIX}", grid=rows, model_seeds={}, task_training=last,
        claims=(), tuning=None, chosen={}, diversity=None, gates=None,
    )  # fmt: skip


def _tuning_of(study: Study) -> Tuning:
    if study.tuning is None:
        raise MaskTuneError(f"the study {study.name!r} declares no tuning; add a [tuning] table to its file")
    return study.tuning


def _trials(tuning: Tuning, row: GridRow) -> Iterator[tuple[dict[str, Any], Variant]]:
    for number, settings in enumerate(settings_of(tuning, row), 1):
        variant = with_settings(row.method, row.variants[0], settings)
        yield settings, replace(variant, label=f"{row.label}, trial {number}")


def judge(study: Study, runs: "pandas.DataFrame") -> "pandas.DataFrame":
    """A row for each label, model, task and trial: COLUMNS; `runs` are the gathered ones of `study_of_trials(study)`.

    `validation` is the mean accuracy (a share) over seeds and in-distribution sets, and nothing else of a run is looked
    at; of equal trials the first is chosen. A trial that failed has accuracy 0, as one that learned nothing.
    Raises MaskTuneError for a trial without a run.
    """
    import pandas

    places = ((row, model, task) for row in tuned_rows(study.grid) for model in row.models for task in row.tasks)
    rows = [row for place in places for row in _judge_row(study, *place, runs)]
    frame = pandas.DataFrame(rows, columns=COLUMNS[:-1])
    best = frame.groupby(["label", "model", "task"], sort=False)["validation"].idxmax()
    return frame.assign(chosen=frame.index.isin(best))


def _judge_row(study: Study, row: GridRow, model: str, task: str, runs: "pandas.DataFrame") -> Iterator[tuple]:
    inside = [f"accuracy/{name}" for name, kind in EVALUATION[study.data][task].items() if kind == "in_distribution"]
    for number, (settings, variant) in enumerate(_trials(_tuning_of(study), row), 1):
        own = runs[(runs["label"] == variant.label) & (runs["model"] == model) & (runs["task"] == task)]
        if own["status"].isin(("missing", "damaged")).any():
            raise MaskTuneError(f"{variant.label!r} has not run on {model}, {task}; run: python -m masktune tune again")
        if len(own):
            accuracy = own[inside].fillna(0.0).to_numpy().mean()
            yield row.label, model, task, number, json.dumps(settings), float(accuracy)


def write(study: Study, trials: "pandas.DataFrame") -> tuple[Path, Path]:
    """Write a table of trials to studies/tuned/<name>.csv and the choice to the TOML file next to it."""
    table, choice = (tuned_folder(study.name) / f"{study.name}{suffix}" for suffix in (".csv", ".toml"))
    write_file(table, trials.to_csv(index=False))
    write_file(choice, chosen_text(study, trials))
    return table, choice


def chosen_text(study: Study, trials: "pandas.DataFrame") -> str:
    """The text of studies/tuned/<name>.toml from a table of trials."""
    lines = [
        f"# Chosen by `python -m masktune tune {study.name}`: for each label, model and task the best of",
        f"# {_tuning_of(study).trials} trials by accuracy on the in-distribution validation sets alone.",
    ]
    for (model, task), best in trials[trials["chosen"]].groupby(["model", "task"], sort=False):
        lines += ["", f"[{model}.{task}]"]
        lines += [f"{json.dumps(row.label)} = {_inline(json.loads(row.settings))}" for row in best.itertuples()]
    return "\n".join(lines) + "\n"


def _inline(settings: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{name} = {json.dumps(value)}" for name, value in settings.items()) + " }"
