"""pyproject.toml, both files of constraints and environment.yml agree; nothing is stated twice, nothing left out."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
OF_STUDY = ("study/", "analysis/", "course/", "statistics/", "preload.py", "data/mirror.py")
OF_SITE = ("site/",)
NEEDED = [Requirement(line) for group in (PROJECT["dependencies"], *EXTRAS.values()) for line in group]


def normal(name: str) -> str:
    """The name of a distribution as it is compared."""
    return name.lower().replace("_", "-")


def pins(file: str) -> dict[str, str]:
    lines = (ROOT / file).read_text().splitlines()
    pinned = [re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in lines if line and not line.startswith("#")]
    assert all(pinned), f"each line of {file} is one exact version"
    return {normal(match[1]): match[2] for match in pinned}


@pytest.mark.parametrize("requirement", NEEDED, ids=lambda requirement: requirement.name)
@pytest.mark.parametrize("file", ["constraints.txt", "constraints-oldest.txt"])
def test_each_requirement_has_a_tested_version_within_its_range(file, requirement):
    version = pins(file).get(normal(requirement.name))
    assert version, f"{requirement.name} is not in {file}"
    assert version in requirement.specifier


@pytest.mark.parametrize("requirement", NEEDED, ids=lambda requirement: requirement.name)
def test_each_range_begins_where_it_was_tested(requirement):
    floor = next(Version(bound.version) for bound in requirement.specifier if bound.operator == ">=")
    oldest = Version(pins("constraints-oldest.txt")[normal(requirement.name)])
    # Of torch 2.11 the package index has only the build for CUDA, of gigabytes: it was tested by itself.
    assert oldest.release[: len(floor.release)] == floor.release or requirement.name == "torch"


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
    makefile = (ROOT / "Makefile").read_text()
    assert "\nCONSTRAINTS ?= constraints.txt\n" in makefile
    assert "-c $(CONSTRAINTS) -e '.[study,test]'" in makefile


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of masktune, and what it is of: the library, the study or the site."""
    for path in sorted((ROOT / "masktune").rglob("*.py")):
        name = path.relative_to(ROOT / "masktune").as_posix()
        yield "study" if name.startswith(OF_STUDY) else "site" if name.startswith(OF_SITE) else "library", path


def imported(path: Path) -> set[str]:
    """The packages that a module imports, at once or when a function of it is called."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names} - {"masktune", *sys.stdlib_module_names}


@pytest.mark.parametrize(
    ("part", "extras"), [("library", ()), ("study", ("study", "gpu")), ("site", ("study", "site"))]
)
def test_what_is_imported_is_required(part, extras):
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    required = {normal(Requirement(line).name) for line in lines}
    providers = {"pynvml": ["nvidia-ml-py"], **metadata.packages_distributions()}
    found = set().union(*(imported(path) for of, path in modules() if of == part))
    assert len(found) > 2
    assert not [name for name in found if required.isdisjoint(map(normal, providers.get(name, [name])))]


def test_readme_says_how_to_install_every_extra():
    section = (ROOT / "README.md").read_text().partition("\n## Install\n")[2].partition("\n## ")[0]
    assert all(re.search(rf"[`\[]{extra}[`\]]", section) for extra in EXTRAS)
    assert f"Python {PROJECT['requires-python'].removeprefix('>=')} or newer" in section
    assert set(re.findall(r"`(\w+) plan ", section)) == set(PROJECT["scripts"])


def test_every_folder_with_modules_is_in_the_wheel():
    settings = PYPROJECT["tool"]["setuptools"]
    folders = {".".join(path.parent.relative_to(ROOT).parts) for _, path in modules()}
    assert set(settings["packages"]) == folders | set(settings["package-dir"])
