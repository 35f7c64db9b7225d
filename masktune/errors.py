"""The one exception that a user's mistake raises, and the messages for an unknown name and a missing package."""

from collections.abc import Iterable
from difflib import get_close_matches


class MaskTuneError(ValueError):
    """A mistake in what the user gave. The message is one line: the value, what was expected, what to do next.

    The command line prints that line alone, without a traceback, and ends with status 2.

    >>> raise MaskTuneError("alpha 2 is outside [0, 1]")
    Traceback (most recent call last):
    masktune.errors.MaskTuneError: alpha 2 is outside [0, 1]
    """


def one_of(value: str, known: Iterable[str], what: str) -> str:
    """Return `value` if it is one of `known`; raise MaskTuneError naming the nearest known name otherwise."""
    known = list(known)
    if value in known:
        return value
    close = get_close_matches(str(value), known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise MaskTuneError(f"unknown {what} {value!r}{hint}; expected one of {', '.join(known)}")


def not_installed(package: str) -> MaskTuneError:
    """The error for a package that is not installed; the caller raises it."""
    return MaskTuneError(f"this needs the package {package!r}, which is not installed; pip install 'masktune[study]'")
