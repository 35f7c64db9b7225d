"""The workflow for hosted CI names what there is: targets, files, and every Python that the project allows."""

import re
import tomllib

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from repository.conftest import committed_files, committed_text

WORKFLOW = ".github/workflows/tests.yml"
NEWEST, OLDEST = "constraints.txt", "constraints-oldest.txt"


@pytest.fixture(scope="module")
def job() -> dict:
    return yaml.safe_load(committed_text(WORKFLOW))["jobs"]["make"]


@pytest.fixture(scope="module")
def rows(job) -> list[dict[str, str]]:
    return job["strategy"]["matrix"]["include"]


@pytest.fixture(scope="module")
def commands(job, rows) -> list[str]:
    """Every line that is run, as each row of the matrix fills it in."""
    lines = [line for step in job["steps"] for line in step.get("run", "").splitlines()]
    fill = lambda line, row: re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda match: row[match[1]], line)  # noqa: E731
    return [fill(line, row) for row in rows for line in lines]


def test_style_and_types_are_checked_once_and_the_suite_runs_on_each_python_and_on_the_oldest_packages(rows):
    asked = sorted((row["target"], row["python"], row["constraints"]) for row in rows)
    tests = [("test", "3.11", OLDEST), *(("test", python, NEWEST) for python in ("3.11", "3.12", "3.13"))]
    assert asked == [("lint", "3.11", NEWEST), *tests]


def test_the_pythons_begin_where_the_project_does(rows):
    allowed = SpecifierSet(tomllib.loads(committed_text("pyproject.toml"))["project"]["requires-python"])
    minors = sorted({int(row["python"].removeprefix("3.")) for row in rows})
    assert minors == list(range(minors[0], minors[-1] + 1))
    assert [f"3.{minor}" in allowed for minor in (minors[0] - 1, *minors)] == [False, *(True for _ in minors)]


def test_every_target_and_variable_of_make_exists(commands):
    makefile = committed_text("Makefile")
    calls = [command.split()[1:] for command in commands if command.startswith("make ")]
    assert {target for target, *_ in calls} == {"lint", "test"}
    for target, *variables in calls:
        assert re.search(rf"^{target}: .*## ", makefile, re.MULTILINE), target
        for variable in variables:
            assert re.search(rf"^{variable.partition('=')[0]} \?= ", makefile, re.MULTILINE), variable


def test_every_file_that_it_names_is_committed(commands, rows):
    files = {word for command in commands for word in re.findall(r"[\w./-]+\.(?:txt|toml|py|yml)\b", command)}
    assert files | {row["constraints"] for row in rows} == {NEWEST, OLDEST}
    assert files <= committed_files()


def test_torch_is_installed_before_and_in_the_version_that_make_asks_for(commands):
    own = [command for command in commands if "/whl/cpu" in command]
    assert {re.search(r"grep '(\^torch==)' (\S+)\)", command)[2] for command in own} == {NEWEST, OLDEST}
    for file in (NEWEST, OLDEST):
        assert len(re.findall(r"^torch==[\d.]+$", committed_text(file), re.MULTILINE)) == 1


def test_no_expression_is_left_unknown(job):
    known = {"matrix.target", "matrix.python", "matrix.constraints", "github.workflow", "github.ref"}
    assert set(re.findall(r"\$\{\{ (.*?) \}\}", committed_text(WORKFLOW))) == known


def test_it_may_read_the_code_and_keeps_no_credentials(job):
    assert yaml.safe_load(committed_text(WORKFLOW))["permissions"] == {"contents": "read"}
    assert "permissions" not in job
    checkouts = [step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert [given["persist-credentials"] for given in checkouts] == [False]
    assert "secrets." not in committed_text(WORKFLOW)
