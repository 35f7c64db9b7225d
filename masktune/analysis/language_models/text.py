"""What is said of the language models, in sentences."""

import pandas as pd

from masktune.analysis import names
from masktune.pretraining import curve


def levelled_off(frame: pd.DataFrame) -> list[str]:
    """For each model, how many of its language models have levelled off, and their loss. `frame`: `numbers.trained`."""
    sentences = []
    for model, rows in frame.groupby("model", sort=False):
        low, high = rows["loss"].min(), rows["loss"].max()
        between = f"{low:.2f}" if round(low, 2) == round(high, 2) else f"{low:.2f} to {high:.2f}"
        sentences.append(
            f"{names.model(str(model))}: {int(rows['levelled_off'].sum())} of {len(rows)} language models had levelled "
            f"off (less than {curve.STILL:g} nats in the last quarter of training); held-out loss {between} nats, "
            f"{rows['accuracy'].min():.0f} to {rows['accuracy'].max():.0f} % of masked tokens right."
        )
    return sentences


def pretrainings_note(runs: pd.DataFrame) -> str:
    """A sentence, with a space before it, where seeds start from several pre-trainings; empty where they do not."""
    if "pretraining" not in runs or (most := runs.groupby("model")["pretraining"].nunique().max()) < 2:
        return ""
    return f" Seeds start from {most} pre-trainings in turn, which the intervals count as a level above the seeds."
