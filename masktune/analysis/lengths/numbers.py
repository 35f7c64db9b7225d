"""How much of a text the classifier may read: accuracy out of distribution with the texts cut at several lengths.

The runs are the same; only their evaluation sets are cut again (Training.evaluation_lengths), as "<set>@<tokens>".
"""

from collections.abc import Iterable

import pandas as pd
from matplotlib.axes import Axes

from masktune import data
from masktune.analysis import names
from masktune.analysis.accuracy import numbers as tables
from masktune.analysis.answers import Block
from masktune.analysis.plotting import alt_text as findings
from masktune.analysis.plotting import panels, theme
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.table import (
    CROSSED,
    MINUS,
    VARIES,
    Table,
    beside,
    beside_note,
    count,
    interval,
    named,
    number,
    titled,
)

COLUMNS = [
    "task", "model", "set", "tokens", "headline", "method", "seeds", "examples", "accuracy", "lowest", "highest",
    "difference", "low", "high", "majority", *tables.BESIDE,
]  # fmt: skip


def by_length(blocks: Iterable[Block], collection: str, plain: str) -> pd.DataFrame:
    """Each method on each set that was cut at several lengths: COLUMNS, per cent and points, shortest cut first.

    `lowest` and `highest` are single seeds; `difference` is the method's minus that of `plain` at the same length,
    `low` to `high` its interval over seeds x clusters. `headline` marks the length of the other tables.
    """
    blocks = list(blocks)
    recut = {(b.task, b.model, b.name.partition("@")[0]) for b in blocks if b.kind == "other_length"}
    rows = []
    for block in blocks:
        name, _, tokens = block.name.partition("@")
        if (block.task, block.model, name) in recut and block.kind in ("out_of_distribution", "other_length"):
            length = int(tokens) if tokens else data.cut_at(collection, block.task)[name]
            place = {"task": block.task, "model": block.model, "set": name, "tokens": length, "headline": not tokens}
            rows += [{**place, **_row(block, answers.method, plain)} for answers in block.answers]
    found = pd.DataFrame(rows, columns=COLUMNS)
    return found.sort_values(["task", "model", "set", "tokens"], kind="stable", ignore_index=True)


def _row(block: Block, method: str, plain: str) -> dict[str, object]:
    answers = next(answers for answers in block.answers if answers.method == method)
    each = 100 * block.correct(answers).mean(axis=1)
    row = {"method": method, "seeds": len(each), "examples": len(block.labels)}
    row |= {"accuracy": each.mean(), "lowest": each.min(), "highest": each.max()}
    row |= {"majority": 100 * block.majority}
    row |= {name: values.mean() for name, values in tables.beside(block, answers).items()}
    pair = None if method == plain else block.paired(plain, method)
    if pair is not None:
        row |= {name: tables.compare(block, *pair)[name] for name in ("difference", "low", "high")}
    return row


def table(frame: pd.DataFrame) -> Table:
    """A row for each set and length, accuracies and differences of each method."""
    cells = frame.assign(text=[_cell(row) for row in frame.itertuples()])
    wide = cells.pivot_table(
        index=["task", "model", "set", "tokens"], columns="method", values="text", aggfunc="first", sort=False
    )
    wide = wide[list(dict.fromkeys(frame["method"]))].reset_index().rename_axis(columns=None)
    caption = (
        "Accuracy in per cent with the texts cut after so many tokens, the mean over "
        f"{count(frame['seeds'], 'seed')}; in brackets the difference from fine-tuning at the same length in points, "
        f"[{CROSSED}]. The same trained models throughout, {count(frame['examples'], 'example')} a set. {VARIES}. Not "
        f"corrected for the number of comparisons.{beside_note(frame)}"
    )
    return Table("lengths", "By length at evaluation", caption, frame, titled(named(wide), {"tokens": "Tokens"}))


def _cell(row) -> str:
    accuracy = number(row.accuracy) + beside(row.balanced, row.auroc, row.majority)
    if pd.isna(row.difference):
        return accuracy
    return f"{accuracy} ({interval(row.difference, row.low, row.high, sign=True)})"


def curves(frame: pd.DataFrame) -> Drawing:
    """Accuracy by the length of the cut: a panel a set, a line a method, bars from the lowest seed to the highest."""
    places = list(dict.fromkeys(zip(frame["task"], frame["model"], frame["set"], strict=True)))
    methods = list(dict.fromkeys(frame["method"]))
    if not places:
        return panels.alone("No finished runs were evaluated at more than one length.")
    with theme.applied():
        figure, axes = panels.side_by_side(len(places), 3.4, 3.2)
        for axis, place in zip(axes, places, strict=True):
            part = frame[(frame[["task", "model", "set"]] == list(place)).all(axis=1)]
            _panel(axis, part, methods)
            axis.set_title(f"{names.evaluation_set(place[2])}, {names.model(place[1])}", pad=8)
        for axis in axes[:: panels.A_LINE]:
            axis.set_ylabel("accuracy (%)")
        handles = [panels.handle(theme.mark(method, methods), method) for method in methods]
        panels.legend(figure, [*handles, *panels.of_seeds(frame["seeds"])])
        panels.note(figure, "Bars: from the lowest seed to the highest.")
    figure.alt = findings.alt("Mean accuracy by the tokens that are read.", *_words(frame))
    return figure


def _panel(axis: Axes, part: pd.DataFrame, methods: list[str]) -> None:
    """One set: a line a method over the lengths."""
    at = panels.Places(part["tokens"], str)
    at.draw(axis)
    for method, aside in zip(methods, panels.asides(len(methods)), strict=True):
        rows, style = part[part["method"] == method], theme.mark(method, methods)
        places = [at.of(tokens, aside) for tokens in rows["tokens"]]
        axis.plot(places, rows["accuracy"], color=style.colour, linewidth=1.4)
        for place, row in zip(places, rows.itertuples(), strict=True):
            panels.upright(axis, place, row.accuracy, (row.lowest, row.highest), style, row.seeds)
    axis.set_xlabel("tokens read at evaluation")


def _words(frame: pd.DataFrame) -> list[str]:
    """For each set and method the accuracy at the shortest and at the longest cut."""
    said = []
    for (name, method), rows in frame.groupby(["set", "method"], sort=False, observed=True):
        ends = (f"{number(row.accuracy)} % at {row.tokens}" for row in rows.iloc[[0, -1]].itertuples())
        said.append(f"{names.evaluation_set(name)}, {method}: {' and '.join(ends)}.")
    return said


def sentences(frame: pd.DataFrame, plain: str) -> list[str]:
    """For each set what the length does to fine-tuning, and whether it turns a difference round."""
    found = []
    for (_, model, name), part in frame.groupby(["task", "model", "set"], sort=False):
        own = part[part["method"] == plain]
        levels = ", ".join(f"{number(row.accuracy)} % at {row.tokens} tokens" for row in own.itertuples())
        found.append(f"{names.evaluation_set(name)}, {names.model(model)}: {plain} has {levels}.")
        for method, rows in part.dropna(subset=["difference"]).groupby("method", sort=False):
            gaps = ", ".join(number(value, sign=True) for value in rows["difference"])
            turned = "changes its sign" if rows["difference"].min() < 0 < rows["difference"].max() else "keeps its sign"
            found.append(f"{method} {MINUS} {plain} is {gaps} points at these lengths: it {turned}.")
    return found or ["No set of this study was cut at more than one length."]
