"""All tables and figures of a study in one object, computed once from its stored files: what notebooks hold."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import pandas as pd

from masktune.analysis import ablations
from masktune.analysis import provenance as origins
from masktune.analysis import stamps as files
from masktune.analysis import table as presentation
from masktune.analysis.accuracy import numbers as tables
from masktune.analysis.answers import Block, blocks, finite
from masktune.analysis.claims import numbers as claims
from masktune.analysis.claims import tables as claim_tables
from masktune.analysis.plotting import theme
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.table import Table
from masktune.study.paths import study_file
from masktune.study.spec.load import load_study
from masktune.study.spec.study import Study
from masktune.study.store import gather


@dataclass(frozen=True)
class Results:
    """The tables of a study, one number a row; `main_table` and the others are laid out for reading.

    `blocks` and `seeds` hold every run, claims what they are about, the other tables the main part of the study.
    """

    runs: pd.DataFrame
    blocks: list[Block]
    seeds: pd.DataFrame
    main: pd.DataFrame
    differences: pd.DataFrame
    details: pd.DataFrame
    failures: pd.DataFrame
    claims: pd.DataFrame
    conclusions: pd.DataFrame

    @cached_property
    def main_table(self) -> Table:
        return self._noted(presentation.main(self.main), self.main["method"])

    @cached_property
    def differences_table(self) -> Table:
        frame = self.differences
        return self._noted(presentation.differences(frame), [*frame["first"], *frame["second"]])

    @cached_property
    def conclusions_table(self) -> Table:
        return self._noted(claim_tables.conclusions(self.conclusions), self._claimed)

    @cached_property
    def claims_table(self) -> Table:
        return self._noted(claim_tables.claims(self.claims), self._claimed)

    @cached_property
    def details_table(self) -> Table:
        return self._noted(presentation.details(self.details), self.details["method"])

    @property
    def _claimed(self) -> list[str]:
        return [*self.claims["method"], *self.claims["against"]]

    def _noted(self, table: Table, labels: Iterable[str]) -> Table:
        """The table, whose caption says so where the runs of these labels were not all made alike."""
        own = self.runs[self.runs["label"].isin(set(labels))]
        return replace(table, caption=table.caption + origins.mixed(own))

    def sweep_table(self, factor: str) -> Table:
        """What a setting that varies alone changes, see `ablations.tables.sweep`."""
        swept = self.sweeps[factor]
        return self._noted(ablations.tables.sweep(swept, factor), [*swept["label"], *swept["reference"]])

    @cached_property
    def seeds_table(self) -> Table:
        return self._noted(presentation.seeds(self.seeds), self.seeds["method"])

    @cached_property
    def failures_table(self) -> Table:
        return presentation.failures(self.failures, len(self.runs))

    @cached_property
    def variants(self) -> pd.DataFrame:
        """Every variant of Mask-tuning against fine-tuning at the same training, see `ablations.numbers.variants`."""
        return ablations.numbers.variants(self.blocks, self.runs)

    @cached_property
    def sweeps(self) -> dict[str, pd.DataFrame]:
        """By name, every setting that the study varies alone."""
        found = {factor: ablations.numbers.sweep(self.variants, factor) for factor in ablations.settings.SETTINGS}
        return {factor: swept for factor, swept in found.items() if len(swept)}

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that have rows, the one of failures always, in the order in which they are read."""
        names = ("main", "conclusions", "claims", "differences", "details")
        shown = [getattr(self, f"{name}_table") for name in names if not getattr(self, name).empty]
        return (*shown, self.failures_table)

    def figures(self) -> dict[str, Drawing]:
        """The figures by name; the one of differences only where there are some."""
        from masktune.analysis.accuracy import figures

        drawn = {"main": figures.accuracies(self.seeds, self.main, self.runs)}
        if not self.differences.empty:
            drawn["differences"] = figures.differences(self.differences, self.runs)
        swept = {
            f"sweep_{factor}": ablations.figures.sweep(rows, factor, self.runs) for factor, rows in self.sweeps.items()
        }
        return {**drawn, **swept}


def of(runs: pd.DataFrame, predictions: pd.DataFrame, study: Study | None = None) -> Results:
    """Everything that runs and predictions say, of the study's claims too; empty tables where no run is done."""
    runs, predictions = finite(runs, predictions)
    shown = runs[runs["part"] == "main"]
    found = blocks(runs, predictions)
    claimed = claims.evaluate(study, found) if study else pd.DataFrame(columns=claims.COLUMNS)
    concluded = claims.conclusions(study, claimed) if study else pd.DataFrame(columns=claims.CONCLUSIONS)
    main = [block for block in (block.only(set(shown["label"])) for block in found) if block.answers]
    return Results(
        runs, found, tables.seeds(found), tables.main(main), tables.differences(main, shown), tables.details(main),
        tables.failures(runs), claimed, concluded,
    )  # fmt: skip


def read(study_name: str) -> Results:
    """The results of a gathered study, by name. Raises MaskTuneError if it has not been gathered."""
    return _read(study_name, files.digest([*gather.files(study_name), study_file(study_name)]))


@lru_cache(maxsize=1)
def _read(study_name: str, digest: str) -> Results:
    """Kept for the report, which asks for them twice: the bootstrap is most of the work."""
    return of(*gather.read(study_name), load_study(study_name))


def write(results: Results, folder: Path) -> list[Path]:
    """Write `tables/` and `figures/` below the folder, each as a whole."""
    with files.whole_folder(folder / "tables") as target:
        swept = [results.sweep_table(factor) for factor in results.sweeps]
        for table in (*results.tables, *swept, results.seeds_table):
            presentation.write(table, target)
    with files.whole_folder(folder / "figures") as target:
        for name, figure in results.figures().items():
            theme.save(figure, target, name)
    return sorted(path for part in ("tables", "figures") for path in (folder / part).iterdir())
