"""Tables of the collapse: the loss at each place beside the gradients, and the declared slopes."""

from typing import Any

from masktune.analysis import names
from masktune.analysis.collapse.numbers import AT, PARTLY, PARTS, WHOLE, Collapse
from masktune.analysis.collapse.text import hypothesis, language_model
from masktune.analysis.formatting import CROSSED, DASH, MINUS, VARIES, count, interval, number, p_value
from masktune.analysis.table import Table, name_columns, name_values, pivot

_ONE_ADAPTATION = "Each language model was adapted once: what another adaptation would give is in no interval"


def losses(found: Collapse) -> Table:
    """A row for each place, a column for each set, and the median ratio of the gradients over training."""
    frame, first = found.losses, found.declared[0]
    cells = frame.assign(
        text=[interval(row.loss, row.low, row.high, sign=True) for row in frame.itertuples()],
        column=frame["set"].map(names.evaluation_set),
    ).sort_values(["task", *AT], kind="stable")
    wide = pivot(cells, ["task", *reversed(AT)], "column", "text")
    medians = found.ratios.groupby(["task", *reversed(AT)])["ratio"].median()
    ratios = [medians.get(tuple(place), None) for place in wide[["task", *reversed(AT)]].itertuples(index=False)]
    wide["ratio"] = [DASH if ratio is None else number(ratio) for ratio in ratios]
    wide["adaptation_steps"] = wide["adaptation_steps"].map(language_model)
    wide["training_steps"] = [f"{steps:,.0f}" for steps in wide["training_steps"]]
    caption = (
        f"Accuracy that {first.method} loses: {first.against} {MINUS} {first.method} after as many steps, in points "
        f"[{CROSSED}], {count(frame['seeds'], 'paired seed')}, {count(frame['examples'], 'example')} a set. Above zero "
        f"{first.method} is worse. Gradients: norm of the masked-LM term over that of the classification term before "
        f"weighting, the median over {PARTS} parts of training and over seeds. {VARIES}. {_ONE_ADAPTATION}. Nothing "
        "here is tested."
    )
    titles = {"adaptation_steps": "Language model", "training_steps": "Steps of fine-tuning", "ratio": "Gradients"}
    return Table("collapse", "What is lost, by steps", caption, frame, name_columns(name_values(wide), titles))


_BASES = {
    WHOLE: "seeds with all places: as declared",
    PARTLY: "the places that are there: an estimate beside the declared one",
}


def slopes(found: Collapse) -> Table:
    """A row for each quantity and basis."""
    frame = found.slopes
    shown = frame[["task", "kind", "over"]].assign(
        basis=frame["basis"].map(_BASES),
        slope=[_slope(row) for row in frame.itertuples()],
        p=[_p(row) for row in frame.itertuples()],
        seeds=[f"{row.seeds} of {row.declared_seeds}" for row in frame.itertuples()],
        places=[_places(row) for row in frame.itertuples()],
    )
    said = " ".join(dict.fromkeys(hypothesis(declared) for declared in found.declared))
    caption = (
        f"{said} Slopes: the change of the loss in points with ten times as many steps, least squares over the places "
        "of each seed, all quantities at once; their mean over seeds [95 % t interval]. p: two-sided sign-flip test "
        "over seeds, not corrected, as the hypothesis holds where every slope lies below zero. "
        f"{_ONE_ADAPTATION}."
    )
    titles = {
        "over": "Ten times the", "basis": "Fitted to", "slope": "Change of the loss [95 %]", "places": "Places",
    }  # fmt: skip
    return Table("slopes", "Slopes of the loss", caption, frame, name_columns(name_values(shown), titles))


def _slope(row: Any) -> str:
    return interval(row.slope, row.low, row.high, sign=True) if row.seeds else DASH


def _p(row: Any) -> str:
    return DASH if row.basis == PARTLY or not row.seeds else p_value(row.p, row.smallest_p)


def _places(row: Any) -> str:
    whole = row.fewest_places == row.places
    return str(row.places) if whole else f"{row.fewest_places} or more of {row.places}" if row.seeds else DASH
