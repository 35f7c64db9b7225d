"""Figures that are drawn again as a reader chooses, in a kernel that a person uses.

A stored page has no kernel, so that a widget on it does nothing: what is shown live always stands below a plain figure.
"""

import os
from base64 import b64encode
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from masktune.study.execute.execution import UNATTENDED

if TYPE_CHECKING:
    from ipywidgets import HTML, VBox


class Figure(Protocol):
    """A figure as IPython shows it, with `width` in pixels of a screen and `alt` among the metadata."""

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]: ...


def has_reader() -> bool:
    """Whether this is a kernel that a person uses, not one that executes a notebook (study.execute.execution)."""
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel") and UNATTENDED not in os.environ


def image(figure: Figure) -> str:
    """A figure as HTML, with the text of what it shows: JupyterLab leaves that out of a PNG, and so does a widget."""
    png, about = figure._repr_png_()
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return f'<img alt="{escape(about["alt"])}" width="{about["width"]}" src="{source}" style="max-width:100%">'


def redrawn(chooser: Any, draw: Callable[[Any], Figure]) -> "VBox":
    """A widget that has a value above the figure that `draw` makes of it, at once and at every change."""
    import ipywidgets

    picture: HTML = ipywidgets.HTML()

    def show(value: Any) -> None:
        picture.value = image(draw(value))

    chooser.observe(lambda change: show(change["new"]), names="value")
    show(chooser.value)
    return ipywidgets.VBox([chooser, picture])
