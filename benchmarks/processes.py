"""Every measurement in a process of its own, so that no peak of memory and no warm cache is handed on."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from masktune.errors import MaskTuneError
from masktune.study.execute import cluster

MODULE = "benchmarks.measure"


@contextmanager
def start_fresh(imported: bool = True) -> Iterator[Callable[..., Any]]:
    """A function that calls `function(*arguments)` in a new process and returns its result, one call at a time.

    With `imported` the process is forked from one that has imported what a training step needs and has done nothing
    else: seconds are saved with every measurement. Where there is a GPU, which does not survive a fork, and without
    `imported`, the process starts from nothing. Raises MaskTuneError when the process is killed.
    """
    method = "forkserver" if imported and not cluster.gpus() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload([MODULE])
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:

        def call(function: Callable[..., Any], *arguments: Any) -> Any:
            try:
                return pool.submit(function, *arguments).result()
            except BrokenProcessPool:
                raise MaskTuneError(
                    f"{function.__name__} was killed, probably for want of memory; close other programs and run "
                    "make bench again"
                ) from None

        yield call
