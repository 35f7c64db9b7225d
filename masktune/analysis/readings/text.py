"""What the readings say, in sentences."""

import pandas as pd

from masktune.analysis.formatting import MINUS, count, number

_PAIR = ["method", "against"]
MOST_PAIRS = 4  # of rows, about each of which a sentence is read rather than a table


def matched(frame: pd.DataFrame) -> list[str]:
    """A sentence for each pair of rows: at equal accuracy in distribution, beside the last epoch.

    One sentence about all of them where there are more than MOST_PAIRS. `frame`: `numbers.matched`.
    """
    pairs = frame.groupby(_PAIR, sort=False)
    if len(pairs) > MOST_PAIRS:
        return [_all_matched(frame, len(pairs))]
    return [_matched(method, against, rows) for (method, against), rows in pairs]


def _all_matched(frame: pd.DataFrame, pairs: int) -> str:
    above, below = _clear(frame, "matched_")
    last_above, last_below = _clear(frame, "")
    return (
        f"At equal accuracy in distribution, {pairs} pairs of rows on {len(frame)} comparisons out of distribution: "
        f"{_range(frame['matched'])} points, the interval over seeds above zero on {above} and below on {below} "
        f"(at the last epoch on {last_above} and {last_below}); each of them is in the table of these comparisons."
    )


def _clear(rows: pd.DataFrame, prefix: str) -> tuple[int, int]:
    """On how many rows the interval lies above zero, and on how many below."""
    return int((rows[f"{prefix}low"] > 0).sum()), int((rows[f"{prefix}high"] < 0).sum())


def _matched(method: str, against: str, rows: pd.DataFrame) -> str:
    above, below = _clear(rows, "matched_")
    beyond, pairs = int(rows["beyond"].sum()), int(rows["seeds"].sum())
    of = f"; in {beyond} of {pairs} pairs {against} never has that accuracy, and its nearest reading is taken"
    on = f"{count(pd.Series([len(rows)]), 'set')}, {count(rows['seeds'], 'seed')}"
    return (
        f"{method} {MINUS} {against} at equal accuracy in distribution: {_range(rows['matched'])} points out of "
        f"distribution on {on} (at the last epoch {_range(rows['difference'])}), the "
        f"interval over seeds above zero on {above} and below on {below}{of if beyond else ''}."
    )


def _range(values: pd.Series) -> str:
    """`+1.2`, or `-3.0 to +1.2` where there are several."""
    low, high = (number(value, sign=True) for value in (values.min(), values.max()))
    return low if len(values) == 1 else f"{low} to {high}"
