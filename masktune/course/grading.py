"""How a check tells a student that an answer is not right yet: one sentence that helps, and no traceback."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from masktune.errors import MaskTuneError


class NotYetError(MaskTuneError):
    """An answer that is missing or not right yet. A notebook shows the sentence alone."""

    def _render_traceback_(self) -> list[str]:  # what IPython asks an exception for
        return [f"Not yet: {self}"]


def expect(holds: object, sentence: str) -> None:
    """Raise NotYetError with a sentence that helps unless something holds."""
    if not holds:
        raise NotYetError(sentence)


def check_of(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make of a function that raises NotYetError for a wrong answer the check of an exercise.

    It says so where the answer is right; of a stub, which raises NotImplementedError, it says what is to be done, and
    of what the package refuses, why. What a check is given besides the answer is what the answer is held against.
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
            print(f"{name} is right.")

        return checked

    return decorate
