"""The table of the lengths."""

from typing import Any

import pandas as pd

from masktune.analysis.table import (
    CROSSED,
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


def lengths(frame: pd.DataFrame) -> Table:
    """A row for each set and length, a column for each method. `frame`: `numbers.by_length`."""
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


def _cell(row: Any) -> str:
    """Accuracy and, in brackets, the difference from fine-tuning."""
    accuracy = number(row.accuracy) + beside(row.balanced, row.auroc, row.majority)
    if pd.isna(row.difference):
        return accuracy
    return f"{accuracy} ({interval(row.difference, row.low, row.high, sign=True)})"
