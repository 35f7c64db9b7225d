"""What a run was computed with: code, packages, device, precision, data. Nothing that names a person or a machine."""

import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from masktune.files import digest
from masktune.study.paths import PROJECT

PACKAGES = ("torch", "transformers", "datasets", "tokenizers", "accelerate", "numpy", "pandas", "pyarrow")
PACKAGE = Path(__file__).resolve().parents[2]
# What only plans, starts, stores, gathers or shows runs, and of it what a run is trained by after all.
NOT_TRAINED_BY = ("analysis", "statistics", "study", "__main__.py", "preload.py")
TRAINED_BY = tuple(
    f"study/{name}.py"
    for name in ("run/energy", "run/environment", "run/record", "run/training", "design/cells", "design/parsing")
)


def describe(
    precision: str,
    micro_batches: int,
    data_digests: dict[str, str],
    checkpoint: str,
    cpu_accelerators: dict[str, bool | None],
) -> dict[str, Any]:
    """The record of environment.json. Of a checkpoint folder only its own name, which says what made it.

    `cpu_accelerators` are those of masktune.training.cpu that were used; None of one says that it is not known.
    """
    import torch

    cuda = torch.cuda.is_available()
    return {
        "masktune": version(),
        "source": source(),
        "python": platform.python_version(),
        "packages": packages(),
        "platform": f"{platform.system()} {platform.machine()}",
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "cuda": torch.version.cuda if cuda else None,
        "threads": torch.get_num_threads(),
        "precision": precision,
        "micro_batches": micro_batches,
        "cpu_accelerators": cpu_accelerators,
        "checkpoint": Path(checkpoint).name if os.path.isabs(checkpoint) else checkpoint,
        "data": dict(sorted(data_digests.items())),
    }


@cache
def source() -> str:
    """The sha256 of the package's source that a run depends on: two runs of one digest were made by the same code.

    Left out are masktune.analysis, the command line and most of masktune.study. They read what a run has stored, or
    start it, and change none of its numbers or times: with them every better caption would part old runs from new ones.
    The commit in `masktune` says more, but changes with every text of the project. Read once a process, so that it is
    the code that the process has loaded.
    """
    return digest(
        "".join(f"{path.relative_to(PACKAGE).as_posix()} {digest(path.read_bytes())}\n" for path in source_files())
    )


def source_files() -> list[Path]:
    """The Python files of masktune that a run depends on, in one order on every machine."""
    left_out = [PACKAGE / name for name in NOT_TRAINED_BY]
    own = {PACKAGE / name for name in TRAINED_BY}
    files = (path for path in PACKAGE.rglob("*.py") if path in own or not any(map(path.is_relative_to, left_out)))
    return sorted(files, key=lambda path: path.relative_to(PACKAGE).as_posix())


def packages() -> dict[str, str | None]:
    """The versions of the packages that a result may depend on."""
    return {name: _version(name) for name in PACKAGES}


def hardware() -> dict[str, Any]:
    """What the machine is made of: the model of the processor, cores that may be used, memory, the GPU or null."""
    import psutil
    import torch

    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    """The name of the processor: Linux writes it where platform does not look."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def version() -> dict[str, Any]:
    """The git commit of this project and whether files differ from it; outside git the version of the package."""
    commit = _git("rev-parse", "HEAD") if (PROJECT / ".git").exists() else None
    if commit is None:
        return {"version": _version("masktune")}
    return {"commit": commit, "changed": bool(_git("status", "--porcelain", "--untracked-files=no", "--", "masktune"))}


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(PROJECT), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
