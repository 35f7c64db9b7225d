"""What the places and slopes of a study say, in sentences."""

import pandas as pd

from masktune.analysis import names
from masktune.analysis.collapse.numbers import PARTLY, WHOLE, Collapse
from masktune.analysis.formatting import MINUS, count, interval, join_words, number, p_value
from masktune.study.design.claims import LEVEL, Slopes

NONE_DECLARED = "This study declares no slopes."


def steps(number_of: float) -> str:
    """`6,315 steps`."""
    return f"{number_of:,.0f} steps"


def language_model(adaptation: float) -> str:
    """What a language model is called by the steps that it was adapted for."""
    return f"adapted for {steps(adaptation)}" if adaptation else "not adapted"


def hypothesis(declared: Slopes) -> str:
    """The declared hypothesis."""
    counted = declared.unadapted_as
    none = "" if counted is None else f" (none counts as {counted:g})"
    return (
        f"Declared: what {declared.method} loses against {declared.against} {declared.kind.replace('_', ' ')} "
        f"falls with the logarithm of the {' and of the '.join(declared.over)}{none}: "
        f"{'both slopes are' if len(declared.over) > 1 else 'the slope is'} below zero."
    )


def collapse(found: Collapse) -> list[str]:
    """The hypothesis and what became of it, where the loss is largest and smallest, and the gradients."""
    if not found.declared:
        return [NONE_DECLARED]
    sentences = []
    for declared in found.declared:
        sentences.append(hypothesis(declared))
        for _, rows in found.slopes[found.slopes["kind"] == declared.kind].groupby("task", sort=False):
            sentences += outcome(rows)
    return [*sentences, *losses(found), *gradients(found)]


def outcome(rows: pd.DataFrame) -> list[str]:
    """What the slopes of one task come to. `rows`: those of `numbers.evaluate` with one task and kind."""
    whole, partly = (rows[rows["basis"] == basis] for basis in (WHOLE, PARTLY))
    first = whole.iloc[0]
    having = f"{first['seeds']} of {first['declared_seeds']} seeds have all {first['places']} places"
    if not first["seeds"]:
        said = [f"{names.task(first['task'])}: {having}, so that nothing is tested yet."]
    else:
        said = [f"{names.task(first['task'])}: {having}. {_slopes(whole)} {_verdict(whole)}"]
    if len(partly) and partly["seeds"].iloc[0]:
        some = partly.iloc[0]
        said.append(
            f"Of what is there, an estimate that is not the declared one: {count(partly['seeds'], 'seed')} with "
            f"{some['fewest_places']} of {some['places']} places or more. {_slopes(partly)}"
        )
    elif len(partly):
        said.append("The places that are there do not tell the slopes of any seed.")
    return said


def _slopes(rows: pd.DataFrame) -> str:
    """Each slope with its interval and, where it was tested, its p value."""
    parts = [
        f"{interval(row.slope, row.low, row.high, sign=True)} points with ten times the {row.over}"
        + (f" (p {p_value(row.p, row.smallest_p)})" if pd.notna(row.p) else "")
        for row in rows.itertuples()
    ]
    return f"The loss changes by {join_words(parts)}."


def _verdict(rows: pd.DataFrame) -> str:
    """Whether every slope is shown to be below zero; each has to be, so that none is corrected for the others."""
    if rows["p"].isna().any():
        return f"That is too few seeds for a test at {LEVEL:g}."
    clear = rows["p"] <= LEVEL
    below, above = ((clear & side) for side in (rows["high"] < 0, rows["low"] > 0))
    if below.all():
        return f"The hypothesis holds: {'both lie' if len(rows) > 1 else 'it lies'} below zero."
    shown = [f"that of the {over} lies below zero" for over in rows.loc[below, "over"]]
    shown += [f"that of the {over} lies above zero" for over in rows.loc[above, "over"]]
    shown += [f"that of the {over} is not told from zero" for over in rows.loc[~below & ~above, "over"]]
    return f"The hypothesis is not shown: {join_words(shown)}."


def losses(found: Collapse) -> list[str]:
    """For each set, where the loss is largest and where it is smallest, and how many intervals clear zero."""
    method, against = found.declared[0].method, found.declared[0].against
    sentences = []
    for (task, name), rows in found.losses.groupby(["task", "set"], sort=False, observed=True):
        there, above, below = len(rows), int((rows["low"] > 0).sum()), int((rows["high"] < 0).sum())
        most, least = rows.loc[rows["loss"].idxmax()], rows.loc[rows["loss"].idxmin()]
        ends = f"most {_place(most)}" if there == 1 else f"most {_place(most)}, least {_place(least)}"
        sentences.append(
            f"{names.task(task)}, {names.evaluation_set(name)} ({there} of {found.total} places): {against} {MINUS} "
            f"{method} is {ends}. The interval lies above zero, where {method} loses, at {above}, and below at {below}."
        )
    return sentences or ["No place has finished runs of both methods."]


def _place(row: pd.Series) -> str:
    shown = interval(row["loss"], row["low"], row["high"], sign=True)
    return f"{shown} points ({language_model(row['adaptation_steps'])}, {steps(row['training_steps'])} of fine-tuning)"


def gradients(found: Collapse) -> list[str]:
    """The ratio of the two norms at the beginning and at the end of the shortest and the longest training."""
    sentences = []
    for (_, adaptation), rows in found.ratios.groupby(["task", "adaptation_steps"], sort=True):
        lengths = sorted(rows["training_steps"].unique())
        parts = [_course(rows[rows["training_steps"] == length], length) for length in lengths]
        sentences.append(
            f"Language model {language_model(adaptation)}: the masked-LM gradient is {join_words(parts)} times as long "
            "as that of the classification."
        )
    return sentences or ["No finished run has measured its gradients."]


def _course(rows: pd.DataFrame, length: float) -> str:
    ordered = rows.sort_values("share")["ratio"]
    return f"in {steps(length)} {number(ordered.iloc[0])} (first tenth) and {number(ordered.iloc[-1])} (last)"
