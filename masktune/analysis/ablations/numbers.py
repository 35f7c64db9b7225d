"""Ablations: what one choice of the method or of the training changes while all the others stay.

Each variant of Mask-tuning is compared with plain fine-tuning at the same training (epochs, rate, batch, examples) and
on the same seeds. A sweep is the base, which is the study's main Mask-tuning row, and what differs from it in one
setting alone, so that a study may hold several sweeps and a grid of two settings side by side.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from masktune.analysis import names
from masktune.analysis.accuracy import numbers as tables
from masktune.analysis.answers import Block
from masktune.analysis.table import (
    CROSSED,
    VARIES,
    Table,
    beside,
    beside_note,
    count,
    interval,
    named,
    p_value,
    titled,
)
from masktune.data import EVALUATION
from masktune.errors import one_of
from masktune.statistics import multiplicity
from masktune.study.store.gather import TRAINING

RATES = ("alpha", "mask_rate")
OPTIONS = ("reduction", "encoder", "fill", "classify", "positions", "symbol", "keep", "alpha_weights")
SETTINGS = (*RATES, *OPTIONS, *TRAINING)
# What a variant and its reference share.
SHARED = (*TRAINING, "adaptation")
METHOD = "mask_tuning"
REFERENCE = "fine_tuning"
COLUMNS = [
    *tables.PLACE, "label", "reference", "base", *SETTINGS, "adaptation", "accuracy", "seeds", "examples",
    "clusters", "difference", "low", "high", "bound", "probability_greater", "p", "smallest_p", "majority",
    *tables.BESIDE,
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

    The base is the first main row of Mask-tuning. What is declared and has no finished pair of runs has a row with 0
    seeds, so that it counts among the comparisons; `observed` leaves it out.

    Columns: task model set kind label base, SETTINGS, adaptation, accuracy (mean over seeds, per cent), and those of
    `tables.compare` (points); `p` of the sign-flip test where the seeds let it fall to 0.05, not corrected; the score
    of a constant answer, and what stands `tables.beside` the accuracy of a lopsided set.
    """
    settings, by_place = _settings(runs), {tuple(block.place.values()): block for block in blocks}
    rows = [
        row
        for place in _declared(by_place, runs)
        for row in _rows(dict(zip(tables.PLACE, place, strict=True)), by_place.get(place), settings)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _declared(by_place: Iterable[tuple[str, ...]], runs: pd.DataFrame) -> list[tuple[str, ...]]:
    """Task, model, set, kind of every headline set that was answered, and then of those that a task of a run has."""
    there = [
        (task, model, name, kind)
        for data, task, model in runs[["data", "task", "model"]].drop_duplicates().itertuples(index=False)
        for name, kind in EVALUATION[data][task].items()
    ]
    return list(dict.fromkeys(place for place in (*by_place, *there) if place[-1] in tables.HEADLINES))


def observed(variants: pd.DataFrame) -> pd.DataFrame:
    """The rows of `variants` that rest on finished runs."""
    return variants[variants["seeds"] > 0]


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


def _rows(place: dict[str, str], block: Block | None, settings: pd.DataFrame) -> Iterator[dict[str, Any]]:
    here = settings[(settings["model"] == place["model"]) & (settings["task"] == place["task"])]
    trained = here[here["method"] == METHOD]
    base = trained.loc[trained["part"] == "main", "label"].head(1).to_list()
    for variant in trained.to_dict("records"):
        for reference in _references(variant, here):
            about = {name: variant[name] for name in (*SETTINGS, "adaptation")}
            about |= {"label": variant["label"], "reference": reference, "base": variant["label"] in base}
            yield {**place, **about, **_compared(block, reference, variant["label"])}


def _references(variant: Mapping[str, Any], settings: pd.DataFrame) -> list[str]:
    """The labels of fine-tuning at the same training, for the same task and model."""
    plain = settings[settings["method"] == REFERENCE]
    alike = [_same(plain[name], variant[name]) for name in ("task", "model", *SHARED)]
    return plain.loc[np.logical_and.reduce(alike), "label"].to_list()


def _compared(block: Block | None, reference: str, label: str) -> dict[str, Any]:
    """What is observed of a variant beside its reference; 0 seeds where nothing is."""
    pair = block.paired(reference, label) if block else None
    if pair is None:
        return {"seeds": 0}
    own = {name: values[1].mean() for name, values in tables.paired_beside(block, reference, label).items()}
    about = {"accuracy": 100 * float(pair[1].mean()), "majority": 100 * block.majority}
    return {**about, **own, **tables.compare(block, *pair), **tables.tested(*pair)}


def _same(column: pd.Series, value: Any) -> pd.Series:
    return column.isna() if pd.isna(value) else column == value


def sweep(variants: pd.DataFrame, *factors: str) -> pd.DataFrame:
    """The variants that differ from the base in these settings alone, by their values; with p corrected (`p_bh`).

    The correction (Benjamini-Hochberg) is over all declared comparisons, the base's own among them; `family` is their
    number. The `missing` ones have no finished runs, count as 1 and are left out. Raises MaskTuneError for an unknown
    setting.
    """
    for factor in factors:
        one_of(factor, SETTINGS, "setting")
    if variants.empty:
        return variants.assign(p_bh=np.empty(0), family=np.empty(0), missing=np.empty(0))
    others = [name for name in (*SETTINGS, "adaptation") if name not in factors]
    parts = [part[_like_base(part, others)] for _, part in variants.groupby(["task", "model"], sort=False)]
    found = _varied(pd.concat(parts))
    p_values = multiplicity.corrected(found["p"].to_numpy(dtype=float), "ablation")
    order = {kind: number for number, kind in enumerate(names.KINDS)}
    missing = len(found) - len(observed(found))
    found = found.assign(p_bh=p_values, family=len(found), missing=missing, _kind=found["kind"].map(order))
    found = _varied(observed(found))
    return found.sort_values(["task", "model", "_kind", "set", *factors], kind="stable").drop(columns="_kind")


def _varied(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of tasks and models that have more than one variant."""
    return rows[rows.groupby(["task", "model"])["label"].transform("nunique") > 1]


def labels_of(variants: pd.DataFrame, factor: str) -> list[str]:
    """The labels of the variants that differ from the base in this setting alone."""
    swept = sweep(variants, factor)
    return list(dict.fromkeys(swept.loc[~swept["base"].astype(bool), "label"]))


def planned(runs: pd.DataFrame, *factors: str) -> pd.DataFrame:
    """What `sweep` would hold were every run finished: task, model, label, base, SETTINGS, a row a label."""
    settings = _settings(runs)
    trained = settings[settings["method"] == METHOD]
    trained = trained.loc[[bool(_references(row, settings)) for row in trained.to_dict("records")]]
    main = trained[trained["part"] == "main"].drop_duplicates(["task", "model"])
    trained = trained.assign(base=trained.index.isin(main.index))
    others = [name for name in (*SETTINGS, "adaptation") if name not in factors]
    places = [part[_like_base(part, others)] for _, part in trained.groupby(["task", "model"], sort=False)]
    varied = [part for part in places if len(part) > 1]
    return pd.concat(varied) if varied else trained.head(0)


def _like_base(part: pd.DataFrame, settings: Sequence[str]) -> pd.Series:
    """Which variants of one task and model agree with its base in these settings."""
    base = part[part["base"]].head(1)
    if base.empty:
        return pd.Series(False, index=part.index)
    return pd.concat([_same(part[name], base[name].iloc[0]) for name in settings], axis=1).all(axis=1)


def table(swept: pd.DataFrame, factor: str) -> Table:
    """A sweep laid out for reading: a row for each set and value."""
    shown = swept[["task", "model", "set", "kind"]].assign(value=[value_of(value) for value in swept[factor]])
    texts = zip(swept["accuracy"], *(swept[name] for name in (*tables.BESIDE, "majority")), strict=True)
    shown["accuracy"] = [f"{value:.1f}{beside(*rest)}" for value, *rest in texts]
    columns = (swept[name] for name in ("difference", "low", "high"))
    shown["difference"] = [interval(*row, sign=True) for row in zip(*columns, strict=True)]
    shown["p"] = [p_value(*row) for row in zip(swept["p_bh"], swept["smallest_p"], strict=True)]
    shown["seeds"] = swept["seeds"]
    family, missing = (int(swept[name].max()) if len(swept) else 0 for name in ("family", "missing"))
    absent = f", {missing} of which have no finished runs and count as 1" if missing else ""
    caption = (
        f"Accuracy in per cent, and its difference from fine-tuning at the same training in points [{CROSSED}], by "
        f"{TITLES[factor]}, all other settings as in the main row; {count(swept['seeds'], 'paired seed')}, "
        f"{count(swept['examples'], 'example')} a set. {VARIES}. p: two-sided sign-flip test over paired seeds, "
        f"corrected by Benjamini-Hochberg over the {family} comparisons declared for this table, those of the "
        f"main row among them{absent}; in brackets the smallest that so many seeds allow.{beside_note(swept)}"
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
