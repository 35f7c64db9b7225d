"""From a table of plain values (TOML, notebook parameters) to a frozen dataclass, with errors that quote the value."""

import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from masktune.errors import MaskTuneError, one_of

NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", dict: "a table"}


def record(cls: type, table: Any, where: str) -> Any:
    """Build the dataclass `cls` from `table`, whose keys are its fields. `where` opens every error message.

    Raises MaskTuneError for a key that is no field, a missing field, or a value of another type.
    """
    if not isinstance(table, Mapping):
        raise MaskTuneError(f"{where}: {table!r}; expected a table of settings")
    hints = _hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    values = {}
    for key, value in table.items():
        among(key, fields, "key", where)
        values[key] = checked(value, hints[key], f"{where} {key}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise MaskTuneError(f"{where}: {name!r} is missing; add {name} = ... to it")
    try:
        return cls(**values)
    except MaskTuneError as error:
        raise MaskTuneError(f"{where}: {error}") from None


def checked(value: Any, annotation: Any, where: str) -> Any:
    """`value` as `annotation` (int, float, str, bool, dict, X | None, tuple[X, ...]); else MaskTuneError."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return None if value is None else checked(value, typing.get_args(annotation)[0], where)
    if typing.get_origin(annotation) is tuple:
        if not isinstance(value, list | tuple):
            raise MaskTuneError(f"{where} = {value!r}; expected a list")
        return tuple(checked(item, typing.get_args(annotation)[0], where) for item in value)
    if annotation is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if annotation in NAMES and (not isinstance(value, annotation) or (annotation is int and isinstance(value, bool))):
        raise MaskTuneError(f"{where} = {value!r}; expected {NAMES[annotation]}")
    return value


def among(value: str, known: Iterable[str], what: str, where: str) -> str:
    """`errors.one_of` with the place of the mistake before its message."""
    try:
        return one_of(value, known, what)
    except MaskTuneError as error:
        raise MaskTuneError(f"{where}: {error}") from None


def require(condition: bool, name: str, value: Any, expected: str) -> None:
    """Raise MaskTuneError "<name> = <value>; expected <expected>" unless `condition` holds."""
    if not condition:
        raise MaskTuneError(f"{name} = {value!r}; expected {expected}")


def seeds_of(value: Any, where: str = "seeds") -> tuple[int, ...]:
    """Seeds as a tuple: a number n means 0 ... n-1, a list stands as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        require(value >= 1, where, value, "at least 1, or a list of seeds")
        return tuple(range(value))
    seeds = checked(value, tuple[int, ...], where)
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
    known = tuple(known)
    for value in values:
        among(value, known, what, where)
    require(0 < len(values) == len(set(values)), where, list(values), "at least one name and no name twice")
    return values


def non_default(instance: Any, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields of a dataclass instance that differ from their defaults. A field without default always counts."""
    return {
        field.name: getattr(instance, field.name)
        for field in dataclasses.fields(instance)
        if field.name not in leave_out and getattr(instance, field.name) != _default(field)
    }


def _default(field: dataclasses.Field) -> Any:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)
