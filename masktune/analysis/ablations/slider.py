"""A slider over stored results: one setting against the difference from fine-tuning, at each value of another.

The figure of all values is above it. A notebook that papermill executes has that figure alone: a stored page has no
kernel, so that a slider on it would do nothing.
"""

import os
from typing import TYPE_CHECKING

import pandas as pd

from masktune.analysis.ablations import figures
from masktune.analysis.ablations.settings import TITLES, value_text
from masktune.study.execute.execution import UNATTENDED

if TYPE_CHECKING:
    from ipywidgets import VBox


def show(swept: pd.DataFrame, factor: str, by: str) -> None:
    """Display `figures.slices`, and below it, where someone can move it, `slider` with the same panels."""
    from IPython.display import display

    display(figures.slices(swept, factor, by))
    if has_reader() and len(figures.slice_values(swept, factor, by)) > 1:
        display(slider(swept, factor, by))


def has_reader() -> bool:
    """Whether this is a kernel that a person uses, not one that executes a notebook (study.execute.execution)."""
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel") and UNATTENDED not in os.environ


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
    picture = ipywidgets.Image()

    def draw(value: float) -> None:
        picture.value, shown = figures.slices(swept, factor, by, only=value)._repr_png_()
        picture.width = str(shown["width"])

    chooser.observe(lambda change: draw(change["new"]), names="value")
    draw(chooser.value)
    return ipywidgets.VBox([chooser, picture])
