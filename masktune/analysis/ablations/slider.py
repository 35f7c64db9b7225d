"""A slider over stored results, where someone can move it: one setting against the difference, at each of another.

The figure of all values stands above it, and alone in a notebook that papermill executes: a stored page has no kernel
that could answer, and there a slider would be a dead control.
"""

import os
from typing import TYPE_CHECKING

import pandas as pd

from masktune.analysis.ablations import figures as curves
from masktune.analysis.ablations.numbers import TITLES, value_of
from masktune.study.execute.execution import UNATTENDED

if TYPE_CHECKING:
    from ipywidgets import VBox


def show(swept: pd.DataFrame, factor: str, by: str) -> None:
    """Display `curves.slices`, and below it, where the kernel has a reader, `slider` with the same panels."""
    from IPython.display import display

    display(curves.slices(swept, factor, by))
    if has_reader() and len(curves.sliced(swept, factor, by)) > 1:
        display(slider(swept, factor, by))


def has_reader() -> bool:
    """Whether this is a kernel, and none that was started to execute a notebook (masktune.study.execute.execution)."""
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel") and UNATTENDED not in os.environ


def slider(swept: pd.DataFrame, factor: str, by: str) -> "VBox":
    """A slider over the values of `by`, beginning at the base's, above the panels of `curves.slices` at that value."""
    import ipywidgets

    values = curves.sliced(swept, factor, by)
    base = swept.loc[swept["base"], by].iloc[0]
    chooser = ipywidgets.SelectionSlider(
        options=[(value_of(value), value) for value in values],
        value=base if base in values else values[0],
        description=TITLES[by],
        style={"description_width": "initial"},
    )
    picture = ipywidgets.Image()

    def draw(value: float) -> None:
        picture.value, shown = curves.slices(swept, factor, by, only=value)._repr_png_()
        picture.width = str(shown["width"])

    chooser.observe(lambda change: draw(change["new"]), names="value")
    draw(chooser.value)
    return ipywidgets.VBox([chooser, picture])
