"""What the readings say, in sentences."""

import pandas as pd

from masktune.analysis.formatting import MINUS, count, number


def matched(frame: pd.DataFrame) -> list[str]:
    """A sentence for each pair of rows: at equal accuracy in distribution, beside the last epoch.

    `frame`: `numbers.matched`.
    """
    return [_matched(method, against, rows) for (method, against), rows in frame.groupby(_PAIR, sort=False)]


_PAIR = ["method", "against"]


def _matched(method: str, against: str, rows: pd.DataFrame) -> str:
    above, below = int((rows["matched_low"] > 0).sum()), int((rows["matched_high"] < 0).sum())
    beyond, pairs = int(rows["beyond"].sum()), int(rows["seeds"].sum())
    of = f"; in {beyond} of {pairs} pairs {against} never has that accuracy, and its nearest reading is taken"
    return (
        f"{method} {MINUS} {against} at equal accuracy in distribution: {_range(rows['matched'])} points out of "
        f"distribution on {count(pd.Series([len(rows)]), 'set')} (at the last epoch {_range(rows['difference'])}), the "
        f"interval over seeds above zero on {above} and below on {below}{of if beyond else ''}."
    )


def _range(values: pd.Series) -> str:
    """`+1.2`, or `-3.0 to +1.2` where there are several."""
    low, high = (number(value, sign=True) for value in (values.min(), values.max()))
    return low if len(values) == 1 else f"{low} to {high}"
