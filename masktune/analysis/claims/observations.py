"""What the studies observed of the paper's claims: each claim x kind of study, from the stored tables of claims.

Studies of the embedded world, of a small model on part of the real data, and of whole models on all of it are never
mixed: each has a column of its own, and a cell of it rests on one study.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from masktune.analysis import names, provenance, stamps, table
from masktune.analysis.claims import numbers, tables, verdicts
from masktune.analysis.claims.paper import CLAIMS, Compared, PaperClaim, Setting
from masktune.analysis.cost import numbers as cost
from masktune.analysis.diversity import numbers as diversity
from masktune.study.design.arms import MASK_TUNING, MLM_ONLY, RANDOM, gathered_file
from masktune.study.design.cells import NOT_SCIENTIFIC
from masktune.study.design.comparisons import comparisons
from masktune.study.design.grid import GridRow, Variant
from masktune.study.design.load import load_study
from masktune.study.design.study import Study
from masktune.study.paths import folder, studies, study_file
from masktune.study.store import gather

SETTINGS = ("embedded", "laptop", "paper")
_TEXTS = ("reason", "gate", "gate_reason")
COLUMNS = [
    "name", "sentence", "published", "points", "setting", "study", "models", "comparisons", "judged", "tested",
    "holds_on", "opposite_on", "seeds", "examples", "difference", "low", "high", "lowest", "highest", "ratio", "p",
    "corrected_p", "beside", "verdict", "reason", "mixed", "command",
]  # fmt: skip


def observe() -> pd.DataFrame:
    """A row for each claim of the paper and each setting. What is not stored below results/ is "not run"."""
    sources = [_Source(load_study(name)) for name in _studies()]
    rows = [
        {
            "name": claim.name, "sentence": claim.sentence, "published": claim.published, "points": claim.points,
            "setting": setting, "command": _command(claim, sources),
            **_cell(claim, [source for source in sources if source.setting == setting]),
        }
        for claim in CLAIMS
        for setting in SETTINGS
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def write(results_folder: Path) -> None:
    """Bring tables/observations.* of a study up to date with the stored claims of all of them."""
    read = [
        path
        for name in _studies()
        for path in (study_file(name), _claims_file(name), folder(name) / gather.RUNS, gathered_file(name))
    ]
    made_from = results_folder / "observed_from.json"
    inputs = stamps.digest([*read, *stamps.source_files()], stamps.versions())
    if not stamps.is_fresh(made_from, inputs):
        observations = tables.observations(observe())
        stamps.stamp(made_from, inputs, table.write(observations, results_folder / "tables"))


def _studies() -> list[str]:
    """The three studies, and the others that have stored claims."""
    return [*SETTINGS, *(name for name in studies() if name not in SETTINGS and _claims_file(name).is_file())]


def _claims_file(study_name: str) -> Path:
    return folder(study_name) / "tables" / "claims.csv"


@dataclass(frozen=True)
class _Source:
    """A study, what it declares, and its stored table of claims."""

    study: Study

    @property
    def setting(self) -> str:
        """Its kind: whole models on all of the real data ("paper"), less of either ("laptop"), or "embedded"."""
        if self.study.data == "embedded":
            return "embedded"
        part_of_data = any(training.train_examples is not None for training in self.study.task_training.values())
        adapted = any(model.adaptation is not None for model in self.study.models)
        return "laptop" if part_of_data or adapted else "paper"

    @cached_property
    def settings(self) -> dict[str, Setting]:
        return {
            variant.label: Setting(row.method, variant.options, _is_plain(row, variant))
            for row in self.study.grid
            for variant in row.variants
        }

    @cached_property
    def declared(self) -> list[Compared]:
        return [
            self._comparison(claim.test, at, claim.method, claim.against)
            for claim in self.study.claims
            for at in comparisons(self.study, claim)
        ]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The stored rows of all declared comparisons; those that were not run have 0 seeds."""
        if not _claims_file(self.study.name).is_file():
            return pd.DataFrame(columns=numbers.COLUMNS)
        stored = pd.read_csv(_claims_file(self.study.name)).reindex(columns=numbers.COLUMNS)
        stored = stored.astype({name: object for name in _TEXTS}).fillna(dict.fromkeys(_TEXTS, ""))
        known = stored["method"].isin(self.settings) & stored["against"].isin(self.settings)
        return stored[known]

    @cached_property
    def mixed(self) -> str:
        """A sentence where its runs were not all made alike."""
        path = folder(self.study.name) / gather.RUNS
        return provenance.mixed_note(pd.read_parquet(path)) if path.is_file() else ""

    def _comparison(self, test: str, at: Any, method: str, against: str) -> Compared:
        place = (at.task, at.model, at.set, at.kind)
        return Compared(test, *place, self.settings[method], self.settings[against])

    def declares(self, claim: PaperClaim) -> bool:
        asked = claim.how == "diversity" and self.study.diversity is not None
        return asked or any(claim.answers(at) for at in self.declared)

    def rows(self, claim: PaperClaim) -> pd.DataFrame:
        """The declared rows that answer a claim: where some were run, those with a test.

        Where the published gain is RoBERTa's and some of these rows are RoBERTa's, they alone answer it.
        """
        chosen = [
            claim.answers(self._comparison(row.test, row, row.method, row.against)) for row in self.table.itertuples()
        ]
        rows = self.table[np.array(chosen, dtype=bool)]
        rows = _prefer(rows, rows["test"] != "estimate")
        roberta = rows["model"].astype(str).str.startswith("roberta")
        return _prefer(rows, roberta) if claim.points is not None else rows


def _is_plain(row: GridRow, variant: Variant) -> bool:
    """Whether nothing but the method and its options differs; how often a run is read changes nothing in it."""
    return not (variant.training.keys() - NOT_SCIENTIFIC or row.adaptation or row.data_options)


def _prefer(rows: pd.DataFrame, wanted: pd.Series) -> pd.DataFrame:
    """The wanted rows where one of them was run, with those that were not; else all."""
    return rows[wanted] if (rows.loc[wanted, "seeds"] > 0).any() else rows


def _command(claim: PaperClaim, sources: Iterable[_Source]) -> str:
    """The command that makes the runs; empty while no study declares them."""
    return f"python -m masktune {claim.command}" if any(source.declares(claim) for source in sources) else ""


def _cell(claim: PaperClaim, sources: list[_Source]) -> dict[str, Any]:
    """What the first study with an answer says."""
    for source in sources:
        if claim.how == "diversity" and gathered_file(source.study.name).is_file():
            place = {"study": source.study.name, "models": names.model(source.study.models[0].name)}
            return {**place, **_diversity(diversity.read(source.study.name))}
        rows = source.rows(claim)
        if (rows["seeds"] > 0).any():
            models = ", ".join(names.model(model) for model in rows.loc[rows["seeds"] > 0, "model"].unique())
            about = {"study": source.study.name, "models": models, "mixed": source.mixed}
            return {**about, **_ANSWERS[claim.how](rows, source)}
    declared = any(source.declares(claim) for source in sources)
    return {"verdict": verdicts.NOT_RUN, "reason": "" if declared else "no study declares it"}


def _verdict(rows: pd.DataFrame, _: _Source) -> dict[str, Any]:
    """The verdict on one comparison as it is; on several together, their partial conjunction."""
    together = {
        **numbers.conclusion(rows),
        "examples": _span(rows["examples"]),
        "beside": tables.secondary_metrics_text(rows),
    }
    if len(rows) > 1:
        return together
    row = rows.iloc[0]
    return {**together, **row[["low", "high", "p", "corrected_p", "verdict", "reason"]]}


def _largest(rows: pd.DataFrame, _: _Source) -> dict[str, Any]:
    """The largest difference, picked because it is the largest: it has no test."""
    judged = rows[~verdicts.is_closed(rows)]
    rows = judged if (judged["seeds"] > 0).any() else rows
    row, run = rows.loc[rows["difference"].idxmax()], int((rows["seeds"] > 0).sum())
    of = f"{run}" if run == len(rows) else f"{run} that were run of {len(rows)}"
    return {
        **row[["difference", "low", "high", "seeds"]], "comparisons": 1, "examples": _span(row[["examples"]]),
        "beside": tables.secondary_metrics_text(rows.loc[[row.name]]),
        **_untestable(f"the largest of {of}, picked after the fact"),
    }  # fmt: skip


def _untestable(reason: str) -> dict[str, str]:
    return {"verdict": verdicts.decide(0, 0, 0, reason), "reason": reason}


def _cost(rows: pd.DataFrame, source: _Source) -> dict[str, Any]:
    """Training time of the method in that of the other, over paired seeds: the geometric mean over models and tasks.

    Of runs that were not made alike those with most pairs give the ratio; the reason names the ratio of the others.
    """
    path = folder(source.study.name) / gather.RUNS
    if not path.is_file():
        return {"verdict": verdicts.NOT_RUN, "reason": "runs missing"}
    runs = pd.read_parquet(path)
    overhead = pd.concat([cost.overhead(runs, against) for against in rows["against"].unique()])
    places = rows[[*cost.PLACE, "method", "against"]].drop_duplicates()
    overhead = places.merge(overhead, left_on=[*places], right_on=[*cost.PLACE, "second", "first"])
    if overhead.empty:
        return {"verdict": verdicts.NOT_RUN, "reason": "no paired runs with their times"}
    by_provenance = overhead.groupby(provenance.COLUMNS, sort=False)
    (made, most), *others = sorted(by_provenance, key=lambda group: group[1]["seeds"].sum(), reverse=True)
    ratios = most["time"]
    return {
        "ratio": cost.geometric_mean(ratios), "lowest": ratios.min(), "highest": ratios.max(),
        "comparisons": len(ratios), "seeds": int(most["seeds"].max()), "verdict": verdicts.MEASURED,
        "reason": "; ".join([f"in {provenance.describe(*made)}", *(_separate_ratio(*other) for other in others)]),
    }  # fmt: skip


def _separate_ratio(made: tuple[str, str], overhead: pd.DataFrame) -> str:
    """The ratio among runs that were made in another way: it is never averaged with the first."""
    return f"separately, {cost.geometric_mean(overhead['time']):.2f} times in {provenance.describe(*made)}"


def _diversity(measured: pd.DataFrame) -> dict[str, Any]:
    """How many times as diverse as MLM-only training, over the measures that can tell: the paper does not name its own.

    A measure on which random tokens in the same gaps do not reach three times cannot tell.
    """
    ratios = diversity.ratios(measured)
    pair = (ratios["second"] == MASK_TUNING) & (ratios["first"] == MLM_ONLY)
    ours = ratios[pair].dropna(subset=["ratio", "low"])
    if ours.empty:
        return _untestable("one seed gives no interval")
    most = ratios[(ratios["second"] == RANDOM) & (ratios["first"] == MLM_ONLY)].set_index("measure")["ratio"]
    unable = ours["measure"].map(most) < diversity.PUBLISHED
    if unable.all():
        return _untestable(f"random tokens do not reach three times under any of {len(ours)} measures")
    left_out = f"; {int(unable.sum())} more cannot tell: random tokens do not reach three times" if unable.any() else ""
    ours = ours[~unable]
    reached = int((ours["low"] >= diversity.PUBLISHED).sum())
    missed = int((ours["high"] < diversity.PUBLISHED).sum())
    less = int((ours["high"] < 1).sum())
    return {
        "ratio": cost.geometric_mean(ours["ratio"]), "lowest": ours["low"].min(), "highest": ours["high"].max(),
        "comparisons": len(ours), "seeds": int(ours["seeds"].max()), "examples": str(measured["sources"].max()),
        "verdict": verdicts.decide(reached, less, len(ours)),
        "reason": f"the interval lies below three times under {missed} of {len(ours)} measures{left_out}",
    }  # fmt: skip


def _span(values: pd.Series) -> str:
    """`420`, or `420 to 976`; what was not run has none."""
    low, high = int(values.min()), int(values.max())
    return f"{low}" if low == high else f"{low} to {high}"


_ANSWERS = {"verdict": _verdict, "largest": _largest, "cost": _cost}
