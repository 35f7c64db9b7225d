"""CHANGELOG names the version of the package, and modules and classes that there are."""

import re
from importlib.util import find_spec
from pathlib import Path

import masktune
from masktune import features
from masktune.methods import base

CHANGELOG = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
UNRELEASED = CHANGELOG.partition("\n## [Unreleased]\n")[2].partition("\n## ")[0]
MODULES, NAMES = re.findall(r"((?:^  \|.*\n)+)", UNRELEASED, re.MULTILINE)


def rows(table: str) -> list[tuple[str, str]]:
    """(old, new) of each line below the heading."""
    return [tuple(line.strip(" |").split(" | ")) for line in table.splitlines()[2:]]


def modules(old: str, new: str) -> list[str]:
    named = re.findall(r"`(masktune[\w.]+\w)`", new)
    if "the same name in" not in new:
        return named
    return [f"{named[0]}.{name.rpartition('.')[2]}" for name in re.findall(r"`([\w.]+)`", old)]


def test_the_newest_version_is_that_of_the_package():
    assert re.search(r"^## \[(\d.*?)\] - \d{4}-\d\d-\d\d$", CHANGELOG, re.MULTILINE)[1] == masktune.__version__


def test_each_module_that_has_moved_is_where_it_is_said_to_be():
    moved = [name for old, new in rows(MODULES) for name in modules(old, new)]
    assert len(moved) > 20
    assert [name for name in moved if not find_spec(name)] == []


def test_each_package_of_the_study_is_there():
    parts = re.search(r"`masktune\.study\.design`(.*) \|", MODULES)[1]
    assert all(find_spec(f"masktune.study{part}") for part in re.findall(r"`(\.\w+)`", parts))


def test_each_class_of_a_method_has_the_name_that_is_given():
    classes = {name for _, new in rows(NAMES) for name in re.findall(r"`([A-Z]\w+)`", new)}
    assert len(classes) > 5
    assert [name for name in classes if not hasattr(base, name) and not hasattr(features, name)] == []
    assert [name for old, _ in rows(NAMES) for name in re.findall(r"`([A-Z]\w+)`", old) if hasattr(base, name)] == []
