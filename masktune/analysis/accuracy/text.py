"""Sentences about a study, made from its tables: nobody types a number into a notebook."""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from masktune import data
from masktune.analysis import names
from masktune.analysis import provenance as origins
from masktune.analysis.claims import tables as claim_tables
from masktune.analysis.claims.numbers import VERDICTS
from masktune.analysis.table import count, interval, number, seeds_note
from masktune.errors import one_of
from masktune.study.store.gather import TRAINING

if TYPE_CHECKING:
    from masktune.study.spec.cells import Model
    from masktune.study.spec.study import Study

NO_DIFFERENCES = "There is nothing to compare yet: no second method has finished runs on the first one's seeds."


def sentences(differences: pd.DataFrame) -> list[str]:
    """What the comparisons say, method by method: how often better, how sure, how far, and at what price at home."""
    if differences.empty:
        return [NO_DIFFERENCES]
    found = []
    for second, frame in differences.groupby("second", sort=False, observed=True):
        outside = frame[frame["kind"] == "out_of_distribution"]
        inside = frame[frame["kind"] == "in_distribution"]
        if len(outside):
            found += [_score(str(second), outside), _extremes(outside)]
        if len(inside):
            found.append(_at_home(str(second), inside))
    note = seeds_note(differences)
    return [*found, f"{note.strip(' ()')}, so no p value below 0.05 is possible for these rows."] if note else found


def lopsided(main: pd.DataFrame, differences: pd.DataFrame) -> list[str]:
    """Of each set where a constant answer scores far more than chance: what accuracy, and what else, says there.

    Accuracy follows there how often a method gives the commonest answer; balanced accuracy and AUROC do not.
    """
    found = []
    uneven, place = main[main["balanced"].notna()], ["task", "model", "set"]
    for key, frame in uneven.groupby(place, sort=False, observed=True):
        _, model, name = key
        below = list(frame.loc[frame["accuracy"] < frame["majority"], "method"])
        gaps = differences[(differences[place] == list(key)).all(axis=1)].set_index("second")
        found.append(
            f"{names.evaluation_set(name)} ({names.model(model)}): always giving the commonest answer would score "
            f"{number(frame['majority'].iloc[0])}; accuracy: {_values(frame)}{_below(below, len(frame))}. "
            + " ".join(_apart(frame, gaps, column, title) for column, title in BESIDE.items())
        )
    return [text.strip() for text in found]


BESIDE = {"balanced": "Balanced accuracy", "auroc": "AUROC, which no threshold moves"}


def _below(below: list[str], methods: int) -> str:
    if not below:
        return ""
    who = "all of them" if len(below) == methods else ", ".join(below)
    return f", below that for {who}: accuracy there follows how often a method gives that answer"


def _values(frame: pd.DataFrame) -> str:
    """Each method with its mean accuracy and interval."""
    cells = zip(frame["method"], frame["accuracy"], frame["low"], frame["high"], strict=True)
    return "; ".join(f"{method} ({interval(*values)})" for method, *values in cells)


def _apart(frame: pd.DataFrame, gaps: pd.DataFrame, column: str, title: str) -> str:
    """What each method has of a measure, and its difference from the first with the interval over paired seeds."""
    if frame[column].isna().all():
        return ""
    cells = []
    for method, value in zip(frame["method"], frame[column], strict=True):
        ends = [f"{column}{end}" for end in ("", "_low", "_high")]
        gap = f", {interval(*gaps.loc[method, ends], sign=True)} points" if method in gaps.index else ""
        cells.append(f"{method} ({number(value)}{gap})")
    return f"{title}: {'; '.join(cells)}."


def _score(second: str, frame: pd.DataFrame) -> str:
    """On how many comparisons the second method is ahead, and on how many the interval says so."""
    first, total = frame["first"].iloc[0], len(frame)
    ahead, above, below = (frame["difference"] > 0).sum(), (frame["low"] > 0).sum(), (frame["high"] < 0).sum()
    return (
        f"On {ahead} of {total} out-of-distribution comparisons (model x set) the mean of {second} is higher than that "
        f"of {first}; the 95 % interval of the difference lies above zero on {above}, below zero on {below} and "
        f"spans it on {total - above - below}."
    )


def _extremes(frame: pd.DataFrame) -> str:
    """The mean difference, the largest and the smallest."""
    best, worst = frame.loc[frame["difference"].idxmax()], frame.loc[frame["difference"].idxmin()]
    mean = f"The mean difference out of distribution is {_points(frame['difference'].mean())}"
    return f"{mean}." if len(frame) == 1 else f"{mean}, from {_where(worst)} to {_where(best)}."


def _at_home(second: str, frame: pd.DataFrame) -> str:
    """What happens in distribution."""
    lost = (frame["high"] < 0).sum()
    span = _points(frame["difference"].iloc[0])
    if len(frame) > 1:
        span = f"between {number(frame['difference'].min(), sign=True)} and {_points(frame['difference'].max())}"
    return (
        f"In distribution {second} differs from {frame['first'].iloc[0]} by {span}; on {lost} of {len(frame)} "
        "comparisons the interval lies below zero, a loss."
    )


def _points(value: float) -> str:
    return f"{number(value, sign=True)} points"


def _where(row: pd.Series) -> str:
    place = f"{names.model(row['model'])}, {names.evaluation_set(row['set'])}"
    return f"{number(row['difference'], sign=True)} ({place})"


def against_prediction(differences: pd.DataFrame, prediction: Mapping[str, float]) -> list[str]:
    """For each task that was predicted: what was expected, what came."""
    found = []
    outside = differences[differences["kind"] == "out_of_distribution"]
    for (second, task), frame in outside.groupby(["second", "task"], sort=False, observed=True):
        expected = prediction.get(str(task))
        if expected is not None:
            mean = frame["difference"].mean()
            found.append(
                f"{names.task(str(task))}: predicted {_points(expected)}, observed {_points(mean)} for {second} "
                f"({count(pd.Series([len(frame)]), 'comparison')}); off by {number(abs(mean - expected))}."
            )
    return found or ["No prediction was written for a task of this study."]


def concluded(conclusions: pd.DataFrame) -> list[str]:
    """What each declared claim comes to."""
    found = [
        f"{row.statement[0].upper()}{row.statement[1:]}: {claim_tables.verdict(row.verdict, row.reason)}"
        + (f"; {_counted(row)}." if row.tested else ".")
        for row in conclusions.itertuples()
    ]
    return found or ["This study declares no claims."]


def _counted(row) -> str:
    opposite = f", its opposite on at least {row.opposite_on}" if row.opposite_on else ""
    return f"it holds on at least {row.holds_on} of {row.comparisons} comparisons{opposite}"


def verdicts_against(observations: pd.DataFrame, setting: str, prediction: Mapping[str, str]) -> list[str]:
    """For each claim of the paper that was predicted: the verdict expected, the verdict seen in one kind of study."""
    seen = observations[observations["setting"] == setting].set_index("name")["verdict"]
    for name, verdict in prediction.items():
        one_of(name, list(seen.index), "claim")
        one_of(verdict, VERDICTS, "verdict")
    return [
        f"{name}: predicted {expected}, found {seen[name]}{', as predicted' * (seen[name] == expected)}."
        for name, expected in prediction.items()
    ] or ["No verdict was predicted."]


def single_pairs(differences: pd.DataFrame) -> list[str]:
    """How far single pairs of runs would have misled: McNemar's test at each seed against the mean over seeds."""
    if differences.empty:
        return [NO_DIFFERENCES]
    better, worse = differences["mcnemar_better"], differences["mcnemar_worse"]
    split = ((better > 0) & (worse > 0)).sum()
    some = (((better > 0) | (worse > 0)) & (differences["low"] <= 0) & (differences["high"] >= 0)).sum()
    return [
        f"Of {int(differences['seeds'].sum())} single pairs of runs McNemar's test calls {int(better.sum())} better "
        f"and {int(worse.sum())} worse than {differences['first'].iloc[0]} at 0.05.",
        f"On {split} of {len(differences)} comparisons two seeds would have been called different in opposite "
        f"directions; on {some} at least one seed would have been, where the interval over seeds and examples spans 0.",
    ]


def what_it_is(study: "Study", main: pd.DataFrame, runs: pd.DataFrame) -> list[str]:
    """Data, models, number of examples and seeds of a study, and what its numbers are not."""
    sizes = {study.task_training[task].train_examples for task in main["task"].unique()}
    trained = " or ".join(f"{size:,}" if size else "all available" for size in sorted(sizes, key=str))
    done = int((runs["status"] == "done").sum())
    found = [
        f"Models: {', '.join(_model(model, runs) for model in study.models)}.",
        f"Tasks: {', '.join(names.task(task).lower() for task in main['task'].unique())}; trained on {trained} "
        f"examples, evaluated on sets of {count(main['examples'], 'example')}.",
        f"{done} of {len(runs)} runs are in; {count(main['seeds'], 'seed')} for each number.{origins.mixed(runs)}",
    ]
    return [*found, *(_data_read(runs) if study.data == "real" else []), NOT_THE_PAPER[study.data]]


def _model(model: "Model", runs: pd.DataFrame) -> str:
    """Title, checkpoint, and the number of parameters where the runs say it."""
    own = runs.loc[runs["model"] == model.name]
    parameters = own["parameters"].dropna() if "parameters" in own else own.iloc[:0]
    size = f", {count(parameters, 'parameter')}" if len(parameters) else ""
    return f"{names.model(model.name)} ({model.checkpoint}{size})"


def _data_read(runs: pd.DataFrame) -> list[str]:
    """What the cards note of the sets that the runs read, and which runs do not say what they read."""
    done = runs[runs["status"] == "done"]
    stored = done["digests"] if "digests" in done else pd.Series(None, done.index, dtype=object)
    read = {name: digest for each in stored.dropna().unique() for name, digest in json.loads(each).items()}
    silent = done.loc[stored.isna(), "task"].unique()
    found = [f"Read in part: {note}." for note in data.notes(read)]
    tasks = ", ".join(names.task(task).lower() for task in silent)
    return [*found, f"Some stored runs do not say which files they read ({tasks})."] if tasks else found


NOT_THE_PAPER = {
    "embedded": "The data are made on the spot: a small English-like world with known spurious cues, and small models "
    "pre-trained on it. These are not the paper's numbers and say nothing about its data sets.",
    "real": "The data are public copies of the sets that the paper names; what was read of them, the model and the "
    "training are those named here. Only where they equal the paper's can a number be held against the published one.",
}


def settings(study: "Study", runs: pd.DataFrame) -> list[str]:
    """Which settings of training the main methods share, and whether they were searched."""
    main = runs[(runs["part"] == "main") & (runs["status"] == "done")]
    plain, *others = names.methods_in_order(main)
    columns = [f"training/{name}" for name in TRAINING]
    trained = main.drop_duplicates([*_PLACE, "label"]).set_index([*_PLACE, "label"])[columns]
    found = [_shared(plain, other, trained) for other in others]
    if not study.chosen:
        return [*found, "No setting was searched: the better of two methods is the better at these settings."]
    return [
        *found,
        f"Searched for each method, model and task: {_listed(study.tuning.space)}, in "
        f"{count(pd.Series([study.tuning.trials]), 'trial')} judged by in-distribution validation alone.",
    ]


_PLACE = ["model", "task"]


def _shared(plain: str, other: str, trained: pd.DataFrame) -> str:
    """In how many places two methods were trained alike, and which settings differ in the others."""
    pairs = [trained.xs(label, level="label") for label in (plain, other)]
    places = pairs[0].index.intersection(pairs[1].index)
    first, second = (pair.loc[places].astype(object).fillna("all") for pair in pairs)
    differs = first.ne(second)
    alike = f"The same settings of training for {plain} and {other} in"
    if not differs.any(axis=None):
        return f"{alike} {count(pd.Series([len(places)]), 'place')} (model x task)."
    changed = [column.partition("/")[2] for column in differs if differs[column].any()]
    return (
        f"{alike} {int((~differs.any(axis=1)).sum())} of {count(pd.Series([len(places)]), 'place')} (model x task); "
        f"elsewhere they differ in: {_listed(changed)}."
    )


def _listed(given: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in given)
