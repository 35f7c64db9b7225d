"""What README, CONTRIBUTING and ARCHITECTURE say of the repository is true of it as it is committed."""

import ast
import re

import pytest
from repository.conftest import committed_files, committed_json, committed_table, committed_text

from masktune.study.execute.efficiency import largest

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md")
PLACEHOLDERS = {"studies/NAME.toml", "notebooks/NN_title.ipynb", "results/NAME", "results/neutral.toml"}


@pytest.fixture(scope="module")
def readme() -> str:
    return committed_text("README.md")


@pytest.fixture(scope="module")
def places() -> set[str]:
    """Every committed file, and every folder that holds one."""
    files = committed_files()
    parents = {"/".join(path.split("/")[:depth]) for path in files for depth in range(1, path.count("/") + 1)}
    return files | parents


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_that_a_document_links_to_is_there(name, places):
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", committed_text(name))
    assert links
    assert [link for link in links if link.rstrip("/") not in places] == []


def test_every_file_that_the_documents_name_is_there_and_holds_what_it_is_said_to(places):
    text = "\n".join(map(committed_text, DOCUMENTS))
    paths = set(re.findall(r"`((?:masktune|tests|studies|notebooks|results|benchmarks)/[\w./]+)`", text))
    assert len(paths) > 25
    assert [path for path in paths - PLACEHOLDERS if path.rstrip("/") not in places] == []
    held = re.findall(r"(`\w+`(?:,?\s+(?:and\s+)?(?:of\s+)?`\w+`)*)\s+(?:of|in)\s+`([\w/]+\.py)`", text)
    assert len(held) > 25
    for names, path in held:
        assert set(re.findall(r"\w+(?=`)", names)) - defined_names(committed_text(path)) == set(), path


def defined_names(source: str) -> set[str]:
    """The classes, functions and variables that a module, or a class of it, defines."""
    found: set[str] = set()
    bodies = [ast.parse(source).body]
    while bodies:
        for node in bodies.pop():
            if isinstance(node, ast.ClassDef):
                bodies.append(node.body)
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                found.add(node.name)
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def test_the_benchmark_of_readme_is_the_stored_one(readme):
    assert committed_text("results/bench/headline.md") in readme


def test_the_wall_time_of_reproduce_is_that_of_its_stored_invocation(readme):
    done = int((committed_table("results/embedded/runs.parquet")["status"] == "done").sum())
    whole = largest(committed_json("results/embedded/grid.json"))
    assert whole["runs"] == done
    assert f"The {done} runs of `make reproduce`" in readme
    assert f"take {whole['wall_seconds'] / 60:.0f} minutes of wall time" in readme
