"""Measures of diversity by run, and their ratios between arms, from the numbers of `masktune.study.run.diversity`."""

import numpy as np
import pandas as pd

from masktune.errors import MaskTuneError
from masktune.statistics.intervals import Estimate, mean_over_seeds
from masktune.study.design.arms import FROZEN, MASK_TUNING, MLM_ONLY, RANDOM, gathered_file

PUBLISHED = 3.0  # the paper: "three times more diversified examples than MLM"
MEASURES = (
    "changed", "distinct", "distinct_so_far", "distinct_1", "distinct_2", "distance", "vendi_source", "vendi",
    "coverage",
)  # fmt: skip
# The second arm of each ratio, and the first.
RATIOS = ((MASK_TUNING, MLM_ONLY), (MASK_TUNING, FROZEN), (RANDOM, MLM_ONLY))
COLUMNS = ["measure", "first", "second", "ratio", "low", "high", "seeds"]


def read(study_name: str) -> pd.DataFrame:
    """The numbers of the experiment as they were gathered: a row for each arm, seed and epoch.

    Columns: label seed epoch, sources and draws (how many), MEASURES, masked, restored. Raises MaskTuneError where
    there are none.
    """
    path = gathered_file(study_name)
    if not path.is_file():
        raise MaskTuneError(f"{path} does not exist; run: python -m masktune run {study_name}, then gather")
    return pd.read_csv(path)


def by_run(frame: pd.DataFrame) -> pd.DataFrame:
    """Each measure of each run: the mean over the epochs, the start left out; `distinct_so_far` as it is at the end.

    `frame`: `read`. Rows (label, seed), columns MEASURES.
    """
    runs = frame[frame["epoch"] > 0].groupby(["label", "seed"], sort=False)
    return runs[list(MEASURES)].mean().assign(distinct_so_far=runs["distinct_so_far"].last())


def means(frame: pd.DataFrame) -> pd.DataFrame:
    """Each measure of each arm: measure label, mean over seeds, low and high of its 95 % t interval, seeds."""
    runs = by_run(frame)
    rows = [
        (measure, label, estimate.mean, estimate.low, estimate.high, estimate.seeds)
        for measure in MEASURES
        for label in dict.fromkeys(frame["label"])
        for estimate in [mean_over_seeds(runs.loc[label, measure])]
    ]
    return pd.DataFrame(rows, columns=["measure", "label", "mean", "low", "high", "seeds"])


def ratios(frame: pd.DataFrame) -> pd.DataFrame:
    """How many times as diverse the second arm is as the first, under each measure and over paired seeds.

    A geometric mean with the 95 % t interval of its logarithm; NaN where a measure of one run is 0. Columns: COLUMNS.
    """
    runs = by_run(frame)
    rows = []
    for second, first in RATIOS:
        for measure in MEASURES:
            ratio = _ratio(runs.loc[second, measure], runs.loc[first, measure])
            rows.append((measure, first, second, ratio.mean, ratio.low, ratio.high, ratio.seeds))
    return pd.DataFrame(rows, columns=COLUMNS)


def _ratio(second: pd.Series, first: pd.Series) -> Estimate:
    quotients = (second / first).where((second > 0) & (first > 0))
    logarithm = mean_over_seeds(np.log(quotients))
    mean, low, high = np.exp([logarithm.mean, logarithm.low, logarithm.high]).tolist()
    return Estimate(mean, low, high, logarithm.seeds)
