"""Which digests of the source give the same runs: results/neutral.toml, an entry for each change that was checked.

A run says by which source it was made (masktune.study.run.source). Another text of it, a comment or a method that is
added, is another digest even where every number stays. `python -m masktune neutral STUDY` trains some stored runs
again; where every logit is the stored one to the bit, the two digests are recorded here and count as the same code for
results. For times they stay two: a change that leaves the bits alone may well be faster.
"""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from masktune.errors import MaskTuneError
from masktune.files import write_file
from masktune.records import among, record, require
from masktune.study.paths import results_root

FILE = "neutral.toml"
ENTRIES = "neutral"
HEAD = (
    "# Written by `python -m masktune neutral STUDY`: from one source to another, the runs named gave the same bits.\n"
)


@dataclass(frozen=True)
class Neutral:
    """A change of the source that left every logit of the `checked` runs of a `study` as it was.

    `before` and `after` are digests; `checkpoints` says whether what the runs start from was "cached" or "made again",
    `on` on what device and processor both were trained: nothing is known of the bits on another.
    """

    before: str
    after: str
    date: str
    study: str
    checkpoints: str
    checked: tuple[str, ...]
    on: str = ""

    def __post_init__(self) -> None:
        require(len(self.checked) > 0, "checked", list(self.checked), "the id of at least one run")


def file() -> Path:
    """Where the changes are recorded."""
    return results_root() / FILE


def read() -> tuple[Neutral, ...]:
    """The recorded changes in their order; none where nothing was recorded. Raises MaskTuneError for a broken file."""
    path = file()
    if not path.is_file():
        return ()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MaskTuneError(f"{path} cannot be read ({error}); restore it, or remove it and check again") from None
    for key in table:
        among(key, (ENTRIES,), "key", str(path))
    return tuple(record(Neutral, entry, f"{path} [[{ENTRIES}]]") for entry in table.get(ENTRIES, []))


def add(change: Neutral) -> Path:
    """Record a change behind those that are there. Returns the path of the file."""
    changes = [*read(), change]
    path = file()
    write_file(path, "\n".join([HEAD, *map(_write_out, changes)]))
    return path


def _write_out(change: Neutral) -> str:
    rows = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(change).items()}
    return "\n".join([f"[[{ENTRIES}]]", *(f"{name} = {json.dumps(value)}" for name, value in rows.items()), ""])


def representatives(changes: Iterable[Neutral]) -> dict[str, str]:
    """For each digest of the changes the one that stands for all that give the same runs: the one recorded last."""
    stands_for: dict[str, str] = {}
    for change in changes:
        same = {stands_for.get(each, each) for each in (change.before, change.after)}
        members = {each for each, known in stands_for.items() if known in same} | {change.before, change.after}
        stands_for |= dict.fromkeys(members, change.after)
    return stands_for
