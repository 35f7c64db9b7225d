"""A slider over stored results: one setting against the difference from fine-tuning, at each value of another."""

from typing import TYPE_CHECKING

import pandas as pd

from masktune.analysis.ablations import figures
from masktune.analysis.ablations.settings import TITLES, value_text
from masktune.analysis.plotting import live

if TYPE_CHECKING:
    from ipywidgets import VBox


def show(swept: pd.DataFrame, factor: str, by: str) -> None:
    """Display `figures.slices`, and below it, where someone can move it, `slider` with the same panels."""
    from IPython.display import display

    display(figures.slices(swept, factor, by))
    if live.has_reader() and len(figures.slice_values(swept, factor, by)) > 1:
        display(slider(swept, factor, by))


def slider(swept: pd.DataFrame, factor: str, by: str) -> "VBox":
    """A slider over the values of `by`, beginning at the base's, above the panels of `figures.slices` at that value."""
    import ipywidgets

    values = figures.slice_values(swept, factor, by)
    base = swept.loc[swept["base"], by].iloc[0]
    chooser = ipywidgets.SelectionSlider(
        options=[(value_text(value), value) for value in values],
        value=base if base in values else values[0],
        description=TITLES[by],
        style={"description_width": "initial"},
    )
    return live.redrawn(chooser, lambda value: figures.slices(swept, factor, by, only=value))
