"""The table of the lengths."""

from typing import Any

import pandas as pd

from masktune.analysis.formatting import (
    CROSSED,
    VARIES,
    count,
    interval,
    number,
    secondary_metrics,
    secondary_metrics_note,
)
from masktune.analysis.table import Table, name_columns, name_values, pivot


def lengths(frame: pd.DataFrame) -> Table:
    """A row for each set and length, a column for each method. `frame`: `numbers.by_length`."""
    cells = frame.assign(text=[_cell(row) for row in frame.itertuples()])
    wide = pivot(cells, ["task", "model", "set", "tokens"], "method", "text")
    caption = (
        "Accuracy in per cent with the texts cut after so many tokens, the mean over "
        f"{count(frame['seeds'], 'seed')}; in brackets the difference from fine-tuning at the same length in points, "
        f"[{CROSSED}]. The same trained models throughout, {count(frame['examples'], 'example')} a set. {VARIES}. Not "
        f"corrected for the number of comparisons.{secondary_metrics_note(frame)}"
    )
    shown = name_columns(name_values(wide), {"tokens": "Tokens"})
    return Table("lengths", "By length at evaluation", caption, frame, shown)


def _cell(row: Any) -> str:
    """Accuracy and, in brackets, the difference from fine-tuning."""
    accuracy = number(row.accuracy) + secondary_metrics(row.balanced, row.auroc, row.majority)
    if pd.isna(row.difference):
        return accuracy
    return f"{accuracy} ({interval(row.difference, row.low, row.high, sign=True)})"
