"""Medians with their spread, and what was asked beside what was reached. Frames in, frames out."""

from dataclasses import dataclass
from typing import Any

import pandas

ARMS = {
    "stock": "(a) stock fine-tuning",
    "stock_padded": "(a') stock fine-tuning, padded to 128",
    "naive": "(b) naive Mask-tuning, stock Trainer",
    "fine_tuning": "(c) our fine-tuning",
    "mask_tuning": "(d) our Mask-tuning",
    "torch_dropout": "(e) as (d), torch's dropout masks",
    "torch_word_gradient": "(f) as (d), torch's gradient of word embeddings",
    "torch_both": "(g) as (d), torch's of both",
}
PLACE = ["size", "lengths"]


@dataclass(frozen=True)
class Target:
    """What was asked of a measure: at most, or at least, a value. For MiniLM on two CPU cores, declared beforehand."""

    value: float
    at_most: bool = True

    def __str__(self) -> str:
        return f"at {'most' if self.at_most else 'least'} {self.value:g}"

    def met(self, value: float) -> bool:
        return value <= self.value if self.at_most else value >= self.value


ASKED_AT = "MiniLM"
ASKED = {
    ("time d/a", "MNLI"): Target(0.5),
    ("time d/a", "SST-2"): Target(0.8),
    ("time b/d", "MNLI"): Target(6, at_most=False),
    ("time b/d", "SST-2"): Target(4, at_most=False),
    **{("time d/c over operations d/c", lengths): Target(1.15) for lengths in ("MNLI", "SST-2")},
    **{(f"{kind}memory d/c", lengths): Target(1.1) for kind in ("", "resident ") for lengths in ("MNLI", "SST-2")},
    **{("memory b/a", lengths): Target(2, at_most=False) for lengths in ("MNLI", "SST-2")},
}
# A ratio of two arms is taken within one repetition: what slows the machine for a while slows both.
RATIOS = {
    "time d/a": ("ms", "mask_tuning", "stock"),
    "time b/d": ("ms", "naive", "mask_tuning"),
    "time d/c": ("ms", "mask_tuning", "fine_tuning"),
    "operations d/c": ("operations", "mask_tuning", "fine_tuning"),
    "time e/d": ("ms", "torch_dropout", "mask_tuning"),
    "time f/d": ("ms", "torch_word_gradient", "mask_tuning"),
    "time g/d": ("ms", "torch_both", "mask_tuning"),
    "memory d/c": ("peak_bytes", "mask_tuning", "fine_tuning"),
    "memory b/a": ("peak_bytes", "naive", "stock"),
    "memory f/d": ("peak_bytes", "torch_word_gradient", "mask_tuning"),
    "resident memory d/c": ("resident_bytes", "mask_tuning", "fine_tuning"),
}
README = {
    "time d/a": "Mask-tuning / stock fine-tuning",
    "time b/d": "Mask-tuning as one would write it / ours",
    "time d/c": "Mask-tuning / our fine-tuning",
}
GRID_ASKED = {
    "plan 100,000 cells": {"seconds": Target(5)},
    "gather 10,000 runs": {"seconds": Target(30), "GB": Target(2)},
    "tables of 30,000 examples x 10 seeds x 12 methods": {"seconds": Target(60)},
}


def step_cost(rows: pandas.DataFrame) -> pandas.DataFrame:
    """A row for each size, lengths and arm; of every number the median, the lowest and the highest repetition."""
    values = pandas.DataFrame(
        {
            "ms_per_example": 1000 * rows["seconds"] / rows["examples"],
            "tokens_per_second": rows["tokens"] / rows["seconds"],
            "peak_mib": rows["peak_bytes"] / 2**20,
            "resident_mib": rows["resident_bytes"].astype(float) / 2**20,
            "times_the_bound": rows["seconds"] / rows["bound_seconds"],
        }
    )
    keys = [*PLACE, "arm", "precision"]
    groups = pandas.concat([rows[keys], values], axis=1).groupby(keys, sort=False)
    spread = groups.agg(["median", "min", "max"])
    spread.columns = [name if which == "median" else f"{name}_{which}" for name, which in spread.columns]
    return spread.assign(repetitions=groups.size()).reset_index().replace({"arm": ARMS})


def headline(rows: pandas.DataFrame, asked: dict[tuple[str, str], Target]) -> pandas.DataFrame:
    """A row for each size, lengths and ratio: median, lowest, highest, what was asked, whether the median meets it."""
    each = rows.assign(ms=1000 * rows["seconds"] / rows["examples"], operations=rows["operations"] / rows["examples"])
    each = each.set_index([*PLACE, "repetition", "arm"])[["ms", "operations", "peak_bytes", "resident_bytes"]]
    # Sorted, and then put in order: pandas 2 mixes up the rows of unstack(sort=False) where an arm is missing in some.
    order = each.index.droplevel("arm").unique()
    each = each.astype(float).unstack().reindex(order)
    ratios = pandas.DataFrame(
        {
            name: each[what, one] / each[what, other]
            for name, (what, one, other) in RATIOS.items()
            if {one, other} <= set(each.columns.get_level_values(1))
        }
    )
    ratios["time d/c over operations d/c"] = ratios["time d/c"] / ratios["operations d/c"]
    lines = []
    for (size, lengths), values in ratios.groupby(level=PLACE, sort=False):
        for name, column in values.dropna(axis=1, how="all").items():
            target = asked.get((name, lengths)) if size == ASKED_AT else None
            lines.append((size, lengths, name, target, column.median(), column.min(), column.max(), len(column)))
    columns = [*PLACE, "measure", "asked", "median", "min", "max", "repetitions"]
    return _judge(pandas.DataFrame(lines, columns=columns), "median")


def render_readme(headline: pandas.DataFrame) -> str:
    """The ratios of time at the size that was asked about, as README's Markdown table: median [lowest, highest]."""
    rows = headline[(headline["size"] == ASKED_AT) & headline["measure"].isin(README)]
    texts = [f"{row.median:.2f} [{row.min:.2f}, {row.max:.2f}]" for row in rows.itertuples(index=False)]
    table = rows.assign(text=texts).pivot(index="lengths", columns="measure", values="text")[list(README)]
    lines = [["lengths of", *README.values()], ["---"] * (1 + len(README)), *table.reset_index().to_numpy().tolist()]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def grid_cost(rows: list[dict[str, Any]]) -> pandas.DataFrame:
    """Two rows for each piece of work: seconds and gigabytes, with what was asked of them."""
    lines = []
    for row in rows:
        for unit, value in (("seconds", row["seconds"]), ("GB", row["peak_bytes"] / 1e9)):
            lines.append((row["work"], unit, GRID_ASKED.get(row["work"], {}).get(unit), value))
    return _judge(pandas.DataFrame(lines, columns=["work", "unit", "asked", "value"]), "value")


def _judge(frame: pandas.DataFrame, column: str) -> pandas.DataFrame:
    """The frame with targets as text and, where there is one, "yes" or "no"."""
    pairs = list(zip(frame["asked"], frame[column], strict=True))
    met = [("yes" if target.met(value) else "no") if isinstance(target, Target) else "" for target, value in pairs]
    asked = [str(target) if isinstance(target, Target) else "" for target, _ in pairs]
    return frame.assign(asked=asked, met=met)


def lay_out(frame: pandas.DataFrame) -> str:
    """A frame as lines of aligned columns, three digits a number; of a median with its spread one column."""
    shown = {}
    for name in frame:
        if name.endswith(("_min", "_max")) or name in ("min", "max"):
            continue
        ends = ("min", "max") if name == "median" else (f"{name}_min", f"{name}_max")
        if ends[0] in frame:
            numbers = zip(frame[name], frame[ends[0]], frame[ends[1]], strict=True)
            shown[f"{name} [lowest, highest]"] = [f"{_digits(a)} [{_digits(b)}, {_digits(c)}]" for a, b, c in numbers]
        else:
            shown[name] = [_digits(value) if isinstance(value, float) else value for value in frame[name]]
    return pandas.DataFrame(shown).to_string(index=False)


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
