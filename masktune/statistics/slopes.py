"""Slopes of a quantity over the places at which it was measured, of each seed by least squares.

S is the number of seeds, P the number of places, K the number of quantities that the places differ in.
"""

import numpy as np


def slopes(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The slope of each row of `values` on each column of `places`, all K at once, with an intercept. [P, K], [S, P].

    [S, K]. NaN among `values` is a place that is not there: the row is fitted to the others. A row whose places leave a
    slope open, for they are too few or vary together, has NaN alone.
    """
    places, values = np.asarray(places, dtype=float), np.asarray(values, dtype=float)
    known = np.isfinite(values)
    fits = [_row(places[there], row[there]) for row, there in zip(values, known, strict=True)]
    return np.array(fits).reshape(len(values), places.shape[1])


def _row(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The K slopes of one row. Centred first, which takes the intercept out."""
    if not len(places):
        return np.full(places.shape[1], np.nan)
    centred = places - places.mean(axis=0)
    fit, _, rank, _ = np.linalg.lstsq(centred, values - values.mean(), rcond=None)
    return fit if rank == places.shape[1] else np.full(places.shape[1], np.nan)
