"""Kernels forked from a process that has imported everything, and kernels started from nothing."""

import json

import pytest
from study.conftest import write_notebook

from masktune.__main__ import PRELOAD
from masktune.study.execute import execution, kernels

pytestmark = pytest.mark.slow

LOOK = """
import builtins, json, os, sys, warnings
from pathlib import Path

seen = hasattr(builtins, "left_behind")
builtins.left_behind = True
found = {"imported": "torch" in sys.modules, "seen": seen, "own": os.environ.get("OWN")}
found["group"] = os.getpgid(0) == os.getpid()
import torch
found["threads"] = torch.get_num_threads()
Path(target).write_text(json.dumps(found))
"""


@pytest.mark.parametrize(
    "forked", [pytest.param(True, marks=pytest.mark.skipif(not kernels.CAN_FORK, reason="no fork")), False]
)
def test_every_kernel_is_a_fresh_one(tmp_path, monkeypatch, forked):
    monkeypatch.setattr(kernels, "CAN_FORK", forked)
    notebook = write_notebook(tmp_path / "look.ipynb", ["target = None", LOOK])
    for own in ("first", "second"):
        target, environment = tmp_path / f"{own}.json", {"OWN": own, "OMP_NUM_THREADS": "1"}
        execution.execute(notebook, None, {"target": str(target)}, environment=environment)
        found = {"imported": forked, "seen": False, "own": own, "group": True, "threads": 1}
        assert json.loads(target.read_text()) == found


def test_all_that_is_imported_beforehand_is_there():
    for name in (*kernels.IMPORTED, *PRELOAD):
        __import__(name)


def test_what_is_to_be_preloaded_reaches_the_server(tmp_path, monkeypatch):
    class Server:
        def set_forkserver_preload(self, names):
            self.names = names

    monkeypatch.setattr(kernels.multiprocessing, "get_context", lambda method: Server())
    assert kernels._server(("a.module",)).names == [*kernels.IMPORTED, "a.module"]
    kernels._server.cache_clear()
