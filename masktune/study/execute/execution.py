"""Execute one notebook by papermill, in a kernel that masktune.study.execute.kernels provides."""

import json
import logging
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from masktune.files import write_file
from masktune.study.execute.bars import remove_bars

# Set for every kernel that executes a notebook with nobody before it.
UNATTENDED = "MASKTUNE_UNATTENDED"
# A socket's path may hold 107 characters on Linux (103 on macOS); kernel-<number> and a folder come after this one.
LONGEST_FOLDER = 60


def private_folder() -> Path:
    """A new folder with a short path that only this user can enter. The caller removes it."""
    usual = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="masktune-", dir=usual if len(usual) < LONGEST_FOLDER - 20 else "/tmp"))


def execute(
    notebook: Path | Any,
    output: Path | None,
    parameters: dict[str, Any],
    private: Path | None = None,
    environment: dict[str, str] | None = None,
    preload: Sequence[str] = (),
) -> None:
    """Run `notebook` (a path or a notebook in memory) with `parameters`; keep what came out, without bars, at `output`.

    `private` is a `private_folder` for the sockets (None: one of its own); `environment` is added to the kernel's;
    `preload` as in `kernels.manager`. The output appears whole, also when a cell of the notebook raised. The user's
    IPython start-up files play no part.
    Raises papermill's PapermillExecutionError for an exception in the notebook, nbclient's DeadKernelError when the
    kernel was killed.
    """
    import papermill

    from masktune.study.execute import kernels

    _quiet()
    sockets = private_folder() if private is None else Path(tempfile.mkdtemp(dir=private))
    result = sockets / "executed.ipynb"
    try:
        papermill.execute_notebook(
            str(notebook) if isinstance(notebook, Path) else notebook,
            str(result),
            parameters=parameters,
            kernel_name="python3",
            progress_bar=False,
            start_timeout=180,
            request_save_on_cell_execute=False,  # nobody reads it before it is whole
            kernel_manager_class=kernels.manager(sockets, {UNATTENDED: "1", **(environment or {})}, preload),
        )
    finally:
        if output is not None and result.is_file():
            _keep(result, output)
        shutil.rmtree(sockets, ignore_errors=True)


def notebook_of(source: str) -> Any:
    """A notebook in memory with one cell of code."""
    import nbformat

    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)], metadata=kernel)


def _keep(result: Path, output: Path) -> None:
    notebook = json.loads(result.read_text(encoding="utf-8"))
    remove_bars(notebook)
    write_file(output, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def _quiet() -> None:
    """Papermill logs each notebook to the terminal, where the progress bar is."""
    for name in ("papermill", "traitlets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
