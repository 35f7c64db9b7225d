"""What a user asks for: the settings of a training, what of them changes its result, and the command that repeats it.

Read without torch, as the command line is.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from masktune.errors import MaskTuneError, one_of
from masktune.records import require

RECOMMENDED = "recommended"
EMBEDDED = "embedded"
CLASS_WEIGHTS = ("none", "balanced")
DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "fp32", "bf16")
OF_MASK_TUNING = ("alpha", "mask_rate")
# Where things are, how they are looked at, and what only adds runs: none changes a run that is there.
NOT_IN_IDENTITY = ("file", "validation", "test", "ood", "model", "compare", "seeds", "output", "device", "adapt")


@dataclass(frozen=True)
class Settings:
    """The options of `masktune train`; None is what the data or the model suggest (`masktune.own.inputs`)."""

    file: str
    output: str
    model: str
    text: tuple[str, ...] = ()
    label: str | None = None
    cluster: str | None = None
    rename_labels: tuple[str, ...] = ()
    validation: str | None = None
    test: str | None = None
    ood: tuple[str, ...] = ()
    method: str = RECOMMENDED
    alpha: float | None = None
    mask_rate: float | None = None
    compare: tuple[str, ...] = ()
    seeds: int = 1
    epochs: int = 3
    learning_rate: float | None = None
    batch_size: int = 32
    max_length: int | None = None
    class_weights: str = "none"
    adapt: int = 0
    revision: str | None = None
    precision: str = "auto"
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in ("seeds", "epochs", "batch_size"):
            require(getattr(self, name) >= 1, f"--{name.replace('_', '-')}", getattr(self, name), "1 or more")
        rate = self.learning_rate
        require(rate is None or 0 < rate < 1, "--learning-rate", rate, "a number between 0 and 1, such as 2e-5")
        require(self.max_length is None or self.max_length > 4, "--max-length", self.max_length, "a number of tokens")
        require(self.adapt >= 0, "--adapt", self.adapt, "a number of steps, such as 600")
        one_of(self.class_weights, CLASS_WEIGHTS, "--class-weights")
        one_of(self.precision, PRECISIONS, "--precision")
        one_of(self.device, DEVICES, "--device")
        self._check_methods()
        parse_renames(self.rename_labels)
        if self.adapt and self.model == EMBEDDED:
            raise MaskTuneError("--adapt: the embedded model is pre-trained on your texts already; leave --adapt out")

    def _check_methods(self) -> None:
        given = [name for name in OF_MASK_TUNING if getattr(self, name) is not None]
        if given and self.method != RECOMMENDED and "mask_tuning" not in self.method.split("+"):
            option = f"--{given[0].replace('_', '-')}"
            raise MaskTuneError(f"{option} is an option of Mask-tuning, and --method is {self.method!r}; leave it out")
        twice = [name for name in self.compare if name == self.method]
        if twice or len(set(self.compare)) < len(self.compare):
            raise MaskTuneError(f"--compare {' '.join(self.compare)}: each method once, and not the one of --method")

    @property
    def methods(self) -> tuple[str, ...]:
        """The method of the user, then those that it is compared with."""
        return (self.method, *self.compare)

    @property
    def renames(self) -> dict[str, str]:
        """The name of a class in the file -> the name that it gets."""
        return parse_renames(self.rename_labels)

    def identity(self) -> dict[str, Any]:
        """What, with the data and the checkpoint, decides the result of a run: settings that differ from defaults."""
        given = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in NOT_IN_IDENTITY}
        defaults = {each.name: each.default for each in fields(self)}
        return {name: _plain(value) for name, value in given.items() if value != defaults[name]}

    def command(self) -> str:
        """The line that repeats the training."""
        words = ["masktune", "train", self.file]
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name != "file" and value != each.default:
                values = value if isinstance(value, tuple) else (value,)
                words += [f"--{each.name.replace('_', '-')}", *map(_written, values)]
        return shlex.join(words)


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def option(name: str, *values: str) -> str:
    """An option with its values as a shell reads them: what has blanks or quotes in it is quoted.

    >>> print(option("--rename-labels", "very bad=CLASS"))
    --rename-labels 'very bad=CLASS'
    """
    return shlex.join([name, *values])


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def parse_renames(given: Sequence[str]) -> dict[str, str]:
    """OLD=NEW words as a table; of several "=" the last divides, as the data decide what OLD is.

    Raises MaskTuneError for a word that is not one, and for an OLD that is there twice.
    """
    table: dict[str, str] = {}
    for word in given:
        old, equals, new = (part.strip() for part in word.rpartition("="))
        if not (old and equals and new):
            raise MaskTuneError(f"--rename-labels {word!r}; expected OLD=NEW, such as 0=negative")
        if old in table:
            raise MaskTuneError(f"--rename-labels: {old!r} has two new names, {table[old]!r} and {new!r}")
        table[old] = new
    return table


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The first thing in which two identities differ, as `name old, now new`; "" where they are the same."""
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if old != new:
            if isinstance(old, dict) and isinstance(new, dict):
                return f"{name}: {difference(old, new)}"
            return f"{name.replace('_', ' ')} was {_shown(old)}, now {_shown(new)}"
    return ""


def _shown(value: Any) -> str:
    text = "not given" if value is None else str(value)
    return text[:12] if len(text) == 64 else text
