"""Whether an accelerator is used: as asked, and where it can be."""

from collections.abc import Callable

from masktune.errors import MaskTuneError


def decide(name: str, asked: bool | None, pays: bool, obstacle: Callable[[], str | None]) -> bool:
    """Whether the accelerator of that name is used.

    `asked` None leaves it to `pays`. `obstacle` says why it cannot be used (None: it can), and is called where it would
    be. Raises MaskTuneError, with the obstacle, for one that was asked for with True.
    """
    if asked is False or (asked is None and not pays):
        return False
    reason = obstacle()
    if asked and reason is not None:
        raise MaskTuneError(f"{name}=True: {reason}; leave it at None, which uses it where it can be used")
    return reason is None
