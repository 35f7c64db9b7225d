"""A study in a few sentences: its data, models, examples and seeds, and the settings of training its methods share."""

import json
from collections.abc import Iterable

import pandas as pd

from masktune import data
from masktune.analysis import names, provenance
from masktune.analysis.formatting import count
from masktune.models.spec import ModelSpec
from masktune.study.design.study import Study
from masktune.study.store.gather import TRAINING


def what_it_is(study: Study, main: pd.DataFrame, runs: pd.DataFrame) -> list[str]:
    """Data, models, numbers of examples and seeds of a study, and what its numbers are not."""
    sizes = {study.task_training[task].train_examples for task in main["task"].unique()}
    trained = " or ".join(f"{size:,}" if size else "all available" for size in sorted(sizes, key=str))
    done = int((runs["status"] == "done").sum())
    models = f"Models: {', '.join(_model(model, runs) for model in study.models)}."
    if not done:
        return [models, f"No run of the {len(runs)} that are declared is in yet: there is nothing to show."]
    sentences = [
        models,
        f"Tasks: {', '.join(names.task(task).lower() for task in main['task'].unique())}; trained on {trained} "
        f"examples, evaluated on sets of {count(main['examples'], 'example')}.",
        f"{done} of {len(runs)} runs are in; {count(main['seeds'], 'seed')} for each number."
        f"{provenance.mixed_note(runs)}{provenance.neutral_note(runs)}",
    ]
    return [*sentences, *(_data_read(runs) if study.data == "real" else []), NOT_THE_PAPER[study.data]]


def _model(model: ModelSpec, runs: pd.DataFrame) -> str:
    """Title, checkpoint, and the number of parameters where the runs say it."""
    own = runs.loc[runs["model"] == model.name]
    parameters = own["parameters"].dropna() if "parameters" in own else own.iloc[:0]
    size = f", {count(parameters, 'parameter')}" if len(parameters) else ""
    return f"{names.model(model.name)} ({model.checkpoint}{size})"


def _data_read(runs: pd.DataFrame) -> list[str]:
    """Which sets the runs read in part, with what their cards note, and which whole; which runs do not say it."""
    done = runs[runs["status"] == "done"]
    stored = done["digests"] if "digests" in done else pd.Series(None, done.index, dtype=object)
    read = {name: digest for each in stored.dropna().unique() for name, digest in json.loads(each).items()}
    silent = done.loc[stored.isna(), "task"].unique()
    sentences = [f"Read in part: {note}." for note in data.notes(read)]
    if whole := [card.title for card in data.cards("real") if card.name in read]:
        sentences.append(f"Read whole: {'; '.join(whole)}.")
    tasks = ", ".join(names.task(task).lower() for task in silent)
    return [*sentences, f"Some stored runs do not say which files they read ({tasks})."] if tasks else sentences


NOT_THE_PAPER = {
    "embedded": "The data are made on the spot: a small English-like world with known spurious cues, and small models "
    "pre-trained on it. These are not the paper's numbers and say nothing about its data sets.",
    "real": "The data are public copies of the sets that the paper names; what was read of them, the model and the "
    "training are those named here. Only where they equal the paper's can a number be held against the published one.",
}


def settings(study: Study, runs: pd.DataFrame) -> list[str]:
    """Which settings of training the main methods share, and whether they were searched."""
    main = runs[(runs["part"] == "main") & (runs["status"] == "done")]
    columns = [f"training/{name}" for name in TRAINING]
    trained = main.drop_duplicates([*_PLACE, "label"]).set_index([*_PLACE, "label"])[columns]
    sentences = [_compare_settings(*pair, trained) for pair in names.pairs_in_order(main)]
    if study.tuning is None or not study.chosen:
        return [*sentences, "No setting was searched: the better of two methods is the better at these settings."]
    return [
        *sentences,
        f"Searched for each method, model and task: {_join(study.tuning.space)}, in "
        f"{count(pd.Series([study.tuning.trials]), 'trial')} judged by in-distribution validation alone.",
    ]


_PLACE = ["model", "task"]


def _compare_settings(plain: str, other: str, trained: pd.DataFrame) -> str:
    """At how many model x task two methods were trained alike, and which settings differ at the others."""
    pairs = [trained.xs(label, level="label") for label in (plain, other)]
    places = pairs[0].index.intersection(pairs[1].index)
    first, second = (pair.loc[places].astype(object) for pair in pairs)
    differs = first.ne(second) & (first.notna() | second.notna())
    alike = f"The same settings of training for {plain} and {other} in"
    if not differs.any(axis=None):
        return f"{alike} {count(pd.Series([len(places)]), 'place')} (model x task)."
    changed = [column.partition("/")[2] for column in differs if differs[column].any()]
    return (
        f"{alike} {int((~differs.any(axis=1)).sum())} of {count(pd.Series([len(places)]), 'place')} (model x task); "
        f"elsewhere they differ in: {_join(changed)}."
    )


def _join(settings: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in settings)
