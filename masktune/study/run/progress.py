"""The progress bar of a cell.

In JupyterLab it is one line that replaces itself, elsewhere a plain tqdm bar.
"""

import sys
from typing import Any

from tqdm import tqdm


class _Line:
    """A text file to tqdm whose last line is what the notebook shows: a stored notebook keeps a single output."""

    def __init__(self) -> None:
        from IPython.display import display

        self.handle = display({"text/plain": ""}, raw=True, display_id=True)

    def write(self, text: str) -> None:
        line = text.strip()
        if line:
            self.handle.update({"text/plain": line}, raw=True)

    def flush(self) -> None:
        pass


def bar(total: int, unit: str) -> tqdm:
    """A progress bar of `total` units; the caller updates and closes it."""
    line: Any = _Line() if _in_notebook() else sys.stderr
    return tqdm(total=total, unit=unit, file=line, ncols=88, mininterval=0.5)


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and shell.__class__.__name__ == "ZMQInteractiveShell"
