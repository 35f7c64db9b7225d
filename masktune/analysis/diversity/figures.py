"""Figures of diversity along training, epoch by epoch."""

import pandas as pd

from masktune.analysis.plotting.lines import along_training
from masktune.analysis.plotting.theme import Drawing
from masktune.study.design.arms import RANDOM


def tokens(frame: pd.DataFrame) -> Drawing:
    """What happens to the texts. `frame`: `numbers.read`."""
    titles = {"restored": "masked tokens put back (share)", "changed": "texts changed (share)"}
    return _by_epoch(frame, {**titles, "distinct_so_far": "distinct texts of a source so far"})


def meanings(frame: pd.DataFrame) -> Drawing:
    """What happens in the space of the encoder. `frame`: `numbers.read`."""
    titles = {"distance": "distance of a source's texts", "vendi_source": "Vendi score of a source's texts"}
    return _by_epoch(frame, {**titles, "coverage": "coverage of other examples (share)"})


def _by_epoch(frame: pd.DataFrame, titles: dict[str, str]) -> Drawing:
    return along_training(frame[frame["label"] != RANDOM], list(titles), list(titles.values()), "epoch")
