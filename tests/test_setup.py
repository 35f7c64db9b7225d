"""pyproject.toml, constraints.txt and environment.yml agree; nothing is stated in two of them."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NEEDED = [
    Requirement(line)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for line in group
]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = [re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in lines if line and not line.startswith("#")]
    assert all(pinned), "each line of constraints.txt is one exact version"
    return {match[1].lower().replace("_", "-"): match[2] for match in pinned}


@pytest.mark.parametrize("requirement", NEEDED, ids=lambda requirement: requirement.name)
def test_each_requirement_has_a_tested_version_within_its_range(requirement):
    version = pins().get(requirement.name.lower())
    assert version, f"{requirement.name} is not in constraints.txt"
    assert version in requirement.specifier


def test_no_package_is_required_twice():
    names = [requirement.name for requirement in NEEDED]
    assert len(names) == len(set(names))


def test_the_conda_environment_refers_to_the_other_two_files():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, *tools, pip = environment["dependencies"]
    assert tools == ["pip", "make"]
    assert pip == {"pip": ["-c constraints.txt", "-e .[study,test]"]}
    assert python.removeprefix("python=") in SpecifierSet(PROJECT["requires-python"])


def test_the_makefile_installs_the_tested_versions():
    assert "-c constraints.txt -e '.[study,test]'" in (ROOT / "Makefile").read_text()
