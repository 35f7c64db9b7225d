"""Ablations: what one choice of the method or of the training changes while all the others stay.

Each variant of Mask-tuning is compared with plain fine-tuning at the same training (epochs, rate, batch, examples) and
on the same seeds. A sweep is the base, which is the study's main Mask-tuning row, and what differs from it in one
setting alone, so that a study may hold several sweeps and a grid of two settings side by side.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from masktune.analysis import multiplicity, names, statistics, tables
from masktune.analysis.blocks import Block
from masktune.analysis.presentation import CROSSED, VARIES, Table, count, interval, named, p_value, titled
from masktune.errors import one_of
from masktune.study.claims import LEVEL, smallest_p
from masktune.study.gather import TRAINING

RATES = ("alpha", "mask_rate")
OPTIONS = ("reduction", "encoder", "fill", "classify", "positions", "symbol", "keep", "alpha_weights")
SETTINGS = (*RATES, *OPTIONS, *TRAINING)
# What a variant and its reference share.
SHARED = (*TRAINING, "adaptation")
METHOD = "mask_tuning"
REFERENCE = "fine_tuning"
COLUMNS = [
    *tables.PLACE, "label", "base", *SETTINGS, "adaptation", "accuracy", "seeds", "examples", "clusters", "difference",
    "low", "high", "bound", "probability_greater", "p", "smallest_p",
]  # fmt: skip
# What a reader calls a setting, for axes and tables.
TITLES = {
    "alpha": "alpha (weight of the MLM loss)", "mask_rate": "masking rate", "reduction": "mean of the MLM loss",
    "encoder": "networks", "fill": "fill", "classify": "classified", "positions": "tokens", "symbol": "mask symbol",
    "keep": "filter", "alpha_weights": "alpha weights", "epochs": "epochs", "learning_rate": "learning rate",
    "batch_size": "batch size", "train_examples": "training examples", "sampling": "sampling",
    "max_length": "longest text (tokens)", "warmup_ratio": "warm-up", "weight_decay": "weight decay",
    "max_grad_norm": "clipping norm",
}  # fmt: skip


def variants(blocks: Iterable[Block], runs: pd.DataFrame) -> pd.DataFrame:
    """Every variant of Mask-tuning on every set: its settings, its accuracy, its difference from fine-tuning.

    The base is the first main row of Mask-tuning.

    Columns: task model set kind label base, SETTINGS, adaptation, accuracy (mean over seeds, per cent), and those of
    `tables.compare` (points); `p` of the sign-flip test where the seeds let it fall to 0.05, not corrected.
    """
    settings = _settings(runs)
    rows = [row for block in blocks if block.kind in tables.HEADLINES for row in _rows(block, settings)]
    return pd.DataFrame(rows, columns=None if rows else COLUMNS)


def _settings(runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each model, task and label: method, part, SETTINGS."""
    first = runs.drop_duplicates(["model", "task", "label"])
    plain = {name: first[f"training/{name}"] for name in TRAINING}
    options = pd.DataFrame([_options(*row) for row in zip(first["method"], first["options"], strict=True)])
    kept = first[["model", "task", "label", "part", "method", "adaptation", *RATES]]
    return kept.assign(**plain, **{name: options[name].to_numpy() for name in OPTIONS})


def _options(method: str, given: str) -> dict[str, Any]:
    """The value of each of OPTIONS, the default where none was given; nothing for another method."""
    if method != METHOD:
        return dict.fromkeys(OPTIONS)
    from masktune import methods

    built = methods.build(method, **json.loads(given))
    return {name: getattr(built, name) for name in OPTIONS}


def _rows(block: Block, settings: pd.DataFrame) -> Iterator[dict[str, Any]]:
    here = settings[(settings["model"] == block.model) & (settings["task"] == block.task)]
    references = here[here["method"] == REFERENCE]
    trained = here[here["method"] == METHOD]
    base = trained.loc[trained["part"] == "main", "label"].head(1).to_list()
    for variant in trained.to_dict("records"):
        alike = [_same(references[name], variant[name]) for name in SHARED]
        for reference in references.loc[np.logical_and.reduce(alike), "label"]:
            pair = block.paired(reference, variant["label"])
            if pair is not None:
                yield {
                    **block.place, "label": variant["label"], "base": variant["label"] in base,
                    **{name: variant[name] for name in (*SETTINGS, "adaptation")},
                    "accuracy": 100 * float(pair[1].mean()),
                    **tables.compare(block, *pair), **_test(*pair),
                }  # fmt: skip


def _same(column: pd.Series, value: Any) -> pd.Series:
    return column.isna() if pd.isna(value) else column == value


def _test(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    smallest = smallest_p(len(first))
    gap = second.mean(axis=1) - first.mean(axis=1)
    return {"p": statistics.sign_flip(gap) if smallest <= LEVEL else float("nan"), "smallest_p": smallest}


def sweep(variants: pd.DataFrame, *factors: str) -> pd.DataFrame:
    """The variants that differ from the base in these settings alone, by their values; with p corrected (`p_bh`).

    The correction (Benjamini-Hochberg) is over all rows that are not the base's own. Raises MaskTuneError for an
    unknown setting.
    """
    for factor in factors:
        one_of(factor, SETTINGS, "setting")
    if variants.empty:
        return variants.assign(p_bh=np.empty(0))
    others = [name for name in (*SETTINGS, "adaptation") if name not in factors]
    parts = [part[_like_base(part, others)] for _, part in variants.groupby(["task", "model"], sort=False)]
    found = pd.concat(parts)
    found = found[found.groupby(["task", "model"])["label"].transform("nunique") > 1]
    p_values = multiplicity.corrected(found["p"].where(~found["base"]).to_numpy(dtype=float), "ablation")
    order = {kind: number for number, kind in enumerate(names.KINDS)}
    found = found.assign(p_bh=p_values, _kind=found["kind"].map(order))
    return found.sort_values(["task", "model", "_kind", "set", *factors], kind="stable").drop(columns="_kind")


def labels_of(variants: pd.DataFrame, factor: str) -> list[str]:
    """The labels of the variants that differ from the base in this setting alone."""
    swept = sweep(variants, factor)
    return list(dict.fromkeys(swept.loc[~swept["base"].astype(bool), "label"]))


def _like_base(part: pd.DataFrame, settings: Sequence[str]) -> pd.Series:
    """Which variants of one task and model agree with its base in these settings."""
    base = part[part["base"]].head(1)
    if base.empty:
        return pd.Series(False, index=part.index)
    return pd.concat([_same(part[name], base[name].iloc[0]) for name in settings], axis=1).all(axis=1)


def table(swept: pd.DataFrame, factor: str) -> Table:
    """A sweep laid out for reading: a row for each set and value."""
    shown = swept[["task", "model", "set", "kind"]].assign(value=[value_of(value) for value in swept[factor]])
    shown["accuracy"] = [f"{value:.1f}" for value in swept["accuracy"]]
    columns = (swept[name] for name in ("difference", "low", "high"))
    shown["difference"] = [interval(*row, sign=True) for row in zip(*columns, strict=True)]
    shown["p"] = [p_value(*row) for row in zip(swept["p_bh"].fillna(swept["p"]), swept["smallest_p"], strict=True)]
    shown["seeds"] = swept["seeds"]
    caption = (
        f"Accuracy in per cent, and its difference from fine-tuning at the same training in points [{CROSSED}], by "
        f"{TITLES[factor]}, all other settings as in the main row; {count(swept['seeds'], 'paired seed')}, "
        f"{count(swept['examples'], 'example')} a set. {VARIES}. p: two-sided sign-flip test over paired seeds, "
        "corrected by Benjamini-Hochberg over this table; in brackets the smallest that so many seeds allow."
    )
    title = TITLES[factor]
    titles = {"value": title[0].upper() + title[1:], "difference": "Difference [95 %]"}
    return Table(f"sweep_{factor}", f"By {TITLES[factor]}", caption, swept, titled(named(shown), titles))


def value_of(value: Any) -> str:
    """A value of a setting as a reader sees it; no number of examples means all of them."""
    return "all" if pd.isna(value) else f"{value:g}" if isinstance(value, int | float) else str(value)


def sentences(swept: pd.DataFrame, factor: str) -> list[str]:
    """What a sweep says of each task and model out of distribution: the best and the worst mean difference."""
    found = []
    for (task, model), part in swept[swept["kind"] == "out_of_distribution"].groupby(["task", "model"], sort=False):
        means = part.groupby(factor, sort=True, dropna=False)["difference"].mean()
        best, worst = means.idxmax(), means.idxmin()
        above = part[part["low"] > 0]
        found.append(
            f"{names.task(task)}, {names.model(model)}: the mean difference from fine-tuning out of distribution goes "
            f"from {means.min():+.1f} points ({TITLES[factor]} {value_of(worst)}) to {means.max():+.1f} "
            f"({value_of(best)}); on {len(above)} of {len(part)} rows (set x value) the interval lies above zero, on "
            f"{int((part['high'] < 0).sum())} below."
        )
    return found or [f"No runs of this study vary the {TITLES[factor]} alone."]
