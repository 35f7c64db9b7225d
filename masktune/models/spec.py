"""What a study says of a model, and what tells one model from another.

A published model, or one that is made, is identified by its name, a folder by the digest of its content. What makes a
model is in masktune.pretraining.checkpoints; this module is read without loading torch.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from masktune.errors import MaskTuneError
from masktune.files import digest, file_digest
from masktune.records import canonical, non_default, require, require_name

EMBEDDED = "embedded:"
WEIGHTS = re.compile(r"(?!training_args\.bin).+\.(safetensors|bin)")
# What else of a checkpoint's folder is loaded. The rest is the trainer's (its state, its arguments) or for its readers.
LOADED = re.compile(
    r"config\.json|.+\.index\.json|tokenizer.*\.json|(special_tokens_map|added_tokens)\.json|vocab.*|merges\.txt|.+\.model"
)


@dataclass(frozen=True)
class Adaptation:
    """MLM training of a checkpoint on the text of the task without its labels, head and encoder.

    For an encoder without a trained masked-LM head (a sentence encoder, say), or to bring one nearer to the task's
    text: task-adaptive pretraining (Gururangan et al. 2020), on the texts of its train sources. Text is concatenated
    and cut into chunks of `max_length` tokens; a new head learns at its own rate and begins at the log frequencies of
    the tokens. `fast_dropout` is whether a CPU draws the masks of dropout in less time than torch (None: where that
    pays).
    """

    steps: int = 600
    batch_size: int = 32
    max_length: int = 64
    learning_rate: float = 1.5e-4
    head_learning_rate: float = 1e-3
    mask_rate: float = 0.15
    fast_dropout: bool | None = None


@dataclass(frozen=True)
class ModelSpec:
    """A model of a study.

    `checkpoint` is "embedded:<family>", a folder, a model of the mirror ($MASKTUNE_MIRROR/models/<name>) or a hub id
    with its pinned `revision`; `adaptation` trains its masked-LM head on the task's text first. `pretrainings` is how
    many times that training is done, from other seeds: what one checkpoint happens to have learnt is then told from
    what pre-training gives (MultiBERTs, Sellam et al. 2022). A published checkpoint has one. `pretraining_steps` is how
    long an embedded model is pre-trained (None: as the recipe of its family says). `source`, `licence` and `saw` (what
    its upstream training read) are for the reader.
    """

    name: str
    checkpoint: str
    revision: str | None = None
    adaptation: Adaptation | None = None
    pretrainings: int = 1
    pretraining_steps: int | None = None
    source: str = ""
    licence: str = ""
    saw: str = ""

    def __post_init__(self) -> None:
        require_name(self.name)
        require(bool(self.checkpoint.strip()), "checkpoint", self.checkpoint, "embedded:<family>, a hub id or a folder")
        require(self.pretrainings >= 1, "pretrainings", self.pretrainings, "1 or more")
        if self.pretrainings > 1 and not self.is_trained_here:
            raise MaskTuneError(
                f"pretrainings = {self.pretrainings}; expected 1, as {self.checkpoint!r} is one published checkpoint: "
                "name an embedded model, or give it an adaptation"
            )
        if self.pretraining_steps is not None:
            self._check_pretraining_steps(self.pretraining_steps)

    def _check_pretraining_steps(self, steps: int) -> None:
        require(steps >= 1, "pretraining_steps", steps, "1 or more")
        already = f"none, as {self.checkpoint!r} is pre-trained already"
        require(self.is_embedded, "pretraining_steps", steps, already)

    @property
    def is_embedded(self) -> bool:
        """Whether it is a model of the embedded world, which is pre-trained here from scratch."""
        return self.checkpoint.startswith(EMBEDDED)

    @property
    def is_trained_here(self) -> bool:
        """Whether its language model is trained, or trained on, before it is used."""
        return self.is_embedded or self.adaptation is not None

    def pretraining_of(self, seed: int) -> int:
        """The seed of the pre-training that fine-tuning with this seed starts from: they take turns."""
        return seed % self.pretrainings

    def settings(self) -> dict[str, Any]:
        """What is given, as plain values; `masktune.records.record` is the way back."""
        adaptation = None if self.adaptation is None else non_default(self.adaptation)
        given = {"name": self.name, "checkpoint": self.checkpoint, "revision": self.revision, "adaptation": adaptation}
        rest = {name: value for name, value in non_default(self).items() if name not in given}
        return {name: value for name, value in given.items() if value is not None} | rest

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What is scientific: not what is displayed, and of a folder what it holds and not where it lies.

        Raises MaskTuneError for a path at which there is no folder.
        """
        folder = folder_of(self.checkpoint)
        identity: dict[str, Any] = {
            "checkpoint": self.checkpoint if folder is None else f"folder:{content(folder)[:16]}"
        }
        if self.revision is not None and folder is None:
            identity["revision"] = self.revision
        if self.adaptation is not None:
            identity["adaptation"] = non_default(self.adaptation)
        if self.pretrainings != 1:
            identity["pretrainings"] = self.pretrainings
        if self.pretraining_steps is not None:
            identity["pretraining_steps"] = self.pretraining_steps
        return identity

    @cached_property
    def canonical(self) -> str:
        """The identity as one text."""
        return canonical(self.identity)


def folder_of(checkpoint: str) -> Path | None:
    """The folder that `checkpoint` names; None where it is a name: of the embedded world, the mirror or the hub.

    Raises MaskTuneError for a path at which there is no folder.
    """
    path = Path(os.path.expanduser(checkpoint))
    if path.is_dir():
        return path
    if checkpoint.startswith(("/", "./", "../", "~")) or "\\" in checkpoint:
        raise MaskTuneError(
            f"checkpoint {checkpoint!r} is no folder here; its runs are known by what it holds, so name one that "
            "save_pretrained wrote"
        )
    return None


def content(folder: Path) -> str:
    """The digest of what is loaded from a checkpoint's folder: configuration, weights, tokenizer. Not where it lies.

    Raises MaskTuneError for a folder without weights.
    """
    names = sorted(os.listdir(folder))
    weights = [name for name in names if WEIGHTS.fullmatch(name)]
    if not weights:
        raise MaskTuneError(
            f"the folder {str(folder)!r} holds no weights (*.safetensors, *.bin); name one that save_pretrained wrote"
        )
    files = weights + [name for name in names if LOADED.fullmatch(name)]
    return digest("".join(f"{name} {file_digest(folder / name)}\n" for name in files))
