"""Tables of the comparisons: differences between methods, sums of gains, and what each method is."""

import pandas as pd

from masktune.analysis import names
from masktune.analysis.accuracy.numbers import PLACE, SECONDARY
from masktune.analysis.formatting import (
    CROSSED,
    DASH,
    MINUS,
    VARIES,
    count,
    interval,
    number,
    secondary_metrics,
    secondary_metrics_note,
)
from masktune.analysis.table import Table, name_columns, name_values


def contrasts(frame: pd.DataFrame, name: str, title: str) -> Table:
    """A row for each pair and a column for each set and model, those out of distribution last.

    `frame`: `numbers.contrasts`.
    """
    rows = zip(*(frame[name] for name in ("difference", "low", "high", *SECONDARY)), strict=True)
    texts = [
        interval(difference, low, high, sign=True) + secondary_metrics(balanced, auroc, sign=True)
        for difference, low, high, balanced, auroc in rows
    ]
    cells = frame.assign(text=texts, column=_columns(frame))
    wide = cells.pivot_table(index=["second", "first"], columns="column", values="text", aggfunc="first", sort=False)
    order = list(dict.fromkeys(cells.sort_values("kind", kind="stable")["column"]))
    wide = wide[order].fillna(DASH).reset_index().rename_axis(columns=None)
    wide.insert(0, "Difference", wide["second"] + f" {MINUS} " + wide["first"])
    caption = (
        f"Differences in points of accuracy [{CROSSED}]; {count(frame['seeds'], 'paired seed')}, "
        f"{count(frame['examples'], 'example')} a set. {VARIES}. Not corrected for the number of comparisons."
        f"{secondary_metrics_note(frame)}"
    )
    return Table(name, title, caption, frame, wide.drop(columns=["second", "first"]))


def _columns(frame: pd.DataFrame) -> list[str]:
    """Task and set of each row, and its model where there are several, as a reader sees them."""
    several = frame["model"].nunique() > 1
    return [
        f"{names.task(task)}: {names.evaluation_set(name)}" + (f", {names.model(model)}" if several else "")
        for task, name, model in zip(frame["task"], frame["set"], frame["model"], strict=True)
    ]


def additivity(frame: pd.DataFrame, first: str) -> Table:
    """Each gain alone, their sum and the gain of both, a row for each combination and set.

    `frame`: `numbers.additivity`; `first`: the method that is combined with the others.
    """
    shown = name_values(frame[[*PLACE, "other"]])
    for name in ("alone", "added", "sum", "both"):
        shown[name] = [number(value, sign=True) for value in frame[name]]
    shown["gap"] = [
        interval(*row, sign=True) for row in zip(frame["difference"], frame["low"], frame["high"], strict=True)
    ]
    shown["seeds"] = frame["seeds"]
    caption = (
        "Gains over fine-tuning in points of accuracy: of the other method alone, of "
        f"{first} alone, their sum, and of both together; then both minus the sum [{CROSSED}], which is 0 where gains "
        f"add up. {count(frame['seeds'], 'paired seed')}, {count(frame['examples'], 'example')} a set. {VARIES}."
    )
    titles = {"other": "With", "alone": "Alone", "added": first, "sum": "Sum", "both": "Both"}
    titles["gap"] = f"Both {MINUS} sum [95 %]"
    return Table("additivity", "Do the gains add up?", caption, frame, name_columns(shown, titles))


def cards(frame: pd.DataFrame) -> Table:
    """What each method is. `frame`: `numbers.cards`."""
    titles = {name: name.capitalize() for name in frame}
    caption = (
        "Passes over the batch in a training step, forward and backward, at most; what a method finds out about each "
        "train example beforehand is not among them. Plain fine-tuning has one of each."
    )
    return Table("cards", "The methods", caption, frame, frame.rename(columns={**titles, "label": "Method"}))
