"""What a study says of a model. What makes it is in masktune.checkpoints; this is read without loading torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masktune.pretraining import Recipe


@dataclass(frozen=True)
class Adaptation:
    """MLM training of a checkpoint on the text of the task without its labels, head and encoder.

    For an encoder without a trained masked-LM head (a sentence encoder, say), or to bring one nearer to the task's
    text: task-adaptive pretraining (Gururangan et al. 2020), on the texts of its train sources. Text is concatenated
    and cut into chunks of `max_length` tokens; a new head learns at its own rate and begins at the log frequencies of
    the tokens.
    """

    steps: int = 600
    batch_size: int = 32
    max_length: int = 64
    learning_rate: float = 1.5e-4
    head_learning_rate: float = 1e-3
    mask_rate: float = 0.15

    def recipe(self) -> Recipe:
        from masktune.pretraining import Recipe

        return Recipe(**asdict(self), packed=True)


@dataclass(frozen=True)
class ModelSpec:
    """A model of a study.

    `checkpoint` is "embedded:<family>", a folder, a model of the mirror ($MASKTUNE_MIRROR/models/<name>) or a hub id
    with its pinned `revision`; `adaptation` trains its masked-LM head on the task's text first.
    """

    name: str
    checkpoint: str
    revision: str | None = None
    adaptation: Adaptation | None = None
