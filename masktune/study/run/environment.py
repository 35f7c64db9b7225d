"""What a run was computed with: code, packages, device, precision, data. Nothing that names a person or a machine."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from masktune.study.paths import PROJECT

PACKAGES = ("torch", "transformers", "datasets", "tokenizers", "accelerate", "numpy", "pandas", "pyarrow")


def describe(
    precision: str,
    micro_batches: int,
    data_digests: dict[str, str],
    checkpoint: str,
    cpu_accelerators: dict[str, bool | None],
    source: str,
    language_model: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The record of environment.json. Of a checkpoint folder only its own name, which says what made it.

    `cpu_accelerators` are those of masktune.training.cpu that were used; None of one says that it is not known.
    `source` is the digest of the code (masktune.study.run.source).
    `language_model` is what masktune.pretraining.checkpoints.describe says of the checkpoint.
    """
    import torch

    cuda = torch.cuda.is_available()
    return {
        "masktune": version(),
        "source": source,
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
        "language_model": language_model,
        "data": dict(sorted(data_digests.items())),
    }


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
