"""The parameters of a notebook: what its cell tagged `parameters` assigns."""

import ast
import json
from collections.abc import Iterable
from pathlib import Path

from masktune.errors import MaskTuneError, one_of


def check_parameters(notebook: Path, names: Iterable[str]) -> None:
    """Raise MaskTuneError unless the cell tagged `parameters` assigns every one of `names`: papermill only warns."""
    known = parameters_of(notebook)
    for name in names:
        one_of(name, known, f"parameter of {notebook.name}")


def parameters_of(notebook: Path) -> list[str]:
    """The names that the tagged cell of a notebook assigns. Raises MaskTuneError when there is no such cell."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        raise MaskTuneError(f"{notebook} is no notebook that can be read; restore it from the repository") from None
    for cell in cells:
        if "parameters" in cell.get("metadata", {}).get("tags", ()):
            return assigned_names("".join(cell["source"]))
    raise MaskTuneError(f"{notebook} has no cell tagged 'parameters'; tag the cell that holds the defaults")


def assigned_names(source: str) -> list[str]:
    """The names that a piece of Python assigns at its top level."""
    targets = (target for node in ast.parse(source).body if isinstance(node, ast.Assign) for target in node.targets)
    return [target.id for target in targets if isinstance(target, ast.Name)]
