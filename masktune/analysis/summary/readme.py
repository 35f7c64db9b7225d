"""What is generated in README: the findings, as tables of tests and of gates with a few sentences, and the studies."""

from collections.abc import Iterable, Sequence
from textwrap import TextWrapper
from typing import Any

import pandas as pd

from masktune.analysis.claims.gates import CONTROL
from masktune.analysis.claims.tables import count_judged
from masktune.analysis.formatting import DASH, number
from masktune.analysis.summary import findings, page
from masktune.analysis.summary.records import Record

_LINES = TextWrapper(119, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
CLAIMS = ["claim that was tested", "study", "verdict", "difference", "comparisons"]
STUDIES = ["study", "question", "models"]
GATES = [
    "study", "runs that are in", "rows that trained", "sets whose control passed", "other comparisons",
    "run, and no gate closes", "interval above 0", "below 0",
]  # fmt: skip


def write(records: Sequence[Record]) -> str:
    """The findings: what was tested, how far the gates are open, and what no table holds."""
    shown = [record for record in records if record.has_results]
    tests = [row for record in shown for row in claims(record)]
    tables = [table(heads, rows) for heads, rows in ((CLAIMS, tests), (GATES, list(map(gates, shown)))) if rows]
    said = [line for record in shown for line in sentences(record)] + findings.not_run(records)
    return "\n\n".join([*tables, "\n".join(line for text in said for line in _LINES.wrap(f"- {text}"))])


def studies(records: Sequence[Record]) -> str:
    """What each study asks, and of which models."""
    return table(STUDIES, [page.study_cells(record)[: len(STUDIES)] for record in records])


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    return "\n".join(map(page.line, [heads, ["---"] * len(heads), *rows]))


def claims(record: Record) -> list[list[str]]:
    """A row for each claim of the headline that has a test."""
    return [_claim(record.name, row) for row in findings.headline(record).itertuples()]


def _claim(study: str, row: Any) -> list[str]:
    difference = DASH if pd.isna(row.difference) else f"{number(row.difference, sign=True)}{findings.ends(row)}"
    judged = f"{count_judged(row)}, {findings.seeds(row)}"
    return [findings.statement(row), f"`{study}`", f"**{row.verdict}**", difference, judged]


def gates(record: Record) -> list[str]:
    """How much of a study is in, how many of its gates are open, and what its other comparisons came to."""
    trained, contrasts, rest = record.table("trained"), record.table("gates"), findings.others(record)
    rows = trained["trained"].astype(bool) if len(trained) else trained
    control = contrasts[contrasts["role"] == CONTROL]["passed"].eq("passed") if len(contrasts) else contrasts
    others = map(str, (len(rest), *findings.sides(rest))) if len(rest) else [DASH] * 4
    in_all = f"{len(record.done):,} of {len(record.declared):,}"
    return [f"`{record.name}`", in_all, _share(rows), _share(control), *others]


def sentences(record: Record) -> list[str]:
    """What no table holds: results without tables, differences at equal accuracy, hypotheses about slopes."""
    said = [*findings.untabled(record), *findings.at_equal_accuracy(record), *findings.slopes(record)]
    return [f"`{record.name}`: {' '.join(said)}"] if said else []


def _share(passed: pd.Series | pd.DataFrame) -> str:
    return f"{int(passed.to_numpy().sum())} of {len(passed)}" if len(passed) else DASH
