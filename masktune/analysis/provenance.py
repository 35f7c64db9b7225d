"""By which code and in which precision runs were made: what tables say of it, and what cost never mixes."""

import pandas as pd

ORIGIN = ["source", "precision"]  # the digest of the package's source, and what training computed in
NOT_STORED = "not stored"
DIGITS = 7  # of a digest that a reader sees


def complete(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with the columns ORIGIN as text; NOT_STORED where a run does not say."""
    columns = {name: runs[name] if name in runs else pd.Series(None, runs.index, dtype=object) for name in ORIGIN}
    return runs.assign(**{name: values.astype(object).fillna(NOT_STORED) for name, values in columns.items()})


def named(source: str, precision: str) -> str:
    """`bf16, code 1a2b3c4`, as a reader sees it."""
    return f"{_precision(precision)}, {_code(source)}"


def labels(frame: pd.DataFrame) -> pd.Series:
    """How the runs of each row were made."""
    made = [named(*row) for row in frame[ORIGIN].itertuples(index=False)]
    return pd.Series(made, index=frame.index, dtype=object)


def apart(titles: pd.Series, frame: pd.DataFrame) -> pd.Series:
    """These titles of the rows, with how their runs were made where that is not the same everywhere."""
    made = labels(frame)
    return titles + ", " + made if made.nunique() > 1 else titles


def common(frame: pd.DataFrame) -> str:
    """How all runs were made, after a colon, where that is the same everywhere."""
    made = set(labels(frame))
    return f": all in {made.pop()}" if len(made) == 1 else ""


def mixed(runs: pd.DataFrame) -> str:
    """A sentence, with a space before it, on finished runs that were not made alike; nothing where all were."""
    done = complete(runs[runs["status"] == "done"])
    names = {"source": _code, "precision": _precision}
    parts = [
        ", ".join(f"{count:,} {'by' if column == 'source' else 'in'} {names[column](value)}" for value, count in counts)
        for column in ORIGIN
        if len(counts := sorted(done[column].value_counts().items())) > 1
    ]
    return f" The runs were not all made alike: {'; '.join(parts)}." if parts else ""


def _code(source: str) -> str:
    return "code that was not stored" if source == NOT_STORED else f"code {source[:DIGITS]}"


def _precision(name: str) -> str:
    return "a precision that was not stored" if name == NOT_STORED else name
