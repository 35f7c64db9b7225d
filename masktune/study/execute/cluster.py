"""The local Dask cluster, and what its workers do: execute one notebook and say how it ended.

Whoever can talk to a worker can run code as the one who runs the study. So scheduler, workers and nannies talk TLS with
a key that is made for this cluster and never leaves its processes, and their web servers, which ask for no key, show
nothing.
"""

import glob
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masktune.study.execute import execution

if TYPE_CHECKING:
    from distributed import Client

LOST_WORKERS = 10
MEMORY_PER_JOB = 1.5e9
KEPT_BYTES = 2**25  # the most that glibc takes for a threshold of mmap


@dataclass(frozen=True)
class Outcome:
    """How a notebook ended: "done", "raised" (an exception in it) or "died" (its kernel did), with a line about it."""

    how: str
    line: str = ""


def default_jobs() -> int:
    """Cells at a time: one a GPU where there are GPUs, else one a core as far as memory goes."""
    from dask.system import CPU_COUNT
    from distributed.system import MEMORY_LIMIT

    return len(gpus()) or max(1, min(CPU_COUNT, int(MEMORY_LIMIT / MEMORY_PER_JOB)))


def gpus() -> list[str]:
    """The GPUs that may be used, as CUDA_VISIBLE_DEVICES names them; found without importing torch."""
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return [name for name in os.environ["CUDA_VISIBLE_DEVICES"].split(",") if name not in ("", "-1")]
    return [path.removeprefix("/dev/nvidia") for path in sorted(glob.glob("/dev/nvidia[0-9]*"))]


def kernel_environment(jobs: int) -> dict[str, str]:
    """Threads: the cores shared out among the jobs. Memory: a kernel keeps what it freed for its next step.

    Dask has its workers hand freed memory back at once; in training the same memory is asked for again at each step.
    """
    from dask.system import CPU_COUNT

    threads = str(max(1, CPU_COUNT // jobs))
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    kept = {"MALLOC_TRIM_THRESHOLD_": str(KEPT_BYTES), "MALLOC_MMAP_THRESHOLD_": str(KEPT_BYTES)}
    return {**dict.fromkeys(names, threads), **kept, "TOKENIZERS_PARALLELISM": "false"}


@contextmanager
def local_cluster(jobs: int, environment: dict[str, str]) -> Iterator["Client"]:
    """A cluster of `jobs` worker processes of one thread each, gone with its kernels when the block is left.

    `environment` is added to that of the workers, and so of their kernels.
    """
    import dask
    from distributed import Client, LocalCluster
    from distributed.security import Security

    # A worker that the machine kills is replaced; its cell starts again where its stored seeds end.
    settings = {
        "distributed.scheduler.allowed-failures": LOST_WORKERS,
        "distributed.worker.memory.terminate": False,
        "distributed.worker.daemon": False,  # a worker has children: the server of kernels
        "distributed.worker.profile.enabled": False,  # looks at every worker a hundred times a second
        "distributed.admin.system-monitor.interval": "10s",
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
    }
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            processes=True,
            security=Security.temporary(),
            dashboard_address="127.0.0.1:0",  # where no page is shown: any free port
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,
            env=environment,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def private_folder() -> Iterator[Path]:
    """A private folder for the sockets of all kernels, removed afterwards."""
    path = execution.private_folder()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def execute(
    notebook: Any, output: Path | None, parameters: dict[str, Any], private: Path, preload: Sequence[str] = ()
) -> Outcome:
    """Execute a notebook inside a worker. What the notebook raises is an outcome; anything else is raised."""
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    try:
        execution.execute(notebook, output, parameters, private, _own_gpu(), preload)
    except PapermillExecutionError as error:
        line = " ".join(str(error.evalue).split())
        return Outcome("raised", line if error.ename == "MaskTuneError" else f"{error.ename}: {line}")
    except DeadKernelError as error:
        return Outcome("died", f"the kernel died ({' '.join(str(error).split())})")
    except RuntimeError as error:
        if "died" not in str(error):
            raise
        return Outcome("died", "the kernel died while it started")
    return Outcome("done")


def _own_gpu() -> dict[str, str]:
    """One GPU for each worker, by its number."""
    from distributed import get_worker

    devices = gpus()
    return {"CUDA_VISIBLE_DEVICES": devices[int(get_worker().name) % len(devices)]} if devices else {}
