"""Seeds and lists of names, as they are written in the file of a study and in the parameters of a notebook."""

from collections.abc import Iterable
from typing import Any

from masktune.records import among, check_value, require


def seeds_of(value: Any, where: str = "seeds") -> tuple[int, ...]:
    """Seeds as a tuple: a number n means 0 ... n-1, a list stays as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        require(value >= 1, where, value, "at least 1, or a list of seeds")
        return tuple(range(value))
    seeds = check_value(value, tuple[int, ...], where)
    require(len(seeds) > 0 and len(set(seeds)) == len(seeds), where, value, "at least one seed and no seed twice")
    require(min(seeds) >= 0 and max(seeds) < 2**31, where, value, "seeds between 0 and 2147483647")
    return seeds


def restriction(value: Any, known: tuple[str, ...], key: str, where: str) -> tuple[str, ...]:
    """The names that a row or claim restricts itself to; all of them when it does not."""
    if value is None:
        return known
    require(isinstance(value, list), f"{where} {key}", value, "a list of names")
    return each_once(tuple(value), known, "name", f"{where} {key}")


def each_once(values: tuple[str, ...], known: Iterable[str], what: str, where: str) -> tuple[str, ...]:
    """The values, if each is known and none occurs twice."""
    known = tuple(known)
    for value in values:
        among(value, known, what, where)
    require(0 < len(values) == len(set(values)), where, list(values), "at least one name and no name twice")
    return values
