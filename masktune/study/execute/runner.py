"""Run the cells of a study: papermill executes notebooks/cell.ipynb once per cell on a local Dask cluster.

With fewer cells than workers, cells are cut by their seeds, and a notebook is executed for each piece.

Each worker is a process of one thread and runs papermill in itself, so that the kernel is its child. What the machine
does (a killed kernel, a lost worker) is tried again; an exception in a cell is recorded and not retried.
"""

import itertools
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masktune.study.design import arms
from masktune.study.design.cells import Cell
from masktune.study.design.study import Study
from masktune.study.execute import cluster, efficiency, execution
from masktune.study.notebooks import check_parameters
from masktune.study.paths import cell_notebook, executed_cell
from masktune.study.plan.durations import Estimate
from masktune.study.store import gather, runs

if TYPE_CHECKING:
    from distributed import Client, Future
    from tqdm import tqdm

ATTEMPTS = 3
ModelKey = tuple[str, str, str]  # name, identity, task


@dataclass
class Summary:
    """How a call of `run` ended: runs that were done before, runs made, one line for each cell that failed.

    `kept` of those done before have no folder here and count as they were gathered.
    `damaged` says, by run, what was wrong with the folders that were put aside, whose runs were to be made again.
    `pure_share` is the share of the workers' time that was training and evaluation, None where nothing ran.
    """

    done_before: int
    kept: int = 0
    made: int = 0
    pure_share: float | None = None
    failed: list[tuple[Cell, str]] = field(default_factory=list)
    damaged: dict[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class Job:
    """A notebook to execute: that of a cell with its missing runs, or one that holds `code` and makes no run.

    `piece` is "" but where the cell was cut; the executed notebooks of its pieces lie side by side.
    """

    model: ModelKey
    cell: Cell
    missing: list[str] = field(default_factory=list)
    code: str = ""
    piece: str = ""
    attempts: int = 0


def run(
    study: Study,
    jobs: int | None = None,
    select: Callable[[Cell], bool] = lambda cell: True,
    preload: Sequence[str] = (),
    keep_gathered: bool = False,
) -> Summary:
    """Make every missing run of the study's selected cells, `jobs` cells at a time (default: what the machine holds).

    `preload` names modules that kernels find imported (`masktune.study.execute.kernels.manager`). With `keep_gathered`
    a run without a folder here is done as well where the gathered files of the study hold it (`gather.find_kept`).
    Raises MaskTuneError before anything runs if results cannot be written, the notebook lacks a parameter, or what was
    gathered and should be kept is damaged.
    """
    cells = [cell for cell in study.cells if select(cell)]
    ids = {cell.id: [cell.run_id(seed) for seed in cell.seeds] for cell in cells}
    state = runs.inspect(study.name, [run_id for group in ids.values() for run_id in group])
    gathered = gather.find_kept(study) if keep_gathered else {}
    kept = gathered.keys() & set(itertools.chain(*ids.values()))
    done = state.done | kept
    missing = {cell.id: [run_id for run_id in ids[cell.id] if run_id not in done] for cell in cells}
    todo = [Job(model_key(cell), _without(cell, kept), missing[cell.id]) for cell in cells if missing[cell.id]]
    todo += _diversity(study, select, gathered)
    summary = Summary(len(done), len(kept), damaged=state.damaged)
    if not todo:
        return summary
    runs.check_writable(study.name)
    check_parameters(cell_notebook(), todo[0].cell.parameters())
    estimate = Estimate(cells, state.done, gathered)
    # What takes longest first, so that no worker is left alone with it at the end.
    todo.sort(key=lambda job: (bool(job.code), estimate.weight(job.cell, len(job.missing))), reverse=True)
    jobs = jobs or cluster.default_jobs()
    todo = _enough(todo, jobs)
    workers, wanted = min(jobs, len(todo)), [run_id for job in todo for run_id in job.missing]
    runs.make_room(study.name, wanted)
    with (
        efficiency.record_call(study.name, workers, wanted, len(done)) as record,
        cluster.private_folder() as private,
        cluster.local_cluster(workers, cluster.kernel_environment(jobs)) as client,
        _bar(f"{study.name}, {len(kept)} kept" if kept else study.name, len(wanted)) as bar,
    ):
        _Grid(client, jobs, {"private": private, "preload": tuple(preload)}, todo, summary, bar).run()
    summary.pure_share = efficiency.share(record)
    return summary


def _without(cell: Cell, kept: Collection[str]) -> Cell:
    """The cell without the seeds of kept runs, which its notebook would make: it looks for folders alone."""
    return replace(cell, seeds=tuple(seed for seed in cell.seeds if cell.run_id(seed) not in kept))


def _enough(todo: Sequence[Job], jobs: int) -> list[Job]:
    """The jobs, of which the one with the most runs is cut in two as long as there are fewer than `jobs`."""
    cut = list(todo)
    while len(cut) < jobs and len((longest := max(cut, key=lambda job: len(job.missing))).missing) > 1:
        at = cut.index(longest)
        cut[at : at + 1] = [_piece(longest, longest.missing[first::2]) for first in (0, 1)]
    return cut


def _piece(job: Job, missing: list[str]) -> Job:
    """The job with these of its missing runs alone."""
    seeds = tuple(seed for seed in job.cell.seeds if job.cell.run_id(seed) in missing)
    return replace(job, cell=replace(job.cell, seeds=seeds), missing=missing, piece=f"-seed-{seeds[0]}")


def _diversity(study: Study, select: Callable[[Cell], bool], gathered: Collection[str]) -> list[Job]:
    """The experiment on diversity, where the study declares it and it has not been made."""
    if study.diversity is None or arms.kept_file(study).is_file():
        return []
    if gathered and arms.is_gathered(study, gathered):
        return []
    cell = arms.cells_of(study)[0]
    return [Job(model_key(cell), cell, code=experiment_code(study))] if select(cell) else []


def model_key(cell: Cell) -> ModelKey:
    """What is prepared once: a model with its adaptation, for one task where it is adapted to the text of the task."""
    return (cell.model.name, cell.model.canonical, cell.task if cell.model.adaptation is not None else "")


class _Grid:
    """The window of submitted notebooks: enough that no worker waits, not the whole grid at once."""

    def __init__(
        self, client: "Client", jobs: int, kernel: dict[str, Any], todo: list[Job], summary: Summary, bar: "tqdm"
    ):
        self.client, self.jobs, self.kernel, self.summary, self.bar = client, jobs, kernel, summary, bar
        self.rank = {job: number for number, job in enumerate(todo)}
        self.queues: dict[ModelKey, deque[Job]] = {}
        for job in todo:
            self.queues.setdefault(job.model, deque()).append(job)
        self.unprepared: dict[ModelKey, int] = {}
        self.active: dict[Future, Job] = {}

    def run(self) -> None:
        """Prepare every model and run every cell; a cell waits for its own model only."""
        self._prepare()
        while self.active or any(self.queues.values()):
            self._fill()
            self._collect()
            self._count()

    def _prepare(self) -> None:
        """Submit what makes the models, each pre-training of them for itself."""
        # One that is adapted first waits for the model that it is adapted from, and would hold a worker.
        for model in sorted(self.queues, key=lambda model: bool(model[2])):
            cell = self.queues[model][0].cell
            self.unprepared[model] = cell.model.pretrainings
            for pretraining in range(cell.model.pretrainings):
                self._submit(Job(model, cell, code=preparation_code(cell, pretraining)))

    def _fill(self) -> None:
        while len(self.active) < 2 * self.jobs:
            heads = [queue[0] for model, queue in self.queues.items() if queue and not self.unprepared[model]]
            if not heads:
                return
            job = min(heads, key=self.rank.__getitem__)
            self.queues[job.model].popleft()
            self._submit(job)

    def _submit(self, job: Job) -> None:
        job.attempts += 1
        arguments: tuple[Any, Path | None, dict[str, Any]]
        if job.code:
            arguments = (execution.notebook_of(job.code), None, {})
        else:
            output = executed_cell(job.cell.study, f"{job.cell.id}{job.piece}").resolve()
            arguments = (cell_notebook().resolve(), output, job.cell.parameters())
        future = self.client.submit(cluster.execute, *arguments, **self.kernel, pure=False)
        self.active[future] = job

    def _collect(self) -> None:
        from distributed import TimeoutError, wait

        try:
            finished = wait(list(self.active), timeout=1, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            return
        for future in finished:
            self._settle(self.active.pop(future), _outcome(future))

    def _settle(self, job: Job, outcome: cluster.Outcome) -> None:
        if outcome.how == "died" and job.attempts < ATTEMPTS:
            self._submit(job)
        elif not job.code:
            self._end(job, outcome.line)
        elif outcome.how == "done":
            self.unprepared[job.model] = max(0, self.unprepared[job.model] - 1)
        elif not self.unprepared[job.model]:
            self.summary.failed.append((replace(job.cell, label="diversity"), outcome.line))
        else:
            while self.queues[job.model]:
                self._end(self.queues[job.model].popleft(), f"{job.model[0]} could not be prepared: {outcome.line}")

    def _end(self, job: Job, line: str) -> None:
        """Count the runs of a cell that ended, and list what is missing of it with the reason."""
        self._count_cell(job)
        if not job.missing:
            return
        line = line or "the notebook ended without storing every seed"
        failures = runs.read_failures(job.cell.study)
        for seed in job.cell.seeds:
            run_id = job.cell.run_id(seed)
            if run_id in job.missing and run_id not in failures:
                runs.mark_failed(job.cell, seed, line)
        self.summary.failed.append((job.cell, line))
        self.bar.set_postfix_str(f"{len(self.summary.failed)} cells failed")

    def _count(self) -> None:
        for job in self.active.values():
            self._count_cell(job)

    def _count_cell(self, job: Job) -> None:
        if job.missing:
            still = [run_id for run_id in job.missing if not runs.is_done(job.cell.study, run_id)]
            self.summary.made += len(job.missing) - len(still)
            self.bar.update(len(job.missing) - len(still))
            job.missing = still


def experiment_code(study: Study) -> str:
    """The code that runs the experiment on diversity of a study; executed as a notebook of its own."""
    return f"from masktune.study.run import diversity\ndiversity.make({study.name!r})"


def preparation_code(cell: Cell, pretraining: int) -> str:
    """The code that makes a model of a cell if it is not in the cache; executed as a notebook of its own."""
    return (
        "from masktune.pretraining import checkpoints\n"
        "from masktune.models.spec import ModelSpec\n"
        "from masktune.records import record\n"
        f"checkpoints.prepare(record(ModelSpec, {cell.model.settings()!r}, 'model'), {cell.task!r}, {pretraining})"
    )


def _outcome(future: "Future") -> cluster.Outcome:
    """What the worker returned; a worker lost over and over, or a fault of the machinery, as a line."""
    error: Any = future.exception()
    return future.result() if error is None else cluster.Outcome("raised", runs.error_line(error))


def _bar(name: str, total: int) -> "tqdm":
    from tqdm import tqdm

    return tqdm(total=total, desc=name, unit="run", ncols=88, smoothing=0.1)
