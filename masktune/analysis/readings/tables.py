"""Tables of the readings: at equal accuracy in distribution, and at the best epoch beside the last."""

import pandas as pd

from masktune.analysis.formatting import MINUS, VARIES, count, interval, number
from masktune.analysis.table import Table, name_columns, name_values

_OVER_SEEDS = "95 % t interval over paired seeds, the examples being fixed"


def matched(frame: pd.DataFrame) -> Table:
    """A row for each declared comparison out of distribution. `frame`: `numbers.matched`."""
    shown = _compared(frame).assign(
        difference=_intervals(frame, "difference", ""),
        matched=_intervals(frame, "matched", "matched_"),
        inside=[
            f"{number(one)} against {number(other)}"
            for one, other in zip(frame["inside"], frame["against_inside"], strict=True)
        ],
        epoch=[number(epoch) for epoch in frame["against_epoch"]],
        beyond=[f"{beyond} of {seeds}" for beyond, seeds in zip(frame["beyond"], frame["seeds"], strict=True)],
    )
    caption = (
        "Differences in points of accuracy out of distribution: both rows at the last epoch, which is what the study "
        "declares, and with the second row read where it is as accurate in distribution as the first one is at its "
        "end, between the readings of its epochs or, where it was trained for several lengths, between the ends of "
        "these trainings (a straight line; where it passes through that accuracy several times, the last). "
        f"[{_OVER_SEEDS}], {count(frame['seeds'], 'paired seed')}. In distribution: accuracy of both "
        "at the last epoch. Read at: the mean epoch of the second row. Beyond: the pairs in which it never has that "
        f"accuracy, and the nearest reading is taken. {VARIES}. Nothing here is tested."
    )
    titles = {
        "difference": "Last epoch [95 %]", "matched": "At equal accuracy [95 %]", "inside": "In distribution",
        "epoch": "Read at", "beyond": "Beyond",
    }  # fmt: skip
    title = "At equal accuracy in distribution"
    return Table("matched", title, caption, frame, name_columns(name_values(shown), titles))


def when_read(frame: pd.DataFrame) -> Table:
    """A row for each declared comparison. `frame`: `numbers.when_read`."""
    shown = _compared(frame).assign(
        last=_intervals(frame, "last", "last_"),
        best=_intervals(frame, "best", "best_"),
        epochs=[
            f"{number(one)} and {number(other)} of {epochs}"
            for one, other, epochs in zip(
                frame["best_epoch"], frame["against_best_epoch"], frame["epochs"], strict=True
            )
        ],
    )
    caption = (
        "When is a run read? Differences in points of accuracy at the last epoch, which the study declares, and "
        "with each run at its best epoch by accuracy in distribution, the first of several. In distribution that is "
        f"chosen on the set that is scored, which flatters both. [{_OVER_SEEDS}], "
        f"{count(frame['seeds'], 'paired seed')}. Best epochs: their means. {VARIES}. Nothing here is tested."
    )
    titles = {"last": "Last epoch [95 %]", "best": "Best epoch [95 %]", "epochs": "Best epochs"}
    return Table("when_read", "When is a run read?", caption, frame, name_columns(name_values(shown), titles))


def _compared(frame: pd.DataFrame) -> pd.DataFrame:
    """Where each comparison belongs, and of what; the comparison once in the columns where it is always the same."""
    comparison = frame["method"] + f" {MINUS} " + frame["against"]
    return frame[["task", "model", "set"]].assign(comparison=comparison)


def _intervals(frame: pd.DataFrame, name: str, prefix: str) -> list[str]:
    columns = (frame[column] for column in (name, f"{prefix}low", f"{prefix}high"))
    return [interval(mean, low, high, sign=True) for mean, low, high in zip(*columns, strict=True)]
