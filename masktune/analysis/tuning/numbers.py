"""The trials of tuning, and what more of them would have bought."""

import numpy as np
import pandas as pd

from masktune.errors import MaskTuneError
from masktune.study.paths import trials_file
from masktune.study.plan.trials import COLUMNS


def read(study: str) -> pd.DataFrame:
    """Every trial of a study that has been tuned: COLUMNS. Raises MaskTuneError where it has not."""
    path = trials_file(study)
    if not path.is_file():
        raise MaskTuneError(f"{path} does not exist; run: python -m masktune tune {study}")
    return pd.read_csv(path)[list(COLUMNS)]


def expected_maximum(values: np.ndarray) -> np.ndarray:
    """The expected best of n trials for n = 1 ... N, from N values: the mean over all draws with replacement [N].

    Dodge et al. 2019 (Show your work), section 3.1.
    """
    ordered, total = np.sort(np.asarray(values, dtype=float)), len(values)
    share = np.arange(total + 1) / total
    return np.array([(ordered * np.diff(share**n)).sum() for n in range(1, total + 1)])
