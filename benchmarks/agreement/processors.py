"""A study once more on another kind of processor: what a seed gives there, and what the means over seeds say.

Another processor adds up the products of a matrix in another order. Training carries the last digits on, so that the
same code, versions and seed may end at another model; how far that goes is measured here, on the results of a study as
two machines have gathered them.
"""

from pathlib import Path

import pandas

from masktune.errors import MaskTuneError
from masktune.statistics.intervals import mean_over_seeds

KEY = ["study", "model", "task", "method", "set", "kind", "seed"]
HERE, THERE = "here", "there"
BASELINE = "fine-tuning"


def compare(results: Path, other: Path) -> pandas.DataFrame:
    """A row for each run and set: KEY, the accuracy `here` and `there` in per cent, and both processors.

    `results` and `other` are folders of one study that `masktune gather` has written. Raises MaskTuneError where one
    lacks a run of the other, and where both were made on the same kind of processor.
    """
    kinds = pandas.read_csv(results / "tables" / "main.csv")[["task", "set", "kind"]].drop_duplicates()
    sides = {name: _accuracies(folder) for name, folder in ((HERE, results), (THERE, other))}
    key = [name for name in KEY if name not in ("study", "kind")]
    rows = sides[HERE].merge(sides[THERE], on=["run_id", *key], how="outer", suffixes=("", "_there"), indicator=True)
    alone = rows.loc[rows["_merge"] != "both", "run_id"].nunique()
    if alone:
        raise MaskTuneError(
            f"runs that {results} or {other} alone has: {alone}; gather the whole study on both machines"
        )
    rows = rows.merge(kinds, on=["task", "set"]).assign(study=results.name)
    rows = rows.rename(columns={"accuracy": HERE, "accuracy_there": THERE, "processor_there": "other_processor"})
    if (rows["processor"] == rows["other_processor"]).any():
        raise MaskTuneError(
            f"{other} was made on the same kind of processor, {rows['processor'].iloc[0]}; name another"
        )
    return rows[[*KEY, HERE, THERE, "processor", "other_processor"]].sort_values(KEY, ignore_index=True)


def _accuracies(folder: Path) -> pandas.DataFrame:
    """Accuracy of each finished run of the folder on each set."""
    runs = pandas.read_parquet(folder / "runs.parquet")
    runs = runs[runs["status"] == "done"].drop(columns="method").rename(columns={"label": "method"})
    sets = [column for column in runs if column.startswith("accuracy/")]
    rows = runs.melt(["run_id", "model", "task", "method", "seed", "processor"], sets, "set", "accuracy").dropna()
    return rows.assign(set=rows["set"].str.removeprefix("accuracy/"), accuracy=100 * rows["accuracy"].astype(float))


def verdicts(results: Path, other: Path) -> pandas.DataFrame:
    """A row for each declared comparison that both have: its difference in points and its verdict, here and there."""
    key = ["claim", "model", "task", "set", "method", "against"]
    sides = [pandas.read_csv(folder / "tables" / "claims.csv") for folder in (results, other)]
    rows = sides[0].merge(sides[1][[*key, "difference", "verdict"]], on=key, suffixes=(f"_{HERE}", f"_{THERE}"))
    told = [f"{name}_{side}" for name in ("difference", "verdict") for side in (HERE, THERE)]
    return rows.assign(study=results.name)[["study", *key, *told]]


def summarise(rows: pandas.DataFrame) -> pandas.DataFrame:
    """A row for each study, model, task, method and set: means over seeds here and there, and 95 % t intervals.

    `a_seed` is how far one seed is off, without sign; `moved` how far the mean over seeds is; `here_ahead` and
    `there_ahead` how far the method is ahead of fine-tuning of the same seeds (empty for fine-tuning itself).
    """
    pair = [name for name in KEY if name != "method"]
    baseline = rows[rows["method"] == BASELINE].set_index(pair)[[HERE, THERE]]
    beside = rows.join(baseline, on=pair, rsuffix="_baseline")
    found = []
    for place, group in beside.groupby([name for name in KEY if name != "seed"], sort=False):
        moved = group[THERE] - group[HERE]
        row = {**dict(zip((name for name in KEY if name != "seed"), place, strict=True)), "seeds": len(group)}
        row |= {"same": int((moved == 0).sum()), "a_seed": moved.abs().mean()}
        row |= {side: group[side].mean() for side in (HERE, THERE)} | _estimate("moved", moved)
        if row["method"] != BASELINE:
            for side in (HERE, THERE):
                row |= _estimate(f"{side}_ahead", (group[side] - group[f"{side}_baseline"]).dropna())
        found.append(row)
    return pandas.DataFrame(found)


def _estimate(name: str, values: pandas.Series) -> dict[str, float]:
    """Mean and interval as columns; nothing of no values."""
    if values.empty:
        return {}
    found = mean_over_seeds(values.to_numpy())
    return {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}
