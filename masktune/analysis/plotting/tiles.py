"""Differences as coloured tiles, each with its number."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from masktune.analysis.formatting import DASH, number
from masktune.analysis.plotting import theme


def tiles(
    axis: Axes,
    grid: pd.DataFrame,
    limit: float,
    label: Callable[[object], str] = str,
    starred: np.ndarray | None = None,
) -> AxesImage:
    """A tile for each cell of the grid, coloured from -limit to limit; NaN is a dash.

    `label` names the rows and columns; a star follows the number where `starred` (bool, as the grid) is true.
    """
    # The limits lie half a tile outside: matplotlib cannot guess them from a single row.
    ends = (-0.5, grid.shape[1] - 0.5, grid.shape[0] - 0.5, -0.5)
    image = axis.imshow(grid, cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto", extent=ends)
    axis.set_xticks(range(grid.shape[1]), [label(value) for value in grid.columns])
    axis.set_yticks(range(grid.shape[0]), [label(value) for value in grid.index])
    axis.grid(visible=False)
    for (i, j), value in np.ndenumerate(grid.to_numpy(dtype=float)):
        text = DASH if np.isnan(value) else f"{number(value, sign=True)}"
        text += "*" if starred is not None and starred[i, j] else ""
        axis.text(j, i, text, ha="center", va="center", color=_readable(image, value), fontsize=8)
    return image


def _readable(image: AxesImage, value: float) -> str:
    """Black or white, whichever contrasts more with the colour of the tile."""
    if np.isnan(value):
        return theme.QUIET
    red, green, blue, _ = image.to_rgba(np.array([[value]]))[0, 0].tolist()
    tile = theme.luminance((red, green, blue))
    return max(("#000000", "#ffffff"), key=lambda text: theme.contrast(theme.luminance(text), tile))
