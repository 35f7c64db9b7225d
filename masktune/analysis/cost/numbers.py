"""What a study cost in time, memory and energy: frames made from its runs (a row a run, as `gather` stores them).

The paper does not say what Mask-tuning costs compared with fine-tuning (question Q3). Times are wall times of cells
that ran side by side, so single runs are noisy. Methods are therefore compared within pairs of runs that share model,
task and seed and were made by the same code in the same precision (`provenance`).
"""

from typing import Any

import numpy as np
import pandas as pd

from masktune.analysis import provenance
from masktune.statistics import intervals
from masktune.study.execute.efficiency import PURE

PLACE = ["task", "model"]
ENERGY = ["host_energy_joules", "device_energy_joules"]
RATIOS = {"time": "train_seconds", "memory": "peak_bytes", "energy": "joules"}
ADAPTATION = "adaptation"
SAMPLING = "training/sampling"
# What changes what is learned and not what it costs: tuning gives each method its own.
FREE = ("training/learning_rate", "training/warmup_ratio", "training/weight_decay")
# The phases of a study: what they are called, the column of seconds, the status of the runs that have it.
PHASES = {
    "training": ("train_seconds", "done"),
    "learning curves": ("curve_seconds", "done"),
    "evaluation": ("evaluate_seconds", "done"),
    "making models": ("model_seconds", "done"),
    "loading data, once a cell": ("load_seconds", "done"),
    "tokenising, once a cell": ("tokenise_seconds", "done"),
    "preparing what a method needs, once a cell": ("prepare_seconds", "done"),
    "runs that failed": ("failed_seconds", "failed"),
}
ONCE_A_CELL = ("load_seconds", "tokenise_seconds", "prepare_seconds")


def complete(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with every column that is read here; NaN, or NOT_STORED, where they were stored without it."""
    columns = [*(column for column, _ in PHASES.values()), *ENERGY, "train_examples", "parameters"]
    columns += ["process_peak_bytes", "device_peak_bytes"]
    runs = runs.assign(**{column: float("nan") for column in columns if column not in runs})
    sampling = runs[SAMPLING] if SAMPLING in runs else pd.Series(None, index=runs.index, dtype=object)
    # Before it could be chosen, batches were always grouped by length.
    runs = provenance.complete(runs).assign(**{SAMPLING: sampling.fillna("group_by_length")})
    return runs.astype(dict.fromkeys(columns, float))


def per_run(runs: pd.DataFrame) -> pd.DataFrame:
    """The finished runs and what each cost; NaN where it was not stored.

    Adds seconds_per_example of training; peak_bytes of the GPU where there is one, else of the whole process; joules of
    host and GPU together; hours of training and evaluation.
    """
    runs = complete(runs)
    done = runs[runs["status"] == "done"]
    return done.assign(
        seconds_per_example=done["train_seconds"] / done["train_examples"],
        peak_bytes=done["device_peak_bytes"].fillna(done["process_peak_bytes"]),
        joules=done[ENERGY].sum(axis=1, min_count=1),
        hours=done[list(PURE)].sum(axis=1) / 3600,
    )


def overhead(runs: pd.DataFrame, first: str | None = None) -> pd.DataFrame:
    """How many times the cost of `first` (None: fine-tuning) each other method takes at the same training, FREE aside.

    A row for each task, model, method and provenance of the runs. Geometric means over paired seeds; `low` and `high`
    are the ends of the 95 % t interval of `time`. NaN: not measured. `parameters` of the model and `examples` read in
    training belong to the pair.
    """
    each = per_run(runs).set_index("seed")
    alike = [column for column in each if column.startswith("training/") and column not in FREE]
    rows = []
    for place, group in each.groupby([*PLACE, *provenance.COLUMNS, *alike], sort=False, dropna=False, observed=True):
        plain = group.loc[group["method"] == "fine_tuning" if first is None else group["label"] == first, "label"]
        others = dict.fromkeys(group.loc[~group["label"].isin(plain), "label"]) if len(plain) else ()
        for second in others:
            one, other = group[group["label"] == plain.iloc[0]], group[group["label"] == second]
            ratios = pd.DataFrame({name: other[column] / one[column] for name, column in RATIOS.items()})
            ratios = ratios.dropna(subset="time")
            if len(ratios):
                about = {"first": plain.iloc[0], "second": second, "parameters": other["parameters"].mean()}
                about["examples"] = other["train_examples"].mean()
                key = dict(zip([*PLACE, *provenance.COLUMNS], place, strict=False))
                rows.append({**key, **about, **_mean_ratios(ratios)})
    numbers = ["seeds", "time", "low", "high", "memory", "energy", "parameters", "examples"]
    return pd.DataFrame(rows, columns=[*PLACE, *provenance.COLUMNS, "first", "second", *numbers])


def _mean_ratios(ratios: pd.DataFrame) -> dict[str, float]:
    time = intervals.mean_over_seeds(np.log(ratios["time"]))
    means = {name: geometric_mean(ratios[name]) for name in RATIOS}
    return {**means, "seeds": time.seeds, "low": float(np.exp(time.low)), "high": float(np.exp(time.high))}


def geometric_mean(values: pd.Series) -> float:
    """The mean of ratios: that of 2 and 1/2 is 1."""
    return float(np.exp(np.log(values).mean()))


def efficiency(runs: pd.DataFrame, main: pd.DataFrame) -> pd.DataFrame:
    """Accuracy and the cost of a run, by task, model, method and provenance: means over seeds.

    `main`: `accuracy.numbers.main`. `inside` and `outside` are accuracies in per cent, the mean of the sets in and out
    of distribution; `hours` of training and evaluation and `watt_hours` are one run's, NaN where not measured.
    """
    each = per_run(runs).drop(columns="method").rename(columns={"label": "method"})
    place = [*PLACE, "method"]
    each = each.assign(watt_hours=each["joules"] / 3600)
    by_place = each.groupby([*place, *provenance.COLUMNS], sort=False, observed=True)
    costs = by_place[["hours", "watt_hours"]].mean().reset_index()
    kinds = {"inside": "in_distribution", "outside": "out_of_distribution"}
    for name, kind in kinds.items():
        accuracy = main[main["kind"] == kind].groupby(place, sort=False, observed=True)["accuracy"].mean()
        costs = costs.merge(accuracy.rename(name).reset_index())
    return costs


def total(runs: pd.DataFrame) -> pd.DataFrame:
    """Seconds of the whole study by phase, failed runs included; of its `runs`, `unknown` did not store them."""
    runs = complete(runs)
    rows = []
    for phase, (column, status) in PHASES.items():
        own = runs[runs["status"] == status]
        own = own.drop_duplicates("cell_id") if column in ONCE_A_CELL else own
        rows.append((phase, own[column].sum(), len(own), int(own[column].isna().sum())))
    return pd.DataFrame(rows, columns=["phase", "seconds", "runs", "unknown"])


def grouping(runs: pd.DataFrame) -> pd.DataFrame:
    """Batches grouped by length compared with random ones, all else being the same, for each set.

    `difference` is grouped minus random in points of accuracy, the mean over paired seeds with its 95 % t interval;
    `speedup` the training time of an example in random batches over that in grouped ones. Empty where no row of the
    study has random batches.
    """
    runs = complete(runs)
    done = runs[runs["status"] == "done"].set_index("seed")
    alike = [column for column in done if column.startswith("training/") and column != SAMPLING]
    alike = [*PLACE, "method", "options", *provenance.COLUMNS, *([ADAPTATION] if ADAPTATION in done else []), *alike]
    rows = []
    for place, group in done.groupby(alike, sort=False, dropna=False, observed=True):
        by_sampling = {sampling: own for sampling, own in group.groupby(SAMPLING)}
        if {"random", "group_by_length"} <= set(by_sampling):
            about = dict(zip(alike[:3], place[:3], strict=True))
            rows += [about | row for row in _grouped_rows(by_sampling["group_by_length"], by_sampling["random"])]
    columns = [*PLACE, "method", "set", "seeds", "difference", "low", "high", "speedup"]
    return pd.DataFrame(rows, columns=columns)


def _grouped_rows(grouped: pd.DataFrame, random: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each set, from runs (by seed) that differ in their batches alone."""
    seconds = [rows["train_seconds"] / rows["train_examples"] for rows in (random, grouped)]
    speedup = geometric_mean((seconds[0] / seconds[1]).dropna())
    rows = []
    for column in (column for column in grouped if column.startswith("accuracy/")):
        values = 100 * (grouped[column] - random[column]).dropna()
        if len(values):
            gap = intervals.mean_over_seeds(values)
            about = {"set": column.removeprefix("accuracy/"), "seeds": gap.seeds, "speedup": speedup}
            rows.append({**about, "difference": gap.mean, "low": gap.low, "high": gap.high})
    return rows
