"""A study in plain text: what is declared and what has been done."""

from collections import Counter
from collections.abc import Callable, Iterable

from masktune.study import runs
from masktune.study.cells import Cell
from masktune.study.claims import Claim
from masktune.study.design import Study
from masktune.study.estimate import Estimate, in_words

ROWS_SHOWN = 60
STATES = ("done", "failed", "missing")


def plan(study: Study, select: Callable[[Cell], bool], jobs: int | None = None) -> str:
    """Cells, runs, expected time and claims. `select` chooses cells, `jobs` of them run at a time (None: one)."""
    cells = [cell for cell in study.cells if select(cell)]
    done = runs.done(study.name, (cell.run_id(seed) for cell in cells for seed in cell.seeds))
    estimate = Estimate(cells, done)
    rows = [
        (cell.label, cell.model.name, cell.task, len(cell.seeds), _done(cell, done), _time(estimate.run_seconds(cell)))
        for cell in cells
    ]
    total = sum(len(cell.seeds) for cell in cells)
    lines = [
        f"{study.title} ({study.name})",
        study.question,
        "",
        *table(("method", "model", "task", "seeds", "done", "each run"), rows),
        "",
        f"{len(cells)} cells, {total} runs, {len(done)} done, {total - len(done)} to do",
        _remaining(cells, done, estimate, jobs),
        *(f"no cells for {label} on {task}: it needs two texts" for label, task in study.gaps),
        "",
        "claims, declared before running:" if study.claims else "no claims are declared",
        *(f"  {number}. {in_a_sentence(claim)}" for number, claim in enumerate(study.claims, 1)),
    ]
    return "\n".join(lines)


def status(study: Study, select: Callable[[Cell], bool]) -> str:
    """Done, failed and missing runs of each cell, and the errors of those that failed."""
    cells = [cell for cell in study.cells if select(cell)]
    done = runs.done(study.name, (cell.run_id(seed) for cell in cells for seed in cell.seeds))
    failed = runs.failures(study.name)
    rows, errors, total = [], [], Counter()
    for cell in cells:
        counts = Counter(_state(cell.run_id(seed), done, failed) for seed in cell.seeds)
        rows.append((cell.label, cell.model.name, cell.task, *(counts[state] for state in STATES)))
        errors += _errors(cell, done, failed)
        total += counts
    ending = f"{study.name}: " + ", ".join(f"{total[state]} {state}" for state in STATES)
    return "\n".join([*table(("method", "model", "task", *STATES), rows), "", ending, *errors[:ROWS_SHOWN]])


def _errors(cell: Cell, done: set[str], failed: dict) -> list[str]:
    """A line for each different error of a cell, with the seeds that met it."""
    seeds: dict[str, list[str]] = {}
    for seed in cell.seeds:
        run_id = cell.run_id(seed)
        if _state(run_id, done, failed) == "failed":
            seeds.setdefault(failed[run_id]["error"], []).append(str(seed))
    place = f"  {cell.label} / {cell.model.name} / {cell.task}"
    return [f"{place} / seed {', '.join(numbers)}: {error}" for error, numbers in seeds.items()]


def in_a_sentence(claim: Claim) -> str:
    """A claim as one says it."""
    where = " on " + (", ".join(claim.sets) if claim.sets else f"{claim.kind.replace('_', '-')} sets")
    where += f", models {', '.join(claim.models)}" if claim.models else ""
    where += f", tasks {', '.join(claim.tasks)}" if claim.tasks else ""
    if claim.test == "superiority":
        return f"{claim.first} is more accurate than {claim.second}{where}"
    return f"{claim.first} is at most {claim.margin:g} points less accurate than {claim.second}{where}"


def table(head: tuple[str, ...], rows: Iterable[tuple]) -> list[str]:
    """Lines of aligned columns, numbers to the right; the first ROWS_SHOWN rows."""
    rows = list(rows)
    shown = [tuple(map(str, row)) for row in rows[:ROWS_SHOWN]]
    widths = [max(map(len, column)) for column in zip(head, *shown, strict=True)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(head, widths, strict=True)).rstrip()]
    for row, texts in zip(rows, shown, strict=False):
        parts = zip(row, texts, widths, strict=True)
        lines.append("  ".join(t.rjust(w) if isinstance(v, int) else t.ljust(w) for v, t, w in parts).rstrip())
    return lines + ([f"... and {len(rows) - ROWS_SHOWN} more"] if len(rows) > ROWS_SHOWN else [])


def _remaining(cells: list[Cell], done: set[str], estimate: Estimate, jobs: int | None) -> str:
    left = {cell.id: len(cell.seeds) - _done(cell, done) for cell in cells}
    seconds = [(estimate.run_seconds(cell), left[cell.id]) for cell in cells if left[cell.id]]
    if not seconds:
        return "nothing is left to run"
    if any(each is None for each, _ in seconds):
        return "time unknown: no run of some model and task has finished yet"
    total = sum(each * count for each, count in seconds) / (jobs or 1)
    return f"{in_words(total)} with {jobs or 1} at a time, by the runs that have finished"


def _done(cell: Cell, done: set[str]) -> int:
    return sum(cell.run_id(seed) in done for seed in cell.seeds)


def _time(seconds: float | None) -> str:
    return "unknown" if seconds is None else in_words(seconds)


def _state(run_id: str, done: set[str], failed: dict) -> str:
    return "done" if run_id in done else "failed" if run_id in failed else "missing"
