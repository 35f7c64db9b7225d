"""Style and state of what is committed: a notebook that a reader has run, or code half written, is no fault of it."""

import json
import re
import subprocess
import sys

import pytest
from repository.conftest import committed_files, git

LIMIT = 5_000_000  # bytes of a file


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The committed files in a folder of their own."""
    folder = tmp_path_factory.mktemp("repository")
    git("checkout-index", "--all", f"--prefix={folder}/")
    return folder


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_code_and_notebooks_have_the_style_of_the_project(exported, command):
    ended = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", "."], cwd=exported, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_an_error_of_types_that_is_ignored_has_a_code_and_a_reason(exported):
    """mypy itself, of `make lint`, takes too long for a test."""
    code = [
        path for path in committed_files() if path.endswith(".py") and path.startswith(("masktune/", "benchmarks/"))
    ]
    lines = [line for path in code for line in (exported / path).read_text(encoding="utf-8").splitlines()]
    ignored = [line for line in lines if "# type: ignore" in line]
    assert ignored
    assert [line for line in ignored if not re.search(r"# type: ignore\[[a-z, -]+\]  # \w", line)] == []


def test_notebooks_hold_outputs_below_results_alone(exported):
    notebooks = [path for path in committed_files() if path.endswith(".ipynb") and not path.startswith("results/")]
    assert len(notebooks) > 10
    for path in notebooks:
        cells = json.loads((exported / path).read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert [cell for cell in code if cell["outputs"] or cell["execution_count"] is not None] == [], path


def test_no_file_is_large(exported):
    assert [path for path in committed_files() if (exported / path).stat().st_size > LIMIT] == []


def test_what_commands_make_beside_results_is_ignored():
    made = [".venv/bin/python", ".cache/x", "results/embedded/runs/x", "results/embedded/report/index.html"]
    ignored = git("check-ignore", *made).decode().split()
    assert ignored == made
