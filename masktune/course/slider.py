"""A figure with a slider: each number that is chosen is tried once, live, and joins the figure.

The figure of what was tried before stands above it and says the same without it: on a stored page a slider has no
kernel, and does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from masktune.analysis.plotting.live import has_reader, image
from masktune.course.figures import Picture

if TYPE_CHECKING:
    from ipywidgets import VBox

Trial = Callable[[float], dict[str, Any]]
Draw = Callable[[pd.DataFrame], Picture]


def show(trial: Trial, tried: pd.DataFrame, draw: Draw, values: Sequence[float], title: str) -> None:
    """Display `slider` where someone is there to move it, and nothing else where not."""
    if has_reader():
        from IPython.display import display

        display(slider(trial, tried, draw, values, title))


def slider(trial: Trial, tried: pd.DataFrame, draw: Draw, values: Sequence[float], title: str) -> VBox:
    """A slider over `values` above the figure that `draw` makes of all rows tried so far.

    `trial` gives the row of a number, whose first column is that number; `tried` are the rows there are already. A
    trial may take seconds: it begins when the slider is let go, and no number is tried twice.
    """
    import ipywidgets

    known = {float(row.iloc[0]): dict(row) for _, row in tried.iterrows()}
    chooser = ipywidgets.SelectionSlider(
        options=[(f"{value:g}", value) for value in values],
        description=title,
        continuous_update=False,
        style={"description_width": "initial"},
        layout={"width": "30em"},
    )
    picture, said = ipywidgets.HTML(), ipywidgets.Label()

    def choose(value: float) -> None:
        if value not in known:
            said.value = f"training at {value:g} ..."
            known[value] = trial(value)
        picture.value = image(draw(pd.DataFrame([known[each] for each in sorted(known)])))
        said.value = ", ".join(f"{name} {number:.3g}" for name, number in known[value].items())

    chooser.observe(lambda change: choose(change["new"]), names="value")
    choose(chooser.value)
    return ipywidgets.VBox([chooser, said, picture])
