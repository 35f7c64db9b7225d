"""What a design can show: the smallest difference that its seeds find, from the spread between seeds.

A sign-flip test over S paired seeds asks whether their differences are centred on 0. How large a difference it finds
depends on how much they vary: on their standard deviation, in points of accuracy.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from statistics import fmean
from typing import Any

import numpy as np

from masktune.statistics.tests import sign_patterns
from masktune.study.design.claims import Claim, seeds_needed, smallest_p
from masktune.study.design.comparisons import Comparison
from masktune.study.design.study import Study
from masktune.study.store import runs

POWER = 0.8
# Standard deviations of a paired difference, in points, assumed until pairs have finished. In distribution 100 BERTs
# lie within 1.2 points on MNLI (McCoy, Min, Linzen 2020), outside they differ by tens of points on parts of HANS.
ASSUMED_SPREAD = {"in_distribution": 0.5, "out_of_distribution": 3.0}
MOST_SEEDS = 1000
_REPEATS = 1000
_EXACT = 12

Accuracies = Mapping[tuple[str, str, str], Mapping[int, Mapping[str, float]]]


@cache
def detectable(seeds: int, level: float, sides: int) -> float:
    """The difference that a sign-flip test at `level` finds with 80 % power, in standard deviations of the differences.

    Normal differences are assumed. Up to 12 seeds the power is simulated, beyond them it is the t test's, which comes
    close. Infinite where the test can never reach the level.
    """
    if smallest_p(seeds, sides) > level:
        return math.inf
    if seeds > _EXACT:
        return _detectable_by_t(seeds, level / sides)
    noise = np.random.default_rng(0).normal(size=(_REPEATS, seeds))
    low, high = 0.0, 10.0
    while high - low > 0.001:
        middle = (low + high) / 2
        low, high = (low, middle) if _rejects(noise + middle, level, sides).mean() >= POWER else (middle, high)
    return high


def _detectable_by_t(seeds: int, level: float) -> float:
    """The same for a one-sided t test; of a two-sided one the far side adds nothing at 80 % power."""
    from scipy.optimize import brentq
    from scipy.stats import nct, t

    end = float(t.ppf(1 - level, seeds - 1))  # a mean that far away, in standard errors, is found half of the time
    errors = brentq(lambda true: nct.sf(end, seeds - 1, true) - POWER, 0, end + 3)
    return float(errors) / math.sqrt(seeds)


def seeds_to_resolve(difference: float, spread: float, level: float, sides: int) -> int | None:
    """The fewest seeds whose sign-flip test finds a difference with 80 % power, at this spread between seeds.

    Both in points; `difference` is what lies beyond what is asked for. None where MOST_SEEDS do not suffice.
    """
    if not (difference > 0 and spread > 0):
        return seeds_needed(level, sides) if difference > 0 else None
    found = lambda seeds: detectable(seeds, level, sides) <= difference / spread  # noqa: E731
    low = seeds_needed(level, sides) - 1
    high = next((seeds for seeds in _doubled(low + 1) if found(seeds)), None)
    while high is not None and high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high


def _doubled(seeds: int) -> Iterator[int]:
    """So many seeds, twice as many and so on, and MOST_SEEDS at the end."""
    while seeds < MOST_SEEDS:
        yield seeds
        seeds *= 2
    yield MOST_SEEDS


def half_width(seeds: int) -> float:
    """Half the 95 % t interval of a mean over seeds, in standard deviations of what varies between them."""
    from scipy.stats import t

    return float(t.ppf(0.975, seeds - 1)) / math.sqrt(seeds)


def _rejects(differences: np.ndarray, level: float, sides: int) -> np.ndarray:
    """In which of N experiments [N, S] the sign-flip test finds a difference: bool [N]."""
    patterns = sign_patterns(differences.shape[1])
    flipped, observed = differences @ patterns.T, differences.sum(axis=1, keepdims=True)
    if sides == 2:
        flipped, observed = np.abs(flipped), np.abs(observed)
    return (flipped >= observed - 1e-9).mean(axis=1) <= level


def read_accuracies(study: Study, gathered: Mapping[str, Mapping[str, Any]]) -> Accuracies:
    """Accuracy (a share) by set of every finished run that a claim is about, by (label, model, task) and seed.

    From the run folders; of runs whose folder is not here, as after cloning, from the `gathered` rows by run id.
    """
    labels = {label for claim in study.claims for label in (claim.method, claim.against)}
    ids = {cell.run_id(seed): (cell, seed) for cell in study.cells if cell.label in labels for seed in cell.seeds}
    stored = runs.find_done(study.name, ids)
    by_run = {run_id: runs.read_json(runs.run_folder(study.name, run_id) / "metrics.json") for run_id in stored}
    scores = _gathered_accuracies(gathered) | {run_id: metrics["accuracy"] for run_id, metrics in by_run.items()}
    by_cell: dict[tuple[str, str, str], dict[int, dict[str, float]]] = defaultdict(dict)
    for run_id, by_set in scores.items():
        if run_id in ids:
            cell, seed = ids[run_id]
            by_cell[cell.label, cell.model.name, cell.task][seed] = by_set
    return by_cell


def _gathered_accuracies(gathered: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        run_id: {
            column.removeprefix("accuracy/"): value
            for column, value in row.items()
            if column.startswith("accuracy/") and value is not None
        }
        for run_id, row in gathered.items()
    }


def measure_spread(claim: Claim, compared: Iterable[Comparison], known: Accuracies) -> dict[str, tuple[float, int]]:
    """By task the standard deviation of a claim's paired differences in points, and how many pairs it comes from.

    Deviations from the mean of each comparison are pooled; a task without two finished pairs of one comparison is left
    out.
    """
    squares: dict[str, float] = defaultdict(float)
    freedoms: dict[str, int] = defaultdict(int)
    pairs: dict[str, int] = defaultdict(int)
    for at in compared:
        method, against = (known.get((label, at.model, at.task), {}) for label in (claim.method, claim.against))
        gaps = [100 * (_accuracy(method, seed, at.set) - _accuracy(against, seed, at.set)) for seed in at.seeds]
        gaps = [gap for gap in gaps if not math.isnan(gap)]
        if len(gaps) > 1:
            squares[at.task] += sum((gap - fmean(gaps)) ** 2 for gap in gaps)
            freedoms[at.task] += len(gaps) - 1
            pairs[at.task] += len(gaps)
    return {task: (math.sqrt(squares[task] / freedoms[task]), pairs[task]) for task in freedoms}


def _accuracy(of_seed: Mapping[int, Mapping[str, float]], seed: int, name: str) -> float:
    return of_seed.get(seed, {}).get(name, math.nan)
