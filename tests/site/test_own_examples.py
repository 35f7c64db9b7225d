"""What the examples in the docstrings of the site's own modules show is what comes out."""

import doctest
import importlib
from pkgutil import walk_packages

import pytest

import masktune.site

NAMES = [module.name for module in walk_packages(masktune.site.__path__, "masktune.site.")]
MODULES = [name for name in NAMES if not name.endswith("__main__")]


def test_there_are_some():
    assert sum(len(test.examples) for name in MODULES for test in doctest.DocTestFinder().find(module(name))) > 5


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(name):
    assert doctest.testmod(module(name)).failed == 0


def module(name):
    return importlib.import_module(name)
