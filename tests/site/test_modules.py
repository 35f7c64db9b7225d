"""The reference describes every name that the library offers, once on its page, with what its docstring says."""

import importlib
import inspect
import re

import pytest

import masktune
from masktune import losses, methods, perturb
from masktune.site.reference import modules

INDEX = modules.Index()
PAGES = {name: modules.page(name, INDEX, "../source.html") for name in modules.names()}


def directive(module, name):
    """The head of the description of a name on the page of a module."""
    return re.search(rf"^`+\{{py:\w+\}} {name}\b(.*)\n:module: {re.escape(module)}$", PAGES[module], re.MULTILINE)


@pytest.mark.parametrize("name", [name for name in masktune.__all__ if not name.startswith("_")])
def test_a_name_of_the_package_is_described_with_its_example(name):
    assert directive("masktune", name)
    example = re.search(r">>> .*", getattr(masktune, name).__doc__)[0]
    assert f"```pycon\n{example}" in PAGES["masktune"]


@pytest.mark.parametrize("name", methods.__all__)
def test_so_is_one_of_the_methods_or_its_page_is_named(name):
    home = getattr(getattr(methods, name), "__module__", "masktune.methods")
    assert directive(home, name)
    assert (
        home == "masktune.methods"
        or f"[`{name}`]({home.rpartition('.')[0].rpartition('.')[2]}/" in PAGES["masktune.methods"]
    )


@pytest.mark.parametrize("module", [losses, perturb], ids=lambda module: module.__name__)
def test_and_each_function_of_the_core(module):
    own = [
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    ]
    public = [name for name in own if not name.startswith("_")]
    assert len(public) > 5
    assert all(directive(module.__name__, name) for name in public)


def test_each_module_of_statistics_has_a_page():
    package = importlib.import_module("masktune.statistics")
    named = re.findall(r"^(\w+)  +", package.__doc__, re.MULTILINE)
    assert sorted(name for name in PAGES if name.startswith("masktune.statistics.")) == sorted(
        f"masktune.statistics.{name}" for name in named
    )


def test_signatures_are_written_out():
    """What takes any number of methods, a method's options or a model's inputs says so; nothing else is hidden."""
    heads = "\n".join(
        re.findall(r"^`+\{py:(?:class|function|method|classmethod)\} (.*)$", "\n".join(PAGES.values()), re.M)
    )
    hidden = set(re.findall(r"^(\w+)\(.*(?:\*\*?[a-z])", heads, re.M))
    assert hidden == {"build", "card", "combine", "components_of", "forward", "mlm_logits"}
    assert re.search(
        r"^MaskTuningTrainer\(model: .*method: Method \| str \| None = None, .*advice: bool = True\)$", heads, re.M
    )


def test_each_address_within_the_reference_is_described_there():
    found = 0
    for name, text in PAGES.items():
        for page, place in re.findall(r"\]\(([\w/.]+)\.html#([\w.]+)\)", text):
            module, _, last = place.rpartition(".")
            assert directive(module, last), f"{name} links to {place} on {page}"
            found += 1
    assert found > 30


def test_the_overview_names_every_page():
    text = modules.overview(INDEX)
    assert all(f"**[{name}](" in text for name in modules.names())


def test_the_table_of_methods_is_that_of_the_registry():
    rows = re.findall(r"^\| \[(.+?)\]\(", PAGES["masktune.methods"], re.MULTILINE)
    assert rows == [methods.card(name)["label"] for name in methods.METHODS]
