"""A study in plain text: what is declared and what has been done."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from masktune.study.design.cells import Cell
from masktune.study.design.claims import LEVEL, Claim, seeds_needed, smallest_p
from masktune.study.design.comparisons import comparisons
from masktune.study.design.study import Study
from masktune.study.paths import folder
from masktune.study.plan import throughput
from masktune.study.plan.durations import Estimate, format_seconds
from masktune.study.store import gather, previous, runs

ROWS_SHOWN = 60
STATES = ("done", "failed", "damaged", "missing")


def plan(study: Study, select: Callable[[Cell], bool], jobs: int | None = None, keep_gathered: bool = False) -> str:
    """Cells, runs, expected time and claims. `select` chooses cells, `jobs` of them run at a time (None: one).

    What is done is what `runner.run` takes as done; with `keep_gathered` that is what was gathered before as well.
    """
    cells = [cell for cell in study.cells if select(cell)]
    ids = [cell.run_id(seed) for cell in cells for seed in cell.seeds]
    state = runs.inspect(study.name, ids)
    gathered = previous.read_rows(folder(study.name) / previous.RUNS)
    kept = gather.find_kept(study).keys() & set(ids) if keep_gathered else set()
    done = state.done | kept
    estimate = Estimate(cells, state.done, gathered)
    finished = {cell.id: sum(cell.run_id(seed) in done for seed in cell.seeds) for cell in cells}
    rows = [
        (cell.label, cell.model.name, cell.task, len(cell.seeds), finished[cell.id], _time(estimate.run_seconds(cell)))
        for cell in cells
    ]
    total = sum(len(cell.seeds) for cell in cells)
    lines = [
        f"{study.title} ({study.name})",
        study.question,
        "",
        *format_table(("method", "model", "task", "seeds", "done", "each run"), rows),
        "",
        f"{len(cells)} cells, {total} runs, {len(done)} done{_kept(len(kept))}, {total - len(done)} to do",
        *_describe_gathered(gathered.keys() & set(ids) - done),
        *describe_damages(state),
        _remaining(cells, finished, estimate, jobs),
        *throughput.describe(cells, {cell.id: len(cell.seeds) - finished[cell.id] for cell in cells}),
        *(f"no cells for {label} on {task}: it needs two texts" for label, task in study.gaps),
        "",
        "claims, declared before running:" if study.claims else "no claims are declared",
        *_claims(study, gathered),
    ]
    return "\n".join(lines)


def _kept(count: int) -> str:
    return f" ({count} as they were gathered before)" if count else ""


def _describe_gathered(left: Collection[str]) -> list[str]:
    """What was gathered before of runs that are to be made."""
    return (
        [f"{len(left)} of those to do were gathered before: --keep-gathered does not train them again"] if left else []
    )


def _claims(study: Study, gathered: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """Each claim, how low its p values can go, and the smallest difference that its seeds show."""
    if not study.claims:
        return
    from masktune.study.plan import power

    known = power.read_accuracies(study, gathered)
    compared = [comparisons(study, claim) for claim in study.claims]
    in_family: Counter[str] = Counter()
    for claim, places in zip(study.claims, compared, strict=True):
        in_family[claim.family] += len(places) if claim.sides else 0
    for number, (claim, places) in enumerate(zip(study.claims, compared, strict=True), 1):
        yield f"  {number}. {describe_claim(claim)}"
        seeds = min(len(at.seeds) for at in places)
        level = LEVEL / max(in_family[claim.family], 1)
        yield f"     {_test(claim, len(places), seeds)}"
        if smallest_p(seeds, claim.sides) > level:
            yield f"     warning: {_out_of_reach(claim, in_family[claim.family], level)}"
            level = LEVEL
        spread = power.measure_spread(claim, places, known)
        yield f"     {_shown(claim, seeds, level)} {_points(claim, seeds, level, spread)}"


def _test(claim: Claim, count: int, seeds: int) -> str:
    compared = f"{count} comparison{'s' * (count != 1)} (model x set), {seeds} paired seeds"
    if not claim.sides:
        return f"{compared}: estimated with an interval, not tested"
    sided = {1: "one", 2: "two"}[claim.sides]
    return f"{compared}, {sided}-sided sign-flip test: p can reach {smallest_p(seeds, claim.sides):.2g}"


def _out_of_reach(claim: Claim, count: int, level: float) -> str:
    return (
        f"corrected for the {count} {claim.family} comparisons, one alone needs p below {level:.2g}, out of reach of "
        f"these seeds; {seeds_needed(level, claim.sides)} seeds reach it"
    )


def _shown(claim: Claim, seeds: int, level: float) -> str:
    return {
        "superiority": f"found with 80 % power at {level:.2g}: differences from",
        "non_inferiority": f"shown with 80 % power at {level:.2g}: where the true difference is at least",
        "estimate": "95 % interval: about +/-",
    }[claim.test]


def _points(claim: Claim, seeds: int, level: float, spread: dict[str, tuple[float, int]]) -> str:
    """The smallest difference, or half an interval, from the spread of finished pairs or else an assumed one."""
    from masktune.study.plan import power

    deviations = power.detectable(seeds, level, claim.sides) if claim.sides else power.half_width(seeds)
    margin = claim.margin if claim.test == "non_inferiority" else 0.0
    if not spread:
        assumed = power.ASSUMED_SPREAD[claim.kind or "out_of_distribution"]
        points = f"{deviations * assumed - margin:.2g} points"
        return f"{points} (assumed: differences vary by {assumed:g} points between seeds; no two pairs have finished)"
    by_task = ", ".join(f"{deviations * value - margin:.2g} in {task}" for task, (value, _) in spread.items())
    return f"{by_task}, in points (by the spread of {sum(pairs for _, pairs in spread.values())} finished pairs)"


def status(study: Study, select: Callable[[Cell], bool]) -> str:
    """Done, failed, damaged and missing runs of each cell, what is damaged, and the errors of those that failed."""
    cells = [cell for cell in study.cells if select(cell)]
    state = runs.inspect(study.name, [cell.run_id(seed) for cell in cells for seed in cell.seeds])
    shown = [name for name in STATES if name != "damaged" or state.damaged]
    rows, errors = [], describe_damages(state)
    total: Counter[str] = Counter()
    for cell in cells:
        counts = Counter(state.of(cell.run_id(seed)) for seed in cell.seeds)
        rows.append((cell.label, cell.model.name, cell.task, *(counts[name] for name in shown)))
        errors += _errors(cell, state)
        total += counts
    ending = f"{study.name}: " + ", ".join(f"{total[name]} {name}" for name in shown)
    return "\n".join([*format_table(("method", "model", "task", *shown), rows), "", ending, *errors[:ROWS_SHOWN]])


def describe_damages(state: runs.State) -> list[str]:
    """A line for each damaged run, the first ROWS_SHOWN of them: its id, the file, and what to do."""
    return [f"  run {run_id} is damaged: {line}" for run_id, line in sorted(state.damaged.items())[:ROWS_SHOWN]]


def _errors(cell: Cell, state: runs.State) -> list[str]:
    """A line for each different error of a cell, with the seeds that met it."""
    seeds: dict[str, list[str]] = {}
    for seed in cell.seeds:
        run_id = cell.run_id(seed)
        if state.of(run_id) == "failed":
            seeds.setdefault(state.failed[run_id]["error"], []).append(str(seed))
    place = f"  {cell.label} / {cell.model.name} / {cell.task}"
    return [f"{place} / seed {', '.join(numbers)}: {error}" for error, numbers in seeds.items()]


def describe_claim(claim: Claim) -> str:
    """A claim as one says it."""
    where = f" on {claim.kind.replace('_', '-')} sets" if claim.kind else f" on {', '.join(claim.sets)}"
    where += f", models {', '.join(claim.models)}" if claim.models else ""
    where += f", tasks {', '.join(claim.tasks)}" if claim.tasks else ""
    if claim.test == "estimate":
        return f"how much more accurate {claim.method} is than {claim.against}{where}"
    if claim.test == "superiority":
        return f"{claim.method} is more accurate than {claim.against}{where}"
    return f"{claim.method} is at most {claim.margin:g} points less accurate than {claim.against}{where}"


def format_table(head: tuple[str, ...], rows: Iterable[tuple]) -> list[str]:
    """Lines of aligned columns, numbers to the right; the first ROWS_SHOWN rows."""
    rows = list(rows)
    shown = [tuple(map(str, row)) for row in rows[:ROWS_SHOWN]]
    widths = [max(map(len, column)) for column in zip(head, *shown, strict=True)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(head, widths, strict=True)).rstrip()]
    for row, texts in zip(rows, shown, strict=False):
        columns = zip(row, texts, widths, strict=True)
        lines.append("  ".join(t.rjust(w) if isinstance(v, int) else t.ljust(w) for v, t, w in columns).rstrip())
    return lines + ([f"... and {len(rows) - ROWS_SHOWN} more"] if len(rows) > ROWS_SHOWN else [])


def _remaining(cells: list[Cell], finished: dict[str, int], estimate: Estimate, jobs: int | None) -> str:
    left = {cell.id: len(cell.seeds) - finished[cell.id] for cell in cells}
    seconds = {cell.id: estimate.run_seconds(cell) for cell in cells if left[cell.id]}
    if not seconds:
        return "nothing is left to run"
    known = {cell_id: value for cell_id, value in seconds.items() if value is not None}
    if not known:
        return "time unknown: no run of these models and tasks has finished yet"
    unknown = dict.fromkeys(
        f"{cell.model.name} on {cell.task}" for cell in cells if cell.id in seconds and cell.id not in known
    )
    total = sum(value * left[cell_id] for cell_id, value in known.items()) / (jobs or 1)
    others = f"; unknown for {', '.join(unknown)}, as none has finished there" if unknown else ""
    return f"{format_seconds(total)} with {jobs or 1} at a time, by the runs that have finished{others}"


def _time(seconds: float | None) -> str:
    return "unknown" if seconds is None else format_seconds(seconds)
