"""A picker over stored results: any method beside a first one, both against fine-tuning, with their intervals."""

from typing import TYPE_CHECKING

import pandas as pd

from masktune.analysis.accuracy import figures as accuracy
from masktune.analysis.plotting import live
from masktune.analysis.plotting.theme import Drawing

if TYPE_CHECKING:
    from ipywidgets import VBox


def show(against: pd.DataFrame, ours: str, beside: str) -> None:
    """Display `compare` of these two, and below it, where someone can use it, `picker` with all the others."""
    from IPython.display import display

    display(compare(against, ours, beside))
    if live.has_reader() and _others(against, ours):
        display(picker(against, ours))


def compare(against: pd.DataFrame, ours: str, beside: str) -> Drawing:
    """Two methods' differences from one first, an interval each on every set; one without finished runs is left out.

    `against`: rows of `numbers.against`. The axes have room for all of them, whichever two are drawn.
    """
    figure = accuracy.differences(against[against["second"].isin([ours, beside])])
    ends = against[["difference", "low", "high"]]
    if len(figure.axes):
        figure.axes[0].set_xlim(1.05 * min(-1.0, ends.min(axis=None)), 1.05 * max(1.0, ends.max(axis=None)))
    return figure


def picker(against: pd.DataFrame, ours: str) -> "VBox":
    """A list of the methods that are not `ours`, above `compare` of the one that is picked."""
    import ipywidgets

    chooser = ipywidgets.Dropdown(
        options=_others(against, ours),
        description=f"{ours} beside",
        style={"description_width": "initial"},
        layout={"width": "max-content"},
    )
    return live.redrawn(chooser, lambda beside: compare(against, ours, beside))


def _others(against: pd.DataFrame, ours: str) -> list[str]:
    return [label for label in dict.fromkeys(against["second"]) if label != ours]
