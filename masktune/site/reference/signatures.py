"""A signature, written out: each parameter with its type by its short name and its default."""

import inspect
import re
from collections.abc import Callable
from typing import Any

_QUALIFIED = re.compile(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z_])")


def signature(documented: Callable[..., Any]) -> str:
    """What one calls it with and what it returns: `(texts: Iterable[str], seed: int = 0) -> Path`. "" of an error.

    >>> signature(short_name)
    '(annotation: Any) -> str'
    """
    try:
        found = inspect.signature(documented)
    except ValueError:  # of builtin kinds, such as errors
        return ""
    parameters = [
        parameter.replace(annotation=_Named(short_name(parameter.annotation)))
        if parameter.annotation is not parameter.empty
        else parameter
        for parameter in found.parameters.values()
        if parameter.name != "self"
    ]
    returns = found.return_annotation
    shown = found.replace(
        parameters=parameters, return_annotation=returns if returns is found.empty else _Named(short_name(returns))
    )
    return str(shown)


def short_name(annotation: Any) -> str:
    """A type without the modules that its names come from.

    >>> import collections.abc
    >>> short_name(collections.abc.Sequence[int] | None)
    'Sequence[int] | None'
    """
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return _QUALIFIED.sub("", text)


class _Named:
    """A type that shows itself by this name."""

    def __init__(self, name: str):
        self._name = name

    def __repr__(self) -> str:
        return self._name
