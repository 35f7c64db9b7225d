"""Tables of the ablations: one sweep, and every variant by its difference from fine-tuning."""

import pandas as pd

from masktune.analysis import names
from masktune.analysis.ablations import numbers
from masktune.analysis.ablations.settings import TITLES, value_text
from masktune.analysis.accuracy.numbers import SECONDARY
from masktune.analysis.formatting import (
    CROSSED,
    VARIES,
    count,
    interval,
    number,
    p_value,
    secondary_metrics,
    secondary_metrics_note,
)
from masktune.analysis.table import Table, name_columns, name_values


def sweep(swept: pd.DataFrame, factor: str) -> Table:
    """A sweep laid out for reading: a row for each set and value. `swept`: rows of `numbers.sweep`."""
    shown = swept[["task", "model", "set", "kind"]].assign(value=[value_text(value) for value in swept[factor]])
    texts = zip(swept["accuracy"], *(swept[name] for name in (*SECONDARY, "majority")), strict=True)
    shown["accuracy"] = [f"{value:.1f}{secondary_metrics(*rest)}" for value, *rest in texts]
    ends = zip(swept["difference"], swept["low"], swept["high"], strict=True)
    shown["difference"] = [interval(*row, sign=True) for row in ends]
    shown["p"] = [p_value(*row) for row in zip(swept["p_bh"], swept["smallest_p"], strict=True)]
    shown["seeds"] = swept["seeds"]
    title = TITLES[factor]
    titles = {"value": title[0].upper() + title[1:], "difference": "Difference [95 %]"}
    shown = name_columns(name_values(shown), titles)
    return Table(f"sweep_{factor}", f"By {title}", _caption(swept, title), swept, shown)


def _caption(swept: pd.DataFrame, title: str) -> str:
    family, missing = (int(swept[name].max()) if len(swept) else 0 for name in ("family", "missing"))
    absent = f", {missing} of which have no finished runs and count as 1" if missing else ""
    return (
        f"Accuracy in per cent, and its difference from fine-tuning at the same training in points [{CROSSED}], by "
        f"{title}, all other settings as in the main row; {count(swept['seeds'], 'paired seed')}, "
        f"{count(swept['examples'], 'example')} a set. {VARIES}. p: two-sided sign-flip test over paired seeds, "
        f"corrected by Benjamini-Hochberg over the {family} comparisons declared for this table, those of the "
        f"main row among them{absent}; in brackets the smallest that so many seeds allow."
        f"{secondary_metrics_note(swept)}"
    )


def variants(variants: pd.DataFrame) -> Table:
    """Every variant by its mean difference out of distribution, the best first. `variants`: `numbers.variants`."""
    frame = numbers.rank(variants)
    shown = pd.DataFrame(
        {
            "task": frame["task"].map(names.task),
            "model": frame["model"].map(names.model),
            "method": frame["label"],
            "outside": [number(value, sign=True) for value in frame["out_of_distribution"]],
            "inside": [number(value, sign=True) for value in frame["in_distribution"]],
            "above": frame["above"],
            "below": frame["below"],
            "sets": frame["sets"],
        }  # fmt: skip
    )
    caption = (
        "Mean difference from fine-tuning at the same training in points, over the sets of a kind and "
        f"{count(frame['seeds'], 'paired seed')}; on how many of the out-of-distribution sets the 95 % t interval over "
        "paired seeds x clusters of examples lies above and below zero. Not corrected: with so many variants the best "
        "is best partly by luck."
    )
    titles = {"outside": "OOD", "inside": "In-distribution", "above": "Above 0", "below": "Below 0", "sets": "OOD sets"}
    return Table("readings", "Every variant", caption, frame, name_columns(shown, titles))
