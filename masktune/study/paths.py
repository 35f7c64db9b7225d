"""Where a study keeps its things: its TOML, the notebooks, its results.

Studies and notebooks are those of the working folder or else of the project: the checkout, or, where the package was
installed without one, the package itself, which then holds both. Nothing is ever written into an installed package.
"""

import os
from pathlib import Path

from masktune.errors import MaskTuneError

PACKAGE = Path(__file__).resolve().parents[1]
PROJECT = PACKAGE if (PACKAGE / "studies").is_dir() else PACKAGE.parent
CHAPTERS = "[0-9][0-9]_*.ipynb"


def results_root() -> Path:
    """The folder above all results: $MASKTUNE_RESULTS, else results/ next to the studies.

    That is the working folder where it holds studies, else the checkout: a notebook opened in JupyterLab, whose working
    folder is its own, finds the results that the command line wrote. Without a checkout it is the working folder.
    """
    home = Path() if Path("studies").is_dir() or PROJECT == PACKAGE else PROJECT
    return Path(os.environ.get("MASKTUNE_RESULTS") or home / "results")


def folder(study: str) -> Path:
    """The folder results/<study>."""
    return results_root() / study


def runs_folder(study: str) -> Path:
    """The folder results/<study>/runs."""
    return folder(study) / "runs"


def grid_file(study: str) -> Path:
    """What each call of `run` took: wall time, workers, and how much of it was training and evaluation."""
    return folder(study) / "grid.json"


def executed_cell(study: str, cell_id: str) -> Path:
    """The notebook of a cell as it was executed."""
    return folder(study) / "notebooks" / "cells" / f"{cell_id}.ipynb"


def cell_notebook() -> Path:
    """The notebook notebooks/cell.ipynb."""
    return existing(Path("notebooks") / "cell.ipynb")


def glossary() -> Path:
    """notebooks/glossary.md, to which the chapters link."""
    return existing(Path("notebooks") / "glossary.md")


def chapters() -> list[Path]:
    """The chapter notebooks in their order: those of a working folder that holds studies too, else the project's."""
    own = Path("notebooks").glob(CHAPTERS) if any(Path("studies").glob("*.toml")) else ()
    return sorted(own) or sorted((PROJECT / "notebooks").glob(CHAPTERS))


def study_file(name: str) -> Path:
    """studies/<name>.toml. Raises MaskTuneError when there is none, naming the studies that exist."""
    path, known = existing(Path("studies") / f"{name}.toml"), studies()
    if not path.is_file() or name not in known:
        raise MaskTuneError(f"no study {name!r}; expected one of {', '.join(known)}, or write studies/{name}.toml")
    return path


def deviations(name: str) -> Path:
    """deviations.md next to the study's file: what was changed after which results were known. It need not be there."""
    return study_file(name).with_name("deviations.md")


def tuned_file(name: str) -> Path:
    """studies/tuned/<name>.toml: the settings that tuning chose for the study, where it has been tuned."""
    own = tuned_folder(name) / f"{name}.toml"
    return own if own.is_file() else study_file(name).parent / "tuned" / own.name


def trials_file(name: str) -> Path:
    """studies/tuned/<name>.csv: every trial that the study was tuned by."""
    return tuned_file(name).with_suffix(".csv")


def tuned_folder(name: str) -> Path:
    """Where tuning writes: next to the study, or in the working folder if the study came with an installed package."""
    folder = study_file(name).parent
    return (Path("studies") if folder == PACKAGE / "studies" else folder) / "tuned"


def studies() -> list[str]:
    """The names of the studies of the working folder and of the project."""
    return sorted({path.stem for root in (Path(), PROJECT) for path in (root / "studies").glob("*.toml")})


def existing(path: Path) -> Path:
    """`path` below the working folder, else below the project."""
    return path if path.exists() else PROJECT / path
