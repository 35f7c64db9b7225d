"""The table of the chosen settings."""

import json

import pandas as pd

from masktune.analysis import names
from masktune.analysis.formatting import count
from masktune.analysis.table import Table, pivot


def trials(frame: pd.DataFrame) -> Table:
    """The chosen settings of each method and model, a column for each task, with their validation accuracy.

    `frame`: `numbers.read`.
    """
    chosen = frame[frame["chosen"]]
    texts = [f"{_words(row.settings)} ({100 * row.validation:.1f})" for row in chosen.itertuples()]
    cells = chosen.assign(text=texts, model=chosen["model"].map(names.model), task=chosen["task"].map(names.task))
    wide = pivot(cells, ["label", "model"], "task", "text")
    caption = (
        f"The best of {count(frame.groupby(['label', 'model', 'task']).size(), 'trial')} for each method, model and "
        "task, with its accuracy in per cent on in-distribution validation, one run a trial on a seed that is in no "
        "result; what varies between trials: the settings named."
    )
    return Table(
        "tuned", "What tuning chose", caption, frame, wide.rename(columns={"label": "Method", "model": "Model"})
    )


def _words(settings: str) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in json.loads(settings).items())
