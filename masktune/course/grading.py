"""How a check tells a student that an answer is not right yet: one sentence that helps, and no traceback."""

from __future__ import annotations

from masktune.errors import MaskTuneError


class NotYetError(MaskTuneError):
    """An answer that is missing or not right yet. A notebook shows the sentence alone."""

    def _render_traceback_(self) -> list[str]:  # what IPython asks an exception for
        return [f"Not yet: {self}"]


def expect(holds: object, sentence: str) -> None:
    """Raise NotYetError with a sentence that helps unless something holds."""
    if not holds:
        raise NotYetError(sentence)


def right(name: str) -> None:
    """Say that an answer is right."""
    print(f"{name} is right.")
