"""Each public function has an example in its docstring, and what the example shows is what comes out."""

import doctest
import importlib
import inspect
from types import FunctionType

import pytest

MODULES = (
    "masktune.losses", "masktune.perturb", "masktune.methods", "masktune.statistics.diversity",
    "masktune.statistics.gates", "masktune.statistics.intervals", "masktune.statistics.matched",
    "masktune.statistics.metrics", "masktune.statistics.multiplicity", "masktune.statistics.tests",
)  # fmt: skip


def functions(module_name: str) -> dict[str, FunctionType]:
    """The public functions that a module defines."""
    module = importlib.import_module(module_name)
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module_name and not name.startswith("_")
    }


PUBLIC = [(module, name) for module in MODULES for name in functions(module)]


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_an_example_shows_what_comes_out(module, name):
    function = functions(module)[name]
    [test] = doctest.DocTestFinder(recurse=False).find(function, name, globs=vars(importlib.import_module(module)))
    assert test.examples, f"{module}.{name} has no example; end its docstring with a line of >>> and what it gives"
    said: list[str] = []
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.DocTestRunner(optionflags=options, verbose=False).run(test, out=said.append)
    assert not result.failed, "".join(said)
