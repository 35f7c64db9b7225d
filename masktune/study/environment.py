"""What a run was computed with: code, packages, device, precision, data. Nothing that names a person or a machine."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from masktune.study.places import PROJECT

PACKAGES = ("torch", "transformers", "datasets", "tokenizers", "accelerate", "numpy", "pandas", "pyarrow")


def describe(precision: str, micro_batches: int, data_digests: dict[str, str], checkpoint: str) -> dict[str, Any]:
    """The record of environment.json. Of a checkpoint folder only its own name, which says what made it."""
    import torch

    cuda = torch.cuda.is_available()
    return {
        "masktune": version(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "cuda": torch.version.cuda if cuda else None,
        "threads": torch.get_num_threads(),
        "precision": precision,
        "micro_batches": micro_batches,
        "checkpoint": Path(checkpoint).name if os.path.isabs(checkpoint) else checkpoint,
        "data": dict(sorted(data_digests.items())),
    }


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
