"""The hooks before a commit run what `make lint` runs, with the tools of .venv."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HOOKS = [
    hook for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"] for hook in repo["hooks"]
]


def commands_of(target: str) -> list[str]:
    """The lines of a target of the Makefile, as a shell sees them."""
    makefile = (ROOT / "Makefile").read_text().replace("$(VENV)", ".venv")
    lines = makefile.partition(f"\n{target}:")[2].splitlines()[1:]
    end = next(number for number, line in enumerate(lines) if not line.startswith("\t"))
    return [line.strip() for line in lines[:end]]


def test_the_hooks_are_the_commands_of_make_lint():
    assert len(HOOKS) > 2
    assert [hook["entry"] for hook in HOOKS] == commands_of("lint")


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_installs_nothing_and_reads_the_whole_folder(hook):
    assert hook["language"] == "system"
    assert hook["pass_filenames"] is False
