"""All tables and figures of a study in one object, computed once from its stored files: what notebooks hold."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from masktune.analysis import (
    ablations,
    accuracy,
    claims,
    collapse,
    inference,
    language_models,
    provenance,
    published,
    readings,
    stamps,
)
from masktune.analysis.answers import Block, blocks, fail_runs_without_numbers
from masktune.analysis.collapse.numbers import Collapse
from masktune.analysis.plotting import theme
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.table import Table
from masktune.analysis.table import write as write_table
from masktune.study.design.load import load_study
from masktune.study.design.study import Study
from masktune.study.paths import folder, study_file
from masktune.study.store import gather


@dataclass(frozen=True)
class Results:
    """The tables of a study, one number a row; `main_table` and the others are laid out for reading.

    `blocks` and `seeds` hold every run, `claims` and `conclusions` the runs that claims are about, the other tables
    those of the study's main part.
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
    claims_page: pd.DataFrame
    gates: claims.gates.Outcome
    matched: pd.DataFrame
    when_read: pd.DataFrame
    sources: pd.DataFrame
    subcases: pd.DataFrame
    foldings: pd.DataFrame
    published: pd.DataFrame
    collapse: Collapse

    @cached_property
    def main_table(self) -> Table:
        return self._with_note(accuracy.tables.main(self.main), self.main["method"], intervals=True)

    @cached_property
    def differences_table(self) -> Table:
        frame = self.differences
        labels = [*frame["first"], *frame["second"]]
        return self._with_note(accuracy.tables.differences(frame), labels, intervals=True)

    @cached_property
    def conclusions_table(self) -> Table:
        return self._with_note(claims.tables.conclusions(self.conclusions), self._compared_labels)

    @cached_property
    def claims_page_table(self) -> Table:
        return self._with_note(claims.tables.page(self.claims_page, self.claims), self._compared_labels)

    @cached_property
    def claims_table(self) -> Table:
        return self._with_note(claims.tables.claims(self.claims), self._compared_labels, intervals=True)

    @cached_property
    def details_table(self) -> Table:
        return self._with_note(accuracy.tables.details(self.details), self.details["method"])

    @cached_property
    def matched_table(self) -> Table:
        return self._with_note(readings.tables.matched(self.matched), self._compared_labels)

    @cached_property
    def when_read_table(self) -> Table:
        return self._with_note(readings.tables.when_read(self.when_read), self._compared_labels)

    @cached_property
    def subcases_table(self) -> Table:
        return self._with_note(inference.tables.subcases(self.subcases), self.subcases["method"])

    @cached_property
    def foldings_table(self) -> Table:
        return self._with_note(inference.tables.foldings(self.foldings), self.foldings["method"])

    @cached_property
    def published_table(self) -> Table:
        return self._with_note(published.tables.beside_published(self.published), self.published["method"])

    @property
    def gate_tables(self) -> list[Table]:
        """The tables of the gates; none where the study declares none, or nothing of them is run."""
        declared, outcome = self.gates.declared, self.gates
        if declared is None:
            return []
        made = [(claims.gate_tables.trained, outcome.trained), (claims.gate_tables.contrasts, outcome.contrasts)]
        return [self._with_note(lay_out(frame, declared), frame["method"]) for lay_out, frame in made if len(frame)]

    @property
    def collapse_tables(self) -> list[Table]:
        """The tables of the declared slopes; none where the study declares none, or no place of them is run."""
        found = self.collapse
        if found.losses.empty:
            return []
        labels = [*found.losses["method"], *found.losses["against"]]
        return [self._with_note(lay_out(found), labels) for lay_out in (collapse.tables.slopes, collapse.tables.losses)]

    @property
    def _compared_labels(self) -> list[str]:
        return [*self.claims["method"], *self.claims["against"]]

    def _with_note(self, table: Table, labels: Iterable[str], intervals: bool = False) -> Table:
        """The table; its caption says so where the runs of these labels were not all made alike.

        `intervals`: it shows some that take several pre-trainings into account, which it then says.
        """
        own = self.runs[self.runs["label"].isin(set(labels))]
        note = language_models.text.pretrainings_note(own) if intervals else ""
        return replace(table, caption=table.caption + note + provenance.mixed_note(own))

    @cached_property
    def language_models(self) -> pd.DataFrame:
        """The language models that the runs start from, see `language_models.numbers.trained`."""
        return language_models.numbers.trained(self.runs)

    @cached_property
    def sources_table(self) -> Table:
        return language_models.tables.sources(self.sources)

    @cached_property
    def language_models_table(self) -> Table:
        return language_models.tables.trained(self.language_models)

    def sweep_table(self, factor: str) -> Table:
        """What a setting changes that varies alone, see `ablations.tables.sweep`."""
        swept = self.sweeps[factor]
        return self._with_note(ablations.tables.sweep(swept, factor), [*swept["label"], *swept["reference"]])

    @cached_property
    def seeds_table(self) -> Table:
        return self._with_note(accuracy.tables.seeds(self.seeds), self.seeds["method"])

    @cached_property
    def failures_table(self) -> Table:
        return accuracy.tables.failures(self.failures, len(self.runs))

    @cached_property
    def variants(self) -> pd.DataFrame:
        """Every variant of Mask-tuning against fine-tuning at the same training, see `ablations.numbers.variants`."""
        return ablations.numbers.variants(self.blocks, self.runs)

    @cached_property
    def sweeps(self) -> dict[str, pd.DataFrame]:
        """By name, every setting that the study varies alone."""
        by_factor = {factor: ablations.numbers.sweep(self.variants, factor) for factor in ablations.settings.SETTINGS}
        return {factor: swept for factor, swept in by_factor.items() if len(swept)}

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that have rows, the one of failures always, in the order in which they are read."""
        first = ("main", "claims_page", "conclusions", "claims")
        then = (
            "matched", "when_read", "differences", "details", "foldings", "subcases", "published", "sources",
            "language_models",
        )  # fmt: skip
        before, after = (
            [getattr(self, f"{name}_table") for name in names if not getattr(self, name).empty]
            for names in (first, then)
        )
        return (*before, *self.collapse_tables, *self.gate_tables, *after, self.failures_table)

    def figures(self) -> dict[str, Drawing]:
        """The figures by name; the one of differences only where there are some."""
        drawings = {"main": accuracy.figures.accuracies(self.seeds, self.main, self.runs)}
        if not self.differences.empty:
            drawings["differences"] = accuracy.figures.differences(self.differences, self.runs)
        if not self.gates.contrasts.empty:
            drawings["gates"] = claims.figures.gates(self.gates.contrasts)
        if self.collapse.declared:
            drawings["collapse"] = collapse.figures.collapse(self.collapse, self.runs)
        if not self.language_models.empty:
            drawings["language_models"] = language_models.figures.curves(language_models.numbers.curves(self.runs))
        for factor, rows in self.sweeps.items():
            drawings[f"sweep_{factor}"] = ablations.figures.sweep(rows, factor, self.runs)
        return drawings


def of(
    runs: pd.DataFrame, predictions: pd.DataFrame, study: Study | None = None, histories: pd.DataFrame | None = None
) -> Results:
    """Everything that runs and predictions say, of the study's claims too; empty tables where no run is done.

    `histories`: training logs, which the study's gates, readings and slopes ask for.
    """
    runs, predictions = fail_runs_without_numbers(runs, predictions)
    all_blocks = blocks(runs, predictions)
    main_runs = runs[runs["part"] == "main"]
    main = [block for block in (block.select_methods(set(main_runs["label"])) for block in all_blocks) if block.answers]
    declared = _declared(study, all_blocks, runs, pd.DataFrame() if histories is None else histories)
    return Results(
        runs=runs,
        blocks=all_blocks,
        seeds=accuracy.numbers.seeds(all_blocks),
        main=declared["gates"].mark(accuracy.numbers.main(main)),
        differences=accuracy.numbers.differences(main, main_runs),
        details=accuracy.numbers.details(main),
        failures=accuracy.numbers.failures(runs),
        subcases=inference.numbers.subcases(main),
        foldings=inference.numbers.foldings(main),
        **declared,
    )


def _declared(
    study: Study | None, all_blocks: list[Block], runs: pd.DataFrame, histories: pd.DataFrame
) -> dict[str, Any]:
    """What follows from what a study declares: its claims, their conclusions, its gates, slopes, when runs are read."""
    if study is None:
        columns = {
            "claims": claims.numbers.COLUMNS,
            "conclusions": claims.numbers.CONCLUSIONS,
            "claims_page": claims.page.COLUMNS,
            "matched": readings.numbers.MATCHED,
            "when_read": readings.numbers.WHEN_READ,
            "published": published.numbers.COLUMNS,
        }
        empty = {name: pd.DataFrame(columns=names) for name, names in columns.items()}
        return {
            **empty, "gates": claims.gates.Outcome(), "sources": pd.DataFrame(),
            "collapse": Collapse(),
        }  # fmt: skip
    outcome = claims.gates.evaluate(study, all_blocks, runs, histories)
    read = readings.numbers.courses(study, runs, histories)
    compared = claims.numbers.evaluate(study, all_blocks, outcome)
    concluded = claims.numbers.conclusions(study, compared)
    return {
        "claims": compared,
        "conclusions": concluded,
        "claims_page": claims.page.page(study, runs, compared, concluded),
        "gates": outcome,
        "collapse": collapse.numbers.evaluate(study, all_blocks, runs, histories),
        "matched": readings.numbers.matched(study, read),
        "when_read": readings.numbers.when_read(study, read),
        "sources": language_models.numbers.sources(study),
        "published": published.numbers.beside_published(study, all_blocks, runs),
    }


def read(study_name: str) -> Results:
    """The results of a gathered study, by name. Raises MaskTuneError if it has not been gathered."""
    return _read(study_name, stamps.digest([*gather.files(study_name), study_file(study_name)]))


@lru_cache(maxsize=1)
def _read(study_name: str, digest: str) -> Results:
    """Kept for the report, which asks for them twice: the bootstrap is most of the work."""
    return of(*gather.read(study_name), load_study(study_name), gather.read_histories(study_name))


def build(study_name: str) -> list[Path]:
    """Bring results/<study>/tables and figures up to date with the gathered files; returns their paths.

    Nothing is made again from the same runs by the same code. The page of the paper's claims follows the stored tables
    of every study. Raises MaskTuneError if nothing is gathered.
    """
    target = folder(study_name)
    made_from, inputs = target / "made_from.json", stamps.results_inputs(study_name)
    if not stamps.is_fresh(made_from, inputs):
        stamps.stamp(made_from, inputs, write(read(study_name), target))
    claims.observations.write(target)
    return _list_files(target)


def write(results: Results, folder: Path) -> list[Path]:
    """Write `tables/` and `figures/` below the folder, each as a whole."""
    with stamps.whole_folder(folder / "tables") as target:
        sweeps = [results.sweep_table(factor) for factor in results.sweeps]
        for table in (*results.tables, *sweeps, results.seeds_table):
            write_table(table, target)
    with stamps.whole_folder(folder / "figures") as target:
        for name, figure in results.figures().items():
            theme.save(figure, target, name)
    return _list_files(folder)


def _list_files(results_folder: Path) -> list[Path]:
    return sorted(path for name in ("tables", "figures") for path in (results_folder / name).iterdir())
