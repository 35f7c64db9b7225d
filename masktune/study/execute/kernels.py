"""Kernels of this Python, forked from a process that has imported everything, on sockets only this user can open.

Kernels on TCP ports race for them when several start at once, and every user of the machine can talk to them; IPC
sockets in a private folder have neither fault. Importing torch and transformers takes seconds of a core, more than some
cells train: a server imports once and forks a kernel in a moment (multiprocessing's forkserver). A forked kernel shares
nothing with the one before it; what no fork can share, threads and a GPU, the server never touches.

A kernel is the server's child and watches the process that asked for it: when a worker is killed its kernels are gone
at once, and nothing is written twice.
"""

import gc
import multiprocessing
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from ipykernel.kernelspec import make_ipkernel_cmd
from jupyter_client import AsyncKernelManager
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.provisioning import LocalProvisioner

# Forking a process that has loaded the frameworks of a Mac is not safe, and Windows cannot fork.
CAN_FORK = sys.platform == "linux"
IMPORTED = ("ipykernel.kernelapp", "masktune.study.run.training", "masktune.study.run.examples")
LAUNCHER = ["-m", "ipykernel_launcher"]
NO_WIDGETS = "IProgress not found"  # tqdm warns, with the paths of this machine, where there are none for its bar


def manager(sockets: Path, environment: dict[str, str], preload: Sequence[str] = ()) -> type[AsyncKernelManager]:
    """The class of managers of kernels whose sockets and start-up files lie in `sockets`, as papermill takes it.

    `environment` is added to that of this process. `preload` names modules that the server of kernels imports besides
    IMPORTED; a process has one server, and its first kernel decides. The user's IPython start-up files play no part.
    """
    own = {
        "IPYTHONDIR": str(sockets / "ipython"),
        "TMPDIR": str(sockets),
        "PYTHONWARNINGS": f"ignore:{NO_WIDGETS}",
    }

    class PrivateKernelManager(AsyncKernelManager):
        def __init__(self, **named: Any):
            places = {"ip": str(sockets / "kernel"), "connection_file": str(sockets / "kernel.json")}
            super().__init__(transport="ipc", kernel_spec_manager=_ThisPython(), **places, **named)

        async def start_kernel(self, **named: Any) -> None:  # type: ignore[override]  # declared as if it blocked
            if CAN_FORK:
                self.provisioner = _Forked(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
                self.provisioner.preload = tuple(preload)
            await super().start_kernel(**{**named, "env": {**os.environ, **environment, **own}})

    return PrivateKernelManager


class _ThisPython(KernelSpecManager):
    """The kernel is this interpreter, whatever kernels are installed under the same name."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        command = make_ipkernel_cmd(extra_arguments=["--log-level=50"])
        return KernelSpec(argv=command, display_name="Python 3", language="python")


class _Forked(LocalProvisioner):
    """Gets a kernel by a fork where jupyter_client starts a new Python."""

    preload: tuple[str, ...] = ()

    async def launch_kernel(self, cmd: list[str], **named: Any) -> KernelConnectionInfo:
        arguments = cmd[cmd.index(LAUNCHER[-1]) + 1 :]
        forked = _Process(arguments, dict(named["env"]), self.preload)
        self.process = forked  # type: ignore[assignment]  # not a Popen, but what is asked of one
        self.pid = self.pgid = forked.pid
        return self.connection_info


class _Process:
    """A forked kernel with as much of `subprocess.Popen` as LocalProvisioner asks for."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], environment: dict[str, str], preload: tuple[str, ...]):
        self._process = _server(preload).Process(target=_become_kernel, args=(arguments, environment), daemon=True)
        self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, signal: int) -> None:
        if self.pid is not None:  # as it is of a process that was started
            os.kill(self.pid, signal)


@cache
def _server(preload: tuple[str, ...]) -> ForkServerContext:
    """Where processes are forked: a process that starts with the first of them, has imported everything, and waits."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([*IMPORTED, *preload])
    return server


def _become_kernel(arguments: list[str], environment: dict[str, str]) -> None:
    """What a forked process does. It has a process group of its own, as a kernel that was started has."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    warnings.filterwarnings("ignore", NO_WIDGETS)
    gc.freeze()  # nothing that was imported is garbage: looking through it costs a moment at every collection
    _take_threads(environment)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(arguments)


def _take_threads(environment: dict[str, str]) -> None:
    """Torch looked for its number of threads when it was imported, in the environment of the server."""
    if "OMP_NUM_THREADS" in environment:
        import torch

        torch.set_num_threads(int(environment["OMP_NUM_THREADS"]))


def _end_with(process: BaseProcess) -> None:
    """Wait for the end of the process that asked for this kernel, and end."""
    process.join()
    os._exit(1)
