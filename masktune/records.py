"""Between plain values (TOML, notebook parameters) and frozen dataclasses, with errors that quote the value.

`record` makes a dataclass from a table; `non_default` and `canonical` say what of it matters, as one text for one
meaning: the identity of runs is made of that.
"""

import dataclasses
import json
import re
import types
import typing
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from masktune.errors import MaskTuneError, one_of

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
TYPES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", dict: "a table"}
_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def record(cls: type, table: Any, where: str) -> Any:
    """Build the dataclass `cls` from `table`, whose keys are its fields. `where` opens every error message.

    A field that is a dataclass itself is built from a table in the table.

    Raises MaskTuneError for a key that is no field, a missing field, or a value of another type.
    """
    if not isinstance(table, Mapping):
        raise MaskTuneError(f"{where}: {table!r}; expected a table of settings")
    hints = _hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    values = {}
    for key, value in table.items():
        among(key, fields, "key", where)
        values[key] = check_value(value, hints[key], f"{where} {key}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise MaskTuneError(f"{where}: {name!r} is missing; add {name} = ... to it")
    try:
        return cls(**values)
    except MaskTuneError as error:
        raise MaskTuneError(f"{where}: {error}") from None


def check_value(value: Any, annotation: Any, where: str) -> Any:
    """`value` as int, float, str, bool, dict, a dataclass, X | None or tuple[X, ...]; else MaskTuneError."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return None if value is None else check_value(value, typing.get_args(annotation)[0], where)
    if typing.get_origin(annotation) is tuple:
        if not isinstance(value, list | tuple):
            raise MaskTuneError(f"{where} = {value!r}; expected a list")
        return tuple(check_value(item, typing.get_args(annotation)[0], where) for item in value)
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return value if isinstance(value, annotation) else record(annotation, value, where)
    if annotation is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if annotation in TYPES and (not isinstance(value, annotation) or (annotation is int and isinstance(value, bool))):
        raise MaskTuneError(f"{where} = {value!r}; expected {TYPES[annotation]}")
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


def require_name(value: str, name: str = "name") -> None:
    """Raise MaskTuneError unless `value` can be the name of a file and of a TOML table."""
    require(bool(NAME.fullmatch(value)), name, value, "letters, digits, '-', '_' and '.'")


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


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, and 3.0 written as 3: one text for one meaning."""
    return _JSON.encode(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
