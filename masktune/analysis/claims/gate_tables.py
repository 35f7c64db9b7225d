"""The gates of a study laid out for reading: which rows trained, and what each set can tell."""

from typing import Any

import pandas as pd

from masktune.analysis.claims.gates import CONTROL
from masktune.analysis.formatting import CROSSED, DASH, MINUS, VARIES, count, interval, number
from masktune.analysis.table import Table, name_columns, name_values
from masktune.study.design.gates import Gates


def trained(frame: pd.DataFrame, gates: Gates) -> Table:
    """A row for each model, task and method. `frame`: `gates.Outcome.trained`."""
    rows = list(frame.itertuples())
    shown = name_values(frame[["task", "model", "method"]]).assign(
        accuracy=[interval(row.accuracy, row.low, row.high) for row in rows],
        asked=[f"{row.asked_accuracy:g}" for row in rows],
        below=[f"{row.seeds_below} of {row.seeds}" for row in rows],
        loss=[DASH if pd.isna(row.loss) else f"{row.loss:.3f} ({100 * row.loss_share:.0f} %)" for row in rows],
        trained=["yes" if row.trained else f"no: {row.reason}" for row in rows],
    )
    caption = (
        f"Did it train? Declared on {gates.declared}: mean accuracy in distribution (%, 95 % t interval over seeds; "
        f"{count(frame['seeds'], 'seed')}) reaches what is asked for, and the classification loss at the end of "
        f"training, in nats and as a share of ln(classes), is at most {100 * gates.trained.loss:g} % of that; the mean "
        "of what was logged in the last tenth of training. A row that did not train has no verdict on robustness. "
        f"{VARIES}. A dash: no such loss was logged, or it knows a bias model and is no cross-entropy against the "
        "labels; then the accuracy decides alone."
    )
    titles = {"accuracy": "In distribution [95 %]", "asked": "Asked for", "below": "Seeds below", "loss": "Loss"}
    return Table("trained", "Did it train?", caption, frame, name_columns(shown, {**titles, "trained": "Trained"}))


def contrasts(frame: pd.DataFrame, gates: Gates) -> Table:
    """A row for each model and set out of distribution, a column for the control and each remedy.

    `frame`: `gates.Outcome.contrasts`.
    """
    at = frame[["task", "model", "set"]].drop_duplicates()
    wide, places = name_values(at), list(at.itertuples(index=False, name=None))
    by_place = {(row.task, row.model, row.set, row.role, row.method): row for row in frame.itertuples()}
    for role, method, against in dict.fromkeys(zip(frame["role"], frame["method"], frame["against"], strict=True)):
        texts = [_contrast(by_place.get((*place, role, method))) for place in places]
        wide[f"{'Control: ' * (role == CONTROL)}{method} {MINUS} {against} [95 %]"] = texts
    caption = (
        f"Can the set tell, do known remedies help? Declared on {gates.declared}. Differences in points of accuracy "
        f"[{CROSSED}], {count(frame['seeds'], 'paired seed')}, {count(frame['examples'], 'example')} a set. "
        f"{_control_note(gates)}{_remedies_note(gates)} Where one of the two rows did not train the difference shows "
        f"nothing of either. {VARIES}. A dash: not run."
    )
    return Table("gates", "Can the sets tell?", caption, frame, name_columns(wide))


def _contrast(row: Any) -> str:
    if row is None:
        return DASH
    return f"{interval(row.difference, row.low, row.high, sign=True)} {row.passed}"


def _control_note(gates: Gates) -> str:
    if gates.control is None:
        return "No positive control was declared, so that nothing says whether a set can tell."
    return (
        f"Control, passed: {gates.control.label} gains at least {number(gates.control.gain)} points over "
        f"{gates.control.against}, with an interval above 0; else the set cannot tell a robust model from another, and "
        "no claim has a verdict on it."
    )


def _remedies_note(gates: Gates) -> str:
    if gates.remedies is None:
        return " No remedies were declared."
    return " A remedy gains where its interval lies above 0; that is shown beside the verdicts and closes none."
