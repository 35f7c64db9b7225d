"""The registry of methods: one file a method or family, each reads like the method section of its paper."""

from dataclasses import fields
from typing import Any

from masktune.errors import MaskTuneError, one_of
from masktune.methods.base import Method, Term
from masktune.methods.fine_tuning import FineTuning
from masktune.methods.mask_tuning import MaskTuning

METHODS: dict[str, type[Method]] = {method.name: method for method in (FineTuning, MaskTuning)}


def build(name: str, **options: Any) -> Method:
    """The method of that name with these options.

    Raises MaskTuneError for an unknown name or option, and for a value that the option does not admit.
    """
    method = METHODS[one_of(name, METHODS, "method")]
    known = [field.name for field in fields(method)]
    for option in options:
        if not known:
            raise MaskTuneError(f"the method {name!r} takes no options, but {option!r} was given; leave it out")
        one_of(option, known, f"option of {name}")
    return method(**options)


__all__ = ["METHODS", "FineTuning", "MaskTuning", "Method", "Term", "build"]
