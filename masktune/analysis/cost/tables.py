"""Tables of the cost."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from masktune.analysis import names, provenance
from masktune.analysis.cost import numbers
from masktune.analysis.cost.formatting import NOT_MEASURED, duration, ratio
from masktune.analysis.formatting import DASH, MINUS, count, interval
from masktune.analysis.table import Table

if TYPE_CHECKING:
    from IPython.display import Markdown

MADE = "Made in"  # the column that says how the runs were made, see analysis.provenance


def overhead(runs: pd.DataFrame) -> Table:
    """How many times what the first method takes: time, a column a task; memory and energy over the tasks."""
    frame = numbers.overhead(runs)
    first = frame["first"].iloc[0] if len(frame) else "the first method"
    caption = (
        f"How many times what {first} takes at the same training (learning rates aside): training time of a run on "
        f"each task, geometric mean over {count(frame['seeds'], 'paired seed')} [95 % t interval over seeds]; peak "
        "memory and energy, geometric means over the tasks as well. Wall times of cells that may have run side by "
        "side; what a method prepares once for all seeds is not in them. Peak memory is that of "
        "the GPU where there is one, else of the whole process with all it has loaded. Only runs in the same "
        f"precision and by the same code are compared{provenance.common_note(frame)}."
    )
    return Table("overhead", f"Cost relative to {first}", caption, frame, _overhead_shown(frame))


def _overhead_shown(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each model, method and provenance."""
    ends = zip(frame["time"], frame["low"], frame["high"], strict=True)
    texts = frame.assign(
        text=[ratio(*row) for row in ends], task=frame["task"].map(names.task), made=provenance.describe_rows(frame)
    )
    place = ["model", "second", "made"]
    rows = texts.groupby(place, sort=False)
    shown = texts.pivot_table(index=place, columns="task", values="text", aggfunc="first", sort=False)
    shown = shown.reindex(index=rows.size().index, columns=list(dict.fromkeys(texts["task"]))).fillna(DASH)
    for title, column in (("Peak memory", "memory"), ("Energy", "energy")):
        shown[title] = [ratio(numbers.geometric_mean(values)) for _, values in rows[column]]
    shown = shown.reset_index().rename(columns={"model": "Model", "second": "Method", "made": MADE})
    shown["Model"] = shown["Model"].map(names.model)
    return _with_provenance(shown.rename_axis(columns=None))


def _with_provenance(shown: pd.DataFrame) -> pd.DataFrame:
    """The rows with the column that says how the runs were made only if it differs between them."""
    return shown if shown[MADE].nunique() > 1 else shown.drop(columns=MADE)


def efficiency(runs: pd.DataFrame, main: pd.DataFrame) -> Table:
    """Accuracy per hour and per watt-hour. `main`: `accuracy.numbers.main`."""
    frame = numbers.efficiency(runs, main)
    columns = {MADE: provenance.describe_rows(frame), "Hours a run": [f"{value:.3g}" for value in frame["hours"]]}
    for unit, divisor in (("hour", frame["hours"]), ("watt-hour", frame["watt_hours"])):
        for name, accuracy in (("in", frame["inside"]), ("out", frame["outside"])):
            columns[f"An {unit}, {name}" if unit == "hour" else f"A {unit}, {name}"] = _quotients(accuracy / divisor)
    shown = _with_provenance(_with_place(frame, Method=frame["method"]).assign(**columns))
    caption = (
        "Accuracy in per cent, in and out of distribution (means over sets and seeds), divided by the hours of "
        "training and evaluation and by the energy of one run. Such a quotient rewards whatever is small and quick: it "
        "compares methods on one model and one task, and nothing else."
    )
    return Table("efficiency", "Accuracy for time and energy", caption, frame, shown)


def _quotients(values: pd.Series) -> list[str]:
    return [NOT_MEASURED if pd.isna(value) else f"{value:,.0f}" for value in values]


def total(runs: pd.DataFrame) -> Table:
    """The time of the whole study, by phase."""
    frame = numbers.total(runs)
    known = "" if not frame["unknown"].any() else "at least "
    sums = {"Phase": "all together", "Time": known + duration(frame["seconds"].sum()), "Runs": "", "Not known of": ""}
    shown = pd.DataFrame(
        {
            "Phase": frame["phase"],
            "Time": [
                NOT_MEASURED if row.runs and row.unknown == row.runs else duration(row.seconds)
                for row in frame.itertuples()
            ],
            "Runs": frame["runs"].astype(str),
            "Not known of": frame["unknown"].astype(str),
        }
    )
    joules = numbers.complete(runs)[numbers.ENERGY].sum(axis=1, min_count=1).sum(min_count=1)
    energy = f"was {NOT_MEASURED}" if pd.isna(joules) else f"where it was measured: {joules / 3600:,.1f} watt-hours"
    caption = (
        "The whole study, added up over its runs; a failed run counts as far as it left its time. Making and adapting "
        f"the pre-trained models is not in it: it is done once and kept. What methods prepare of the examples is "
        "kept too, but stored as if nothing had been: what several cells share counts in each of them. "
        f"Energy {energy}.{provenance.mixed_note(runs)}"
    )
    return Table("total", "The whole study", caption, frame, pd.concat([shown, pd.DataFrame([sums])]))


def grouping(runs: pd.DataFrame) -> "Table | Markdown":
    """Whether grouping batches by length costs accuracy; a sentence where no row of the study can show it."""
    from IPython.display import Markdown

    frame = numbers.grouping(runs)
    if frame.empty:
        return Markdown(
            "This study has no finished row with random batches and the same row with grouped ones. Such a row says "
            "`training = { sampling = ... }`."
        )
    ends = zip(frame["difference"], frame["low"], frame["high"], strict=True)
    shown = _with_place(frame, Set=frame["set"].map(names.evaluation_set)).assign(
        **{
            f"Grouped {MINUS} random [95 %]": [interval(*row, sign=True) for row in ends],
            "Speed-up": [ratio(value) for value in frame["speedup"]],
            "Seeds": frame["seeds"],
        }
    )
    caption = (
        "Accuracy with batches grouped by length minus accuracy with random ones, in points, mean over "
        f"{count(frame['seeds'], 'paired seed')} [95 % t interval over seeds]; the method and all else are the same. "
        "Speed-up: the training time of an example in random batches over that in grouped ones."
    )
    return Table("grouping", "Grouping by length and accuracy", caption, frame, shown)


def _with_place(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """Task and model with their titles, then these columns."""
    place = {"Task": frame["task"].map(names.task), "Model": frame["model"].map(names.model)}
    return pd.DataFrame({**place, **columns})
