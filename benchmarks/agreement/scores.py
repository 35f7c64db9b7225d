"""Group accuracy and pair consistency from stored predictions, by code that takes nothing from masktune.

Plain loops over rows, as McCoy et al. 2019 (HANS: the share of right answers for each heuristic and true label) and
Gardner et al. 2020 (contrast sets: the share of pairs with both halves right) describe them. What the tables of a study
say must be this.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas

GROUP, CONSISTENCY = "group accuracy", "pair consistency"
KEY = ["task", "model", "set", "measure", "part", "method"]


def recompute(results: Path) -> pandas.DataFrame:
    """A row for each number: KEY, seeds, and `again`, the mean over seeds in per cent.

    Reads runs.parquet and predictions/ of the folder of a study.
    """
    runs = pandas.read_parquet(results / "runs.parquet")
    answers = pandas.read_parquet(results / "predictions", columns=_COLUMNS)
    answers = {run_id: rows for run_id, rows in answers.groupby("run_id")}
    values: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for _, run in runs.iterrows():
        if run["status"] == "done" and run["part"] == "main":
            for key, value in {**_groups(answers[run["run_id"]]), **_pairs(answers[run["run_id"]])}.items():
                set_name, measure, part = key
                values[run["task"], run["model"], set_name, measure, part, run["label"]].append(value)
    rows = [(*key, len(shares), 100 * sum(shares) / len(shares)) for key, shares in values.items()]
    return pandas.DataFrame(rows, columns=[*KEY, "seeds", "again"])


_COLUMNS = ["run_id", "set", "kind", "cluster_id", "group", "label", "prediction"]


def _groups(answers: pandas.DataFrame) -> dict[tuple[str, str, str], float]:
    """(set, measure, group) -> the share of right answers."""
    counted: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    for kind, name, group, label, prediction in _values(answers, "kind", "set", "group", "label", "prediction"):
        if kind == "out_of_distribution" and group:
            counted[name, GROUP, group].append(label == prediction)
    return {
        (name, measure, _title(group)): sum(right) / len(right) for (name, measure, group), right in counted.items()
    }


def _pairs(answers: pandas.DataFrame) -> dict[tuple[str, str, str], float]:
    """(set, measure, part) -> the share of pairs of which both halves are right."""
    wrong: dict[str, set[str]] = defaultdict(set)
    pairs: dict[str, set[str]] = defaultdict(set)
    for name, pair, label, prediction in _values(answers, "set", "cluster_id", "label", "prediction"):
        pairs[name].add(pair)
        if label != prediction:
            wrong[name].add(pair)
    edited = {name: f"{name}_original" for name in pairs if f"{name}_original" in pairs}
    return {
        (name, CONSISTENCY, "both halves right"): 1 - len(wrong[name] | wrong[other]) / len(pairs[name])
        for name, other in edited.items()
    }


def _values(answers: pandas.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(answers[name].tolist() for name in columns), strict=True)


def _title(group: str) -> str:
    """`lexical_overlap/1` as the tables call it."""
    heuristic, _, label = group.partition("/")
    told = {"0": ", entailment", "1": ", not entailed"}.get(label, f"/{label}" if label else "")
    return heuristic.replace("_", " ") + told


def compare(results: Path) -> pandas.DataFrame:
    """What the tables of a study say (`told`, per cent) beside what was computed again; `difference` in points."""
    told = pandas.read_csv(results / "tables" / "details.csv")
    told = told[told["measure"].isin([GROUP, CONSISTENCY])].rename(columns={"value": "told"})
    both = told[[*KEY, "told"]].merge(recompute(results), on=KEY, how="outer")
    return both.assign(difference=both["told"] - both["again"])


def summarise(study: str, both: pandas.DataFrame) -> list[dict[str, Any]]:
    """A row for each set and measure: how many numbers were compared, and by how much they differ at most."""
    rows = []
    for (task, set_name, measure), group in both.groupby(["task", "set", "measure"], sort=False):
        missing = int(group["difference"].isna().sum())
        rows.append(
            {"study": study, "task": task, "set": set_name, "measure": measure, "numbers": len(group),
             "missing": missing, "largest_difference": group["difference"].abs().max()}
        )  # fmt: skip
    return rows
