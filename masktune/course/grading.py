"""How a check tells a student that an answer is not right yet: one sentence that helps, and no traceback."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from traceback import walk_tb
from typing import Any

from masktune.errors import MaskTuneError

# What a check raises that meets a result of another kind than it asked for.
_UNREADABLE = (TypeError, ValueError, AttributeError, LookupError)


class NotYetError(MaskTuneError):
    """An answer that is missing or not right yet. A notebook shows the sentence alone."""

    def _render_traceback_(self) -> list[str]:  # what IPython asks an exception for
        return [f"Not yet: {self}"]


def expect(holds: object, sentence: str) -> None:
    """Raise NotYetError with a sentence that helps unless something holds."""
    if not holds:
        raise NotYetError(sentence)


def _stopped_in(answer: Any, error: BaseException) -> bool:
    """Whether an error arose while the student's function ran, and not in the check that looked at its result."""
    code = getattr(answer, "__code__", None)
    return any(frame.f_code is code for frame, _ in walk_tb(error.__traceback__))


def _unread(name: str, error: Exception) -> str:
    if isinstance(error, TypeError) and "NoneType" in str(error):
        return f"{name} gave back nothing (None); does its last line begin with `return`?"
    return f"what {name} gave back is not what was asked for, and cannot be read: {error}"


def check_of(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make of a function that raises NotYetError for a wrong answer the check of an exercise.

    It says so where the answer is right; of a stub, which raises NotImplementedError, it says what is to be done, of
    what the package refuses, why, of a function without `return`, what it lacks, and of a result that cannot be read,
    what it is. Any other error inside the student's own function keeps its traceback. What a check is given besides
    the answer is what the answer is held against.
    """

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        @wraps(check)
        def checked(answer: Any, *against: Any) -> None:
            try:
                check(answer, *against)
            except NotImplementedError as error:
                raise NotYetError(str(error) or f"write {name}") from None
            except NotYetError:
                raise
            except MaskTuneError as error:  # the package refused what the answer gave it, and says what it expected
                raise NotYetError(str(error)) from None
            except _UNREADABLE as error:
                if _stopped_in(answer, error):
                    raise
                raise NotYetError(_unread(name, error)) from error
            print(f"{name} is right.")

        return checked

    return decorate
