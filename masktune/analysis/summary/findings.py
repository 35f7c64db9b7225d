"""Sentences on what the studies found. No sentence knows a direction: its words are those of the verdicts."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from masktune.analysis import names
from masktune.analysis.accuracy.numbers import PLACE
from masktune.analysis.claims.gates import CONTROL, REMEDY
from masktune.analysis.claims.tables import count_judged
from masktune.analysis.claims.verdicts import CONTROL_FAILED, DID_NOT_TRAIN, VERDICTS, decide, is_closed
from masktune.analysis.formatting import MINUS, count, interval, join_words, number
from masktune.analysis.readings import text as readings
from masktune.analysis.summary.records import Record
from masktune.statistics.gates import FAILED, PASSED
from masktune.study.design.claims import LEVEL

MOST_PAIRS = 10  # of rows, whose differences are told one by one
ALL_PLACES = "all places"  # in the stored table of slopes: of the seeds that the hypothesis is about


def bullets(records: Iterable[Record]) -> list[str]:
    """One bullet for each study with results, and those that name the studies without."""
    records = list(records)
    found = [f"**{record.study.title}** (`{record.name}`). {study(record)}" for record in records if record.has_results]
    return [*found, *not_run(records)]


def study(record: Record) -> str:
    """What a study with results found: how much of it is in, its gates, its declared tests, its estimates."""
    found = [*gates(record), *tested(record), *at_equal_accuracy(record), *slopes(record)]
    found += [*estimated(record), *estimates(record)]
    return " ".join([state(record), *untabled(record), *found])


def state(record: Record) -> str:
    """How many of the declared runs are in."""
    done, declared = len(record.done), len(record.declared)
    failed = f", {record.failed:,} failed" if record.failed else ""
    return f"{'All' if done == declared else f'{done:,} of'} {declared:,} declared runs are in{failed}."


def untabled(record: Record) -> list[str]:
    """A sentence where a study with claims has runs, and no table of them by the code of today."""
    if not record.study.claims or len(record.table("conclusions")):
        return []
    return ["Its tables are still to be made (`make figures`)."]


def not_run(records: Iterable[Record]) -> list[str]:
    """Which studies have no results; those whose results are of an earlier declaration are told apart."""
    without = [record for record in records if not record.has_results]
    groups = {
        "Declared and not run yet": [record for record in without if not record.is_outdated],
        "Changed since its results were stored, and not run again yet": [r for r in without if r.is_outdated],
    }
    return [f"**{title}**: {_named(group)}." for title, group in groups.items() if group]


def _named(records: Sequence[Record]) -> str:
    return join_words([f"`{record.name}` ({len(record.declared):,} runs)" for record in records])


# ---- gates


def gates(record: Record) -> list[str]:
    """What the declared gates of a study came to; nothing where it declares none."""
    if record.study.gates is None:
        return []
    trained, contrasts = record.table("trained"), record.table("gates")
    return [*_trained(trained), *_control(contrasts), *_remedies(contrasts)]


def _trained(frame: pd.DataFrame) -> list[str]:
    if frame.empty:
        return []
    failed = frame[~frame["trained"].astype(bool)]
    rows = f"{len(frame)} rows (method x model x task)"
    if failed.empty:
        return [f"Did it train? All {rows} did."]
    return [f"Did it train? {len(failed)} of {rows} did not: {untrained(failed)}."]


def untrained(failed: pd.DataFrame) -> str:
    """The methods that did not train, each with where."""
    by_method = failed.groupby("method", sort=False)
    return "; ".join(f"{method} ({_places(rows)})" for method, rows in by_method)


def _places(rows: pd.DataFrame) -> str:
    return ", ".join(f"{names.model(row.model)} on {names.task(row.task).lower()}" for row in rows.itertuples())


def _control(frame: pd.DataFrame) -> list[str]:
    """On how many sets the positive control passed, and which sets are closed by it."""
    own = frame[frame["role"] == CONTROL] if len(frame) else frame
    if own.empty:
        return []
    passed = int(own["passed"].eq(PASSED).sum())
    spans = f"{number(own['difference'].min(), sign=True)} to {number(own['difference'].max(), sign=True)} points"
    said = f"Can the sets tell? The positive control ({own['method'].iloc[0]}) passed on {passed} of "
    said += f"{len(own)} (model x set), {spans} where {own['asked'].iloc[0]:g} are asked for"
    groups = ((CONTROL_FAILED, FAILED), (f"control {DID_NOT_TRAIN}", DID_NOT_TRAIN))
    closed = [
        f"{title}: {_sets(own[own['passed'] == shown])}" for title, shown in groups if (own["passed"] == shown).any()
    ]
    return [f"{'; '.join([said, *closed])}."]


def _sets(rows: pd.DataFrame) -> str:
    return ", ".join(f"{names.model(row.model)} on {names.evaluation_set(row.set)}" for row in rows.itertuples())


def _remedies(frame: pd.DataFrame) -> list[str]:
    own = frame[frame["role"] == REMEDY] if len(frame) else frame
    if own.empty:
        return []
    counts = []
    for method, rows in own.groupby("method", sort=False):
        untold = int(rows["passed"].eq(DID_NOT_TRAIN).sum())
        note = f" ({untold} {DID_NOT_TRAIN})" if untold else ""
        counts.append(f"{method} on {int(rows['passed'].eq('gains').sum())} of {len(rows)}{note}")
    return [f"Known remedies gain: {join_words(counts)} (model x set)."]


# ---- claims


def tested(record: Record) -> list[str]:
    """A sentence for each claim of the headline family that has a test."""
    return [claim(row) for row in headline(record).itertuples()]


def headline(record: Record) -> pd.DataFrame:
    """The conclusions on the claims of the headline family that have a test."""
    frame = record.table("conclusions")
    return frame if frame.empty else frame[(frame["family"] == "headline") & (frame["test"] != "estimate")]


def claim(row: Any) -> str:
    """The statement of a claim, its verdict with the reason if it has one, and its differences."""
    reason = f" ({row.reason})" if row.reason else ""
    return f"{statement(row)}: **{row.verdict}**{reason}{_differences(row)}."


def statement(row: Any) -> str:
    """What a claim says, as a sentence begins."""
    return f"{row.statement[0].upper()}{row.statement[1:]}"


def ends(row: Any) -> str:
    """The lowest and the highest difference of a claim, in brackets; "" where there is one."""
    return f" ({number(row.lowest, sign=True)} to {number(row.highest, sign=True)})" if row.judged != 1 else ""


def seeds(row: Any) -> str:
    """`10 seeds`, or `10 to 20 seeds` where comparisons of a claim have not as many."""
    return count(pd.Series([row.fewest_seeds, row.seeds]), "seed")


def _differences(row: Any) -> str:
    if pd.isna(row.difference):
        return ""
    spread = f" on average{ends(row)}" if ends(row) else ""
    return f"; {number(row.difference, sign=True)} points{spread}, comparisons: {count_judged(row)}, {seeds(row)}"


def at_equal_accuracy(record: Record) -> list[str]:
    """What is left of the differences that headline claims test, no gate closed, where both rows know the task as well.

    Accuracy in distribution and out of it rise and fall together: a difference at the end of training alone does not
    tell a more robust row from one that has learnt less.
    """
    frame, claims = record.table("matched"), record.table("claims")
    if frame.empty or claims.empty:
        return []
    tested = (claims["family"] == "headline") & (claims["test"] == "superiority")
    shown = claims[tested & (claims["seeds"] > 0) & ~is_closed(claims)]
    place = [*PLACE, "method", "against"]
    return readings.matched(frame.merge(shown[place].drop_duplicates(), on=place))


def slopes(record: Record) -> list[str]:
    """The verdict on each hypothesis about slopes: what a method loses falls with ten times as many steps."""
    frame = record.table("slopes")
    return [
        _slopes(declared.method, rows)
        for declared in record.study.slopes
        if len(rows := _seeds_with_all_places(frame, declared.method, declared.kind))
    ]


def _seeds_with_all_places(frame: pd.DataFrame, method: str, kind: str) -> pd.DataFrame:
    if frame.empty:
        return frame
    own = (frame["basis"] == ALL_PLACES) & (frame["kind"] == kind) & (frame["method"] == method)
    return frame[own & (frame["seeds"] > 0)]


def _slopes(method: str, rows: pd.DataFrame) -> str:
    shown = rows["p"] <= LEVEL
    holds, opposite = int((shown & (rows["slope"] < 0)).sum()), int((shown & (rows["slope"] > 0)).sum())
    untestable = "too few seeds" if rows["p"].isna().any() else ""
    verdict = decide(holds, opposite, len(rows), untestable)
    slopes = [
        f"{interval(row.slope, row.low, row.high, sign=True)} with ten times the {row.over}"
        for row in rows.itertuples()
    ]
    return f"What {method} loses falls with more steps: **{verdict}**; in points, {join_words(slopes)}."


def estimated(record: Record) -> list[str]:
    """How the other comparisons of a study came out, counted by verdict."""
    rest = others(record)
    if rest.empty:
        return []
    said = f"Its {len(rest)} {'declared' if headline(record).empty else 'other declared'} comparisons"
    return [f"{said}: {_counted(rest)}."]


def estimates(record: Record) -> list[str]:
    """The other differences out of distribution between rows that trained, where they are few and their seeds are in.

    The verdict, and whether a set is known to tell, stand in the table of claims: this says how large they are.
    """
    rest = others(record)
    if rest.empty:
        return []
    whole = (rest["seeds"] > 0) & (rest["seeds"] == rest["declared_seeds"]) & (rest["verdict"] != DID_NOT_TRAIN)
    shown = rest[whole & (rest["kind"] == "out_of_distribution")]
    pairs = [rows for _, rows in shown.groupby(["method", "against", "model", "task"], sort=False)]
    if not 0 < len(pairs) <= MOST_PAIRS:
        return []
    return [f"Differences of these, in points: {'; '.join(map(_estimate, pairs))}."]


def _estimate(rows: pd.DataFrame) -> str:
    """The differences of one pair of rows of the grid, of one model on the sets of one task."""
    values = [
        f"{interval(row.difference, row.low, row.high, sign=True)} on {names.evaluation_set(row.set)}"
        for row in rows.itertuples()
    ]
    one = rows.iloc[0]
    where = f"{names.model(one['model'])} on {names.task(one['task']).lower()}, {count(rows['seeds'], 'seed')}"
    return f"{one['method']} {MINUS} {one['against']} ({where}) {join_words(values)}"


def others(record: Record) -> pd.DataFrame:
    """The comparisons of a study that no headline claim tests."""
    frame = record.table("claims")
    if frame.empty or record.table("conclusions").empty:
        return frame.iloc[:0]
    return frame[~frame["claim"].isin(headline(record)["claim"])]


def _counted(rows: pd.DataFrame) -> str:
    """`3 did not train, 9 not testable here; of 9 ... the interval lies above 0 on 2, below on 1`."""
    verdicts = rows["verdict"].value_counts()
    counts = [f"{verdicts[verdict]} {verdict}" for verdict in VERDICTS if verdict in verdicts]
    shown, above, below = sides(rows)
    if not shown:
        return ", ".join(counts)
    said = f"of {shown} that were run and no gate closes, the interval lies above 0 on {above}, below on {below}"
    return f"{', '.join(counts)}; {said}"


def sides(rows: pd.DataFrame) -> tuple[int, int, int]:
    """How many comparisons were run and no gate closes; of how many of these the interval lies above 0, and below."""
    shown = rows[rows["gate"].eq("") & (rows["seeds"] > 0)] if "gate" in rows else rows[rows["seeds"] > 0]
    return len(shown), int((shown["low"] > 0).sum()), int((shown["high"] < 0).sum())
