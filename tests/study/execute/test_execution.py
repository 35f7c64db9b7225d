"""One notebook by papermill, over IPC."""

import json
import os
import sys
from pathlib import Path

from study.conftest import write_notebook

from masktune.study.execute import execution

REPORT = """
import json, os, sys
from ipykernel.kernelapp import IPKernelApp
app = IPKernelApp.instance()
with open(target, "w") as file:
    json.dump({"python": sys.executable, "transport": app.transport, "sockets": os.path.dirname(app.ip),
               "mode": os.stat(os.path.dirname(os.path.dirname(app.ip))).st_mode & 0o777,
               "threads": os.environ["OMP_NUM_THREADS"]}, file)
"""


def test_the_kernel_is_this_python_behind_private_sockets_that_are_removed(tmp_path):
    notebook = write_notebook(tmp_path / "report.ipynb", ["target = None", REPORT])
    private = execution.private_folder()
    target = tmp_path / "found.json"
    execution.execute(
        notebook, tmp_path / "kept" / "out.ipynb", {"target": str(target)}, private, {"OMP_NUM_THREADS": "3"}
    )
    found = json.loads(target.read_text())
    assert (found["python"], found["transport"], found["mode"]) == (sys.executable, "ipc", 0o700)
    assert (found["threads"], Path(found["sockets"]).parent) == ("3", private)
    assert os.listdir(private) == []
    assert os.listdir(tmp_path / "kept") == ["out.ipynb"]
    private.rmdir()


def test_the_path_of_a_socket_fits_even_below_a_long_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(execution.tempfile, "tempdir", str(tmp_path / ("long" * 20)))
    folder = execution.private_folder()
    assert len(str(folder)) <= execution.LONGEST_FOLDER
    folder.rmdir()


def test_a_missing_widget_is_no_warning_in_an_executed_notebook(tmp_path):
    output = tmp_path / "out.ipynb"
    source = (
        "import warnings\nwarnings.warn('IProgress not found. Please update jupyter and ipywidgets.')\nprint('ran')"
    )
    execution.execute(execution.notebook_of(source), output, {})
    text = output.read_text()
    assert "ran" in text
    assert "UserWarning" not in text
