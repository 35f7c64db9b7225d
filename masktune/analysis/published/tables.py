"""The table of published accuracies."""

import pandas as pd

from masktune.analysis.formatting import VARIES, count, interval, join_words, number
from masktune.analysis.table import Table, name_columns, name_values


def beside_published(frame: pd.DataFrame) -> Table:
    """A row for each set. `frame`: `numbers.beside_published`."""
    shown = name_values(frame[["task", "model", "set"]])
    rows = zip(*(frame[name] for name in ("accuracy", "low", "high")), strict=True)
    shown["accuracy"] = [interval(*row) for row in rows]
    shown["published"] = [number(value) for value in frame["published"]]
    shown["difference"] = [number(value, sign=True) for value in frame["difference"]]
    shown["differs"] = frame["differs"]
    shown["seeds"], shown["examples"] = frame["seeds"], frame["examples"]
    caption = (
        f"Accuracy of fine-tuning in per cent: mean over {count(frame['seeds'], 'seed')} [95 % t interval over seeds, "
        f"within 0 to 100], beside the published one ({join_words(list(dict.fromkeys(frame['of'])))}). {VARIES}. The "
        "published numbers are single ones of other training on other examples: agreement within a few points is what "
        "can be asked."
    )
    titles = {"published": "Published", "difference": "Difference", "differs": "What differs"}
    return Table("published", "Beside what was published", caption, frame, name_columns(shown, titles))
