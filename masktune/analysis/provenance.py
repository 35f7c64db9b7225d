"""By which code and in which precision runs were made. The costs of runs that were made differently never mix.

Sources that are known to give the same runs to the bit (masktune.study.store.neutral) count as one where results are
compared, and stay apart where costs are: such a change may well be faster.
"""

import pandas as pd

from masktune.study.store import neutral

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
    done = _by_result(runs)
    titles = {"source": _code, "precision": _precision}
    parts = [
        ", ".join(
            f"{count:,} {'by' if column == 'source' else 'in'} {titles[column](value)}" for value, count in counts
        )
        for column in COLUMNS
        if len(counts := sorted(done[column].value_counts().items())) > 1
    ]
    return f" The runs were not all made alike: {'; '.join(parts)}." if parts else ""


def neutral_note(runs: pd.DataFrame) -> str:
    """A sentence, with a space before it, where runs of several sources count as one; empty where none do."""
    sources = set(complete(runs[runs["status"] == "done"])["source"])
    same = set(_by_result(runs)["source"])
    if len(sources) == len(same):
        return ""
    changes = [change for change in neutral.read() if {change.before, change.after} & sources]
    checked = {run for change in changes for run in change.checked}
    on = "".join(f" on {machine}" for machine in dict.fromkeys(change.on for change in changes) if machine)
    return (
        f" {len(sources)} sources of the package count as {len(same)}: {len(checked)} runs, trained again{on}, came "
        f"out the same to the bit ({neutral.FILE})."
    )


def _by_result(runs: pd.DataFrame) -> pd.DataFrame:
    """The finished runs with the COLUMNS, one source for all that give the same runs."""
    done, stands_for = complete(runs[runs["status"] == "done"]), neutral.representatives(neutral.read())
    return done.assign(source=[stands_for.get(source, source) for source in done["source"]])


def _code(source: str) -> str:
    return "code that was not stored" if source == NOT_STORED else f"code {source[:DIGITS]}"


def _precision(name: str) -> str:
    return "a precision that was not stored" if name == NOT_STORED else name
