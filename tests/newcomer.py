"""README's commands in a newcomer's order on a fresh clone of the last commit: `make newcomer`, half an hour.

Not one of the tests of `make test`: it trains the whole embedded study.
"""

import fnmatch
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ORDER = ("setup", "reproduce", "test", "figures", "report", "reproduce")


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("newcomer") / "masktune"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def measured() -> list[str]:
    """The files that hold measured times, by CONTRIBUTING: patterns below results, and the page of hours."""
    said = r"names only files that hold measured times: (.*?) of\s+`results/embedded`, `([^`]+)` of\s+every study"
    embedded, every = re.search(said, CONTRIBUTING, re.DOTALL).groups()
    patterns = re.findall(r"`([^`]+)`", embedded)
    return ["RESULTS.md", f"results/*/{every}", *(f"results/embedded/{pattern}" for pattern in patterns)]


@pytest.mark.parametrize("target", ORDER, ids=[f"{number}-{target}" for number, target in enumerate(ORDER, 1)])
def test_every_command_succeeds_in_this_order(clone, target):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MASKTUNE_", "OMP_", "PYTEST"))}
    for inherited in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VIRTUAL_ENV"):
        clean.pop(inherited, None)
    ended = subprocess.run(["make", target], cwd=clone, env=clean, capture_output=True, text=True)
    assert ended.returncode == 0, f"{ended.stdout[-4000:]}\n{ended.stderr[-4000:]}"


def test_git_status_names_only_files_that_hold_measured_times(clone, measured):
    lines = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True).stdout
    changed = [line[3:] for line in lines.splitlines()]
    assert [path for path in changed if not any(fnmatch.fnmatch(path, pattern) for pattern in measured)] == []
