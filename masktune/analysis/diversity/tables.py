"""Tables of diversity: every measure of every arm, and the ratios next to the paper's."""

import math

import pandas as pd

from masktune.analysis.diversity import numbers
from masktune.analysis.diversity.numbers import MEASURES, PUBLISHED
from masktune.analysis.diversity.text import TITLES, setting
from masktune.analysis.formatting import DASH, count
from masktune.analysis.table import Table, name_columns

_AVERAGED = (
    "The mean over the epochs, the start left out; the whole training counts the texts of all, the start included."
)


def measures(frame: pd.DataFrame) -> Table:
    """Every measure of every arm. `frame`: `numbers.read`."""
    values = numbers.means(frame)
    texts = [_interval(*row) for row in values[["mean", "low", "high"]].itertuples(index=False)]
    wide = values.assign(text=texts).pivot(index="measure", columns="label", values="text")
    shown = wide.loc[list(MEASURES), list(dict.fromkeys(frame["label"]))].reset_index()
    caption = f"Mean over {count(values['seeds'], 'seed')} [95 % t interval over seeds]. {_AVERAGED} {setting(frame)}"
    return Table("diversity", "Every measure", caption, values, _name_measures(shown))


def ratios(frame: pd.DataFrame) -> Table:
    """The ratios between arms next to the paper's. `frame`: `numbers.read`."""
    values = numbers.ratios(frame)
    columns = values["second"] + " \N{DIVISION SIGN} " + values["first"]
    ends = zip(values["ratio"], values["low"], values["high"], strict=True)
    texts = [_interval(ratio, low, high, ".2f") for ratio, low, high in ends]
    wide = values.assign(column=columns, text=texts).pivot(index="measure", columns="column", values="text")
    shown = wide.loc[list(MEASURES), list(dict.fromkeys(columns))].reset_index().assign(Paper=f"{PUBLISHED:g} times")
    caption = (
        f"Ratios over {count(values['seeds'], 'paired seed')}: geometric mean [95 % t interval of the logarithm over "
        f"seeds]. Random tokens are a yardstick: no language model chose them. The paper does not say how it measured. "
        f"{_AVERAGED} {setting(frame)}"
    )
    return Table("diversity_ratios", "Is it threefold?", caption, values, _name_measures(shown))


def _name_measures(shown: pd.DataFrame) -> pd.DataFrame:
    return name_columns(shown.rename_axis(columns=None).assign(measure=shown["measure"].map(TITLES)))


def _interval(mean: float, low: float, high: float, digits: str = "#.3g") -> str:
    if math.isnan(mean):
        return DASH
    return f"{mean:{digits}}" if math.isnan(low) else f"{mean:{digits}} [{low:{digits}}, {high:{digits}}]"
