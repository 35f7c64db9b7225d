"""Made-up studies of every kind that are not finished, and everything that the report and the chapters make of one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
from synthetic_study import METHODS, make

from masktune.analysis import ablations, accuracy, claims, collapse, comparisons, gradients, lengths, overview, results
from masktune.analysis import cost as costs
from masktune.analysis.accuracy import figures
from masktune.analysis.plotting.lines import along_training
from masktune.analysis.results import Results
from masktune.study.design.load import load_study
from masktune.study.design.study import Study

MEASURED = {"loss_classification": 0.5, "loss_mlm": 2.0, "norm_classification": 1.5, "cosine_mlm_classification": 0.1}


@dataclass(frozen=True)
class Partial:
    """A gathered study of which some runs are not done."""

    kind: str
    runs: pd.DataFrame
    predictions: pd.DataFrame

    @cached_property
    def study(self) -> Study:
        return load_study(self.kind)

    @cached_property
    def found(self) -> Results:
        return results.of(self.runs, self.predictions, self.study, self.logs)

    @cached_property
    def histories(self) -> pd.DataFrame:
        return gradients.numbers.along(self.runs, self.logs)

    @cached_property
    def logs(self) -> pd.DataFrame:
        trained = self.runs[(self.runs["method"] == "mask_tuning") & (self.runs["status"] == "done")]
        rows = [
            {"run_id": run, "step": float(step), "norm_mlm": 9.0 / step, **MEASURED}
            for run in trained["run_id"]
            for step in (1, 2, 3, 6)
        ]
        numbers = ["step", "norm_mlm", *MEASURED]
        return pd.DataFrame(rows, columns=["run_id", *numbers]).astype(dict.fromkeys(numbers, float))

    def without(self, gone: pd.Series, status: str = "missing") -> "Partial":
        """The same study with these runs not done: they have neither answers nor costs."""
        runs = self.runs.copy()
        runs.loc[gone, "status"] = status
        runs.loc[gone, "error"] = "MaskTuneError: the disk is full" if status == "failed" else ""
        measured = ["train_seconds", "train_examples", *(name for name in runs if name.startswith("accuracy/"))]
        runs[measured] = runs[measured].astype(float)
        runs.loc[gone, measured] = np.nan
        kept = self.predictions["run_id"].isin(runs.loc[~gone, "run_id"])
        return replace(self, runs=runs, predictions=self.predictions[kept].reset_index(drop=True))


def _last(runs: pd.DataFrame, column: str) -> pd.Series:
    return runs[column] == runs[column].iloc[-1]


MISSING: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "nothing": lambda runs: runs["seed"] < 0,
    "every run": lambda runs: runs["seed"] >= 0,
    "every seed but one": lambda runs: runs["seed"] > 0,
    "Mask-tuning": lambda runs: runs["label"] == "Mask-tuning",
    "fine-tuning": lambda runs: runs["label"] == "fine-tuning",
    "the last method": lambda runs: _last(runs, "label"),
    "Mask-tuning, but on one model": lambda runs: (runs["label"] == "Mask-tuning") & _last(runs, "model"),
    "a task": lambda runs: _last(runs, "task"),
    "a model": lambda runs: _last(runs, "model"),
    "a model on a task": lambda runs: _last(runs, "model") & _last(runs, "task"),
    "every run but one": lambda runs: runs.index.to_series() > 0,
    "a failed run": lambda runs: runs.index.to_series() == 1,
}
SHAPE = {"tasks": ("sentiment", "paraphrase"), "seeds": 2, "examples": 12}
# Of the study of methods: a baseline, a combination with its part, a control.
OTHERS = ("Span Cutoff", "R-Drop", "Mask-tuning + R-Drop", "frozen fills")


@lru_cache(maxsize=1)
def partial(kind: str, missing: str) -> Partial:
    """A study of this kind, and what is missing of it: a key of MISSING."""
    whole = _whole(kind)
    return whole.without(MISSING[missing](whole.runs), "failed" if "failed" in missing else "missing")


@lru_cache
def _whole(kind: str) -> Partial:
    runs, predictions = _MADE[kind]()
    return Partial(kind, runs.reset_index(drop=True), predictions)


def _embedded() -> tuple[pd.DataFrame, pd.DataFrame]:
    return make(models=("bert", "roberta"), methods=METHODS, **SHAPE)


def _methods() -> tuple[pd.DataFrame, pd.DataFrame]:
    study = load_study("methods")
    rows = {variant.label: (row.method, variant.options) for row in study.grid for variant in row.variants}
    others = [(label, *rows[label], np.nan, np.nan) for label in OTHERS]
    runs, predictions = make(models=("bert",), methods=[*METHODS, *others], **SHAPE)
    return runs.assign(part=runs["label"].map(study.parts)), predictions


def _ablations() -> tuple[pd.DataFrame, pd.DataFrame]:
    rates = [(f"rate {rate}", "mask_tuning", {"mask_rate": rate}, 0.6, rate) for rate in (0.01, 0.15)]
    pairs = [(f"both {rate}", "mask_tuning", {"alpha": 0.2, "mask_rate": rate}, 0.2, rate) for rate in (0.01, 0.15)]
    clean = ("clean", "mask_tuning", {"fill": "original"}, 0.6, 0.05)
    runs, predictions = make(
        tasks=("inference", "sentiment"), seeds=2, examples=12, methods=[*METHODS, *rates, *pairs, clean]
    )
    main = runs["label"].isin([name for name, *_ in METHODS])
    return runs.assign(part=np.where(main, "main", "ablation")), predictions


def _laptop() -> tuple[pd.DataFrame, pd.DataFrame]:
    again = ("Mask-tuning, MLM mean over all tokens", "mask_tuning", {"reduction": "maskable"}, 0.6, 0.05)
    shape = {"tasks": ("sentiment",), "seeds": 2, "examples": 12}
    runs, predictions = make(models=("bert-tiny",), methods=[*METHODS, again], **shape)
    more = make(models=("minilm",), methods=METHODS, **shape)
    runs, predictions = (pd.concat(pair, ignore_index=True) for pair in zip((runs, predictions), more, strict=True))
    cut = predictions[predictions["set"] == "contrast"].assign(kind="other_length")
    lengths_of = [cut.assign(set=f"contrast@{tokens}") for tokens in (16, 128)]
    return runs, pd.concat([predictions, *lengths_of], ignore_index=True)


def _collapse() -> tuple[pd.DataFrame, pd.DataFrame]:
    steps = {"0.2375": 500.0, "1": 2105.0, "3": 6315.0}
    methods = [(f"{label} (epochs {epochs})", *rest) for epochs in steps for label, *rest in METHODS]
    runs, predictions = make(
        models=("adapted-0", "adapted-300"), tasks=("sentiment",), seeds=2, examples=12, methods=methods
    )
    epochs = runs["label"].str.extract(r"epochs (.+)\)")[0]
    return runs.assign(steps=epochs.map(steps), **{"training/epochs": epochs.astype(float)}), predictions


_MADE = {
    "embedded": _embedded, "methods": _methods, "ablations": _ablations, "laptop": _laptop, "collapse": _collapse
}  # fmt: skip


# ---- what is made of it, a part of the report or of a chapter each


def report(of: Partial) -> list:
    found = of.found
    drawn = found.figures()
    swept = [ablations.tables.sweep(rows, factor) for factor, rows in found.sweeps.items()]
    return [
        *found.tables, *swept, accuracy.tables.seeds(found.seeds), *drawn.values(),
        overview.what_it_is(of.study, found.main, found.runs), accuracy.text.differences(found.differences),
        accuracy.text.lopsided(found.main, found.differences),
    ]  # fmt: skip


def main_results(of: Partial) -> list:
    found = of.found
    return [
        figures.accuracies(found.seeds, found.main, found.runs), found.main_table,
        figures.differences(found.differences, found.runs), found.differences_table,
        figures.predicted(found.differences, {"sentiment": 1.0}),
        accuracy.text.against_prediction(found.differences, {"sentiment": 1.0}), found.details_table,
        found.failures_table, found.conclusions_table, found.claims_table, claims.text.conclusions(found.conclusions),
        accuracy.text.single_pairs(found.differences),
    ]  # fmt: skip


def sweeps(of: Partial) -> list:
    variants = of.found.variants
    swept = {factor: ablations.numbers.sweep(variants, factor) for factor in ablations.settings.SETTINGS}
    both = ablations.numbers.sweep(variants, "alpha", "mask_rate")
    made = [ablations.figures.sweep(swept[name], name, of.runs) for name in ("mask_rate", "alpha", "fill", "epochs")]
    tables = [ablations.tables.sweep(swept[name], name) for name in ("mask_rate", "alpha")]
    said = [ablations.text.sweep(swept[name], name) for name in ("mask_rate", "fill")]
    together = ablations.figures.sweeps({name: swept[name] for name in ("reduction", "fill", "mask_rate")}, of.runs)
    again = ablations.figures.sweeps(of.found.sweeps, of.runs)
    maps = ablations.figures.heat_map(both, "alpha", "mask_rate"), ablations.figures.slices(both, "alpha", "mask_rate")
    return [*made, *tables, *said, together, again, *maps]


def why(of: Partial) -> list:
    main = gradients.numbers.main_labels(of.found.runs)[-1:]
    shown = [*main, *ablations.numbers.labels_of(of.found.variants, "reduction")]
    part = gradients.numbers.named(of.histories[of.histories["label"].isin(shown)])
    titles = {"norm_ratio": "norms", "cosine": "cosine of the two", "loss_classification": "loss (nats)"}
    return [
        along_training(part, list(titles), list(titles.values())), gradients.text.gradients(of.histories, *main),
        gradients.tables.gradients(of.histories, of.found.variants), ablations.text.explanations(of.found.variants),
        ablations.text.adapted(of.found.variants), ablations.tables.variants(of.found.variants),
        collapse.figures.collapse(of.found.collapse, of.runs), collapse.text.collapse(of.found.collapse),
    ]  # fmt: skip


def beside_one_another(of: Partial) -> list:
    plain, ours, *_ = comparisons.numbers.labels(of.study, "main")
    made = []
    for part in ("baseline", "control"):
        others = comparisons.numbers.labels(of.study, part)
        blocks = comparisons.numbers.answered_by(of.found.blocks, others)
        against = comparisons.numbers.against(blocks, plain, [ours, *others])
        versus = comparisons.numbers.contrasts(blocks, [(other, ours) for other in others])
        made += [
            comparisons.figures.matrix(against, [(plain, other) for other in (ours, *others)]),
            comparisons.figures.matrix(versus),
            comparisons.text.contrasts(against),
        ]
        made += [
            comparisons.tables.contrasts(against, "name", "Title"),
            comparisons.tables.contrasts(versus, "name", "Title"),
        ]
    return made


def combinations(of: Partial) -> list:
    plain, ours, *_ = comparisons.numbers.labels(of.study, "main")
    pairs = comparisons.numbers.combinations(of.study, ours)
    blocks = comparisons.numbers.answered_by(of.found.blocks, pairs.values())
    adding = comparisons.numbers.additivity(blocks, plain, ours, pairs)
    return [comparisons.text.additivity(adding, ours), comparisons.tables.additivity(adding, ours)]


def cost(of: Partial) -> list:
    runs = of.found.runs.assign(parameters=1e6)
    return [
        costs.text.answer(runs), costs.tables.overhead(runs), costs.figures.by_size(runs), costs.figures.by_data(runs),
        costs.tables.efficiency(runs, of.found.main), costs.tables.grouping(runs), costs.tables.total(runs),
        costs.text.missing(runs),
    ]  # fmt: skip


def length(of: Partial) -> list:
    plain = of.study.grid[0].label
    frame = lengths.numbers.by_length(of.found.blocks, "embedded", plain)
    return [lengths.figures.lengths(frame), lengths.tables.lengths(frame), lengths.text.lengths(frame, plain)]


PARTS = {
    "embedded": (report, main_results, cost),
    "methods": (report, main_results, beside_one_another, combinations),
    "ablations": (report, sweeps, why),
    "laptop": (report, main_results, why, length),
    "collapse": (report, main_results, why),
}
