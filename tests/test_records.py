"""From plain values to dataclasses and back to one text."""

import re
from dataclasses import dataclass

import pytest

from masktune.errors import MaskTuneError
from masktune.records import canonical, non_default, record, require_name


@dataclass(frozen=True)
class Inner:
    steps: int = 3


@dataclass(frozen=True)
class Outer:
    name: str
    rate: float = 0.5
    sizes: tuple[int, ...] = ()
    limit: int | None = None
    own: bool = False
    inner: Inner | None = None


def test_a_table_becomes_a_dataclass_and_a_table_in_it_another():
    table = {"name": "x", "rate": 1, "sizes": [1, 2], "limit": None, "own": True, "inner": {"steps": 5}}
    built = record(Outer, table, "here")
    assert built == Outer("x", 1.0, (1, 2), None, True, Inner(5))
    assert isinstance(built.rate, float)
    assert record(Outer, {"name": "x", "inner": Inner(7)}, "here").inner == Inner(7)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (3, "here: 3; expected a table of settings"),
        ({}, "here: 'name' is missing; add name = ... to it"),
        ({"name": "x", "rat": 1}, "here: unknown key 'rat' (did you mean 'rate'?)"),
        ({"name": 3}, "here name = 3; expected a text"),
        ({"name": "x", "rate": True}, "here rate = True; expected a number"),
        ({"name": "x", "sizes": 3}, "here sizes = 3; expected a list"),
        ({"name": "x", "sizes": ["a"]}, "here sizes = 'a'; expected a whole number"),
        ({"name": "x", "limit": True}, "here limit = True; expected a whole number"),
        ({"name": "x", "own": 1}, "here own = 1; expected true or false"),
        ({"name": "x", "inner": {"step": 1}}, "here inner: unknown key 'step' (did you mean 'steps'?)"),
        ({"name": "x", "inner": 3}, "here inner: 3; expected a table of settings"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_quoted_with_its_place(table, message):
    with pytest.raises(MaskTuneError, match="^" + re.escape(message)):
        record(Outer, table, "here")


def test_what_differs_from_the_defaults():
    assert non_default(Outer("x", limit=2)) == {"name": "x", "limit": 2}
    assert non_default(Outer("x", limit=2), leave_out=("name",)) == {"limit": 2}
    assert non_default(Inner(3)) == {}


def test_canonical_text_is_one_for_one_meaning():
    assert canonical({"b": 3.0, "a": [1e-5, True, None]}) == canonical({"a": (0.00001, True, None), "b": 3})
    assert canonical({"a": 1.5}) != canonical({"a": 1})


@pytest.mark.parametrize("name", ["../x", "", ".x", "a b", "x/y"])
def test_a_name_can_be_that_of_a_file(name):
    require_name("a-b_c.1")
    with pytest.raises(MaskTuneError, match="^name = .*; expected letters"):
        require_name(name)
