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

from masktune import methods
from masktune.analysis import names
from masktune.analysis.ablations.settings import (
    BESIDES,
    METHOD,
    OPTIONS,
    RATES,
    REFERENCE,
    SETTINGS,
    SHARED,
    TAUGHT,
    has_value,
)
from masktune.analysis.accuracy import numbers as accuracy
from masktune.analysis.answers import Block
from masktune.data import EVALUATION
from masktune.errors import one_of
from masktune.statistics import multiplicity
from masktune.study.store.gather import TRAINING

COLUMNS = [
    *accuracy.PLACE, "label", "reference", "base", *SETTINGS, *BESIDES, "accuracy", "seeds", "examples",
    "clusters", "difference", "low", "high", "bound", "probability_greater", "p", "smallest_p", "majority",
    *accuracy.SECONDARY,
]  # fmt: skip


def variants(blocks: Iterable[Block], runs: pd.DataFrame) -> pd.DataFrame:
    """Every variant of Mask-tuning on every set: its settings, its accuracy, its difference from fine-tuning.

    The base is the first main row of Mask-tuning. A variant that is declared but has no finished pair of runs has a row
    with 0 seeds, so that it counts among the comparisons; `observed` leaves it out.

    Columns: task model set kind label base, SETTINGS, BESIDES, accuracy (mean over seeds, per cent), and those of
    `accuracy.numbers.compare` (points); `p` of the sign-flip test, not corrected, where there are enough seeds for it
    to reach 0.05; `majority`, the accuracy of a constant answer; on lopsided sets the secondary metrics.
    """
    settings, by_place = _settings(runs), {tuple(block.place.values()): block for block in blocks}
    rows = [
        row
        for place in _places(by_place, runs)
        for row in _rows(dict(zip(accuracy.PLACE, place, strict=True)), by_place.get(place), settings)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _places(by_place: Iterable[tuple[str, ...]], runs: pd.DataFrame) -> list[tuple[str, ...]]:
    """Task, model, set, kind of every headline set that was answered, then of those that the tasks of the runs have."""
    known = [
        (task, model, name, kind)
        for data, task, model in runs[["data", "task", "model"]].drop_duplicates().itertuples(index=False)
        for name, kind in EVALUATION[data][task].items()
    ]
    return list(dict.fromkeys(place for place in (*by_place, *known) if place[-1] in accuracy.HEADLINES))


def observed(variants: pd.DataFrame) -> pd.DataFrame:
    """The rows of `variants` that rest on finished runs."""
    return variants[variants["seeds"] > 0]


def _settings(runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each model, task and label: method, part, SETTINGS, BESIDES."""
    first = runs.drop_duplicates(["model", "task", "label"])
    training = {name: first[f"training/{name}"] for name in TRAINING}
    options = pd.DataFrame([_options(*row) for row in zip(first["method"], first["options"], strict=True)])
    kept = first[["model", "task", "label", "part", "method", "adaptation", *RATES]]
    data_options = first.get("data_options", "{}")  # not there in what an older version gathered
    return kept.assign(**training, data_options=data_options, **{name: options[name].to_numpy() for name in OPTIONS})


def _options(method: str, given: str) -> dict[str, Any]:
    """The value of each of OPTIONS, the default where none was given; nothing for another method."""
    if method != METHOD:
        return dict.fromkeys(OPTIONS)
    built = methods.build(method, **json.loads(given))
    taught = {"fill": TAUGHT} if built.settings()["fill_gradient"] else {}
    return {name: getattr(built, name) for name in OPTIONS} | taught


def _rows(place: dict[str, str], block: Block | None, settings: pd.DataFrame) -> Iterator[dict[str, Any]]:
    here = settings[(settings["model"] == place["model"]) & (settings["task"] == place["task"])]
    trained = here[here["method"] == METHOD]
    base = trained.loc[trained["part"] == "main", "label"].head(1).to_list()
    for variant in trained.to_dict("records"):
        for reference in _references(variant, here):
            about = {name: variant[name] for name in (*SETTINGS, *BESIDES)}
            about |= {"label": variant["label"], "reference": reference, "base": variant["label"] in base}
            yield {**place, **about, **_compare(block, reference, variant["label"])}


def _references(variant: Mapping[str, Any], settings: pd.DataFrame) -> list[str]:
    """The labels of fine-tuning at the same training, for the same task and model."""
    plain = settings[settings["method"] == REFERENCE]
    alike = [has_value(plain[name], variant[name]) for name in ("task", "model", *SHARED)]
    return plain.loc[np.logical_and.reduce(alike), "label"].to_list()


def _compare(block: Block | None, reference: str, label: str) -> dict[str, Any]:
    """What is observed of a variant and its reference; 0 seeds where nothing is."""
    if block is None or (pair := block.pair(reference, label)) is None:
        return {"seeds": 0}
    secondary = accuracy.paired_secondary_metrics(block, reference, label)
    own = {name: values[1].mean() for name, values in secondary.items()}
    about = {"accuracy": 100 * float(pair[1].mean()), "majority": 100 * block.majority}
    estimated = accuracy.compare(block, *pair, block.pretrainings(reference, label))
    return {**about, **own, **estimated, **accuracy.p_values(*pair)}


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
    by_place = variants.groupby(["task", "model"], sort=False)
    family = _with_variants(pd.concat([rows[_like_base(rows, factors)] for _, rows in by_place]))
    p_values = multiplicity.correct(family["p"].to_numpy(dtype=float), "ablation")
    order = {kind: number for number, kind in enumerate(names.KINDS)}
    missing = len(family) - len(observed(family))
    corrected = family.assign(p_bh=p_values, family=len(family), missing=missing, _kind=family["kind"].map(order))
    swept = _with_variants(observed(corrected))
    return swept.sort_values(["task", "model", "_kind", "set", *factors], kind="stable").drop(columns="_kind")


def _with_variants(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of tasks and models that have more than one variant."""
    return rows[rows.groupby(["task", "model"])["label"].transform("nunique") > 1]


def labels_of(variants: pd.DataFrame, factor: str) -> list[str]:
    """The labels of the variants that differ from the base in this setting alone."""
    swept = sweep(variants, factor)
    return list(dict.fromkeys(swept.loc[~swept["base"].astype(bool), "label"]))


def planned(runs: pd.DataFrame, *factors: str) -> pd.DataFrame:
    """What `sweep` would hold if every run were finished: task, model, label, base, SETTINGS, a row per label."""
    settings = _settings(runs)
    trained = settings[settings["method"] == METHOD]
    trained = trained.loc[[bool(_references(row, settings)) for row in trained.to_dict("records")]]
    main = trained[trained["part"] == "main"].drop_duplicates(["task", "model"])
    trained = trained.assign(base=trained.index.isin(main.index))
    groups = [rows[_like_base(rows, factors)] for _, rows in trained.groupby(["task", "model"], sort=False)]
    varied = [rows for rows in groups if len(rows) > 1]
    return pd.concat(varied) if varied else trained.head(0)


def _like_base(rows: pd.DataFrame, factors: Sequence[str]) -> pd.Series:
    """Which variants of one task and model agree with its base in all settings but these."""
    base = rows["base"].to_numpy(dtype=bool)
    if not base.any():
        return pd.Series(False, index=rows.index)
    values = rows[[name for name in (*SETTINGS, *BESIDES) if name not in factors]].to_numpy(dtype=object)
    absent, first = pd.isna(values), base.argmax()
    alike = (values == values[first]) | (absent & absent[first])
    return pd.Series(alike.all(axis=1), index=rows.index)


def means_by_kind(variants: pd.DataFrame) -> pd.DataFrame:
    """The mean difference of each observed variant in and out of distribution, in points, by task, model, label."""
    means = observed(variants).pivot_table(
        index=["task", "model", "label"], columns="kind", values="difference", sort=False
    )
    return means.reindex(columns=["in_distribution", "out_of_distribution"])


def rank(variants: pd.DataFrame) -> pd.DataFrame:
    """The observed variants by their mean difference out of distribution, the best of each task and model first.

    Columns: task model label, in_distribution and out_of_distribution (points), the number of `sets` out of
    distribution and of `seeds`, and on how many of these sets the interval lies `above` and `below` zero.
    """
    keys = ["task", "model", "label"]
    variants = observed(variants)
    outside = variants[variants["kind"] == "out_of_distribution"]
    grouped = outside.groupby(keys, sort=False)
    frame = means_by_kind(variants)
    frame["sets"], frame["seeds"] = grouped["set"].nunique(), grouped["seeds"].max()
    frame["above"] = outside[outside["low"] > 0].groupby(keys, sort=False)["set"].nunique()
    frame["below"] = outside[outside["high"] < 0].groupby(keys, sort=False)["set"].nunique()
    frame = frame.fillna({"above": 0, "below": 0}).astype({"above": int, "below": int}).reset_index()
    return frame.sort_values(["task", "model", "out_of_distribution"], ascending=[True, True, False], kind="stable")
