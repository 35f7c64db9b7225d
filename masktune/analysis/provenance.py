"""By which code and in which precision runs were made. The costs of runs that were made differently never mix."""

import pandas as pd

COLUMNS = ["source", "precision"]  # the digest of the package's source, and what training computed in
NOT_STORED = "not stored"
DIGITS = 7  # of a digest that a reader sees


def complete(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with the two COLUMNS as text; NOT_STORED where a run does not say."""
    columns = {name: runs[name] if name in runs else pd.Series(None, runs.index, dtype=object) for name in COLUMNS}
    return runs.assign(**{name: values.astype(object).fillna(NOT_STORED) for name, values in columns.items()})


def describe(source: str, precision: str) -> str:
    """`bf16, code 1a2b3c4`, as a reader sees it."""
    return f"{_precision(precision)}, {_code(source)}"


def describe_rows(frame: pd.DataFrame) -> pd.Series:
    """How the runs of each row were made."""
    texts = [describe(*row) for row in frame[COLUMNS].itertuples(index=False)]
    return pd.Series(texts, index=frame.index, dtype=object)


def add_to_titles(titles: pd.Series, frame: pd.DataFrame) -> pd.Series:
    """The titles of the rows, each with how its runs were made where the rows differ in that."""
    texts = describe_rows(frame)
    return titles + ", " + texts if texts.nunique() > 1 else titles


def common_note(frame: pd.DataFrame) -> str:
    """How all runs were made, after a colon; empty where they were made differently."""
    texts = set(describe_rows(frame))
    return f": all in {texts.pop()}" if len(texts) == 1 else ""


def mixed_note(runs: pd.DataFrame) -> str:
    """A sentence, with a space before it, where finished runs were made differently; empty where they were not."""
    done = complete(runs[runs["status"] == "done"])
    titles = {"source": _code, "precision": _precision}
    parts = [
        ", ".join(
            f"{count:,} {'by' if column == 'source' else 'in'} {titles[column](value)}" for value, count in counts
        )
        for column in COLUMNS
        if len(counts := sorted(done[column].value_counts().items())) > 1
    ]
    return f" The runs were not all made alike: {'; '.join(parts)}." if parts else ""


def _code(source: str) -> str:
    return "code that was not stored" if source == NOT_STORED else f"code {source[:DIGITS]}"


def _precision(name: str) -> str:
    return "a precision that was not stored" if name == NOT_STORED else name
