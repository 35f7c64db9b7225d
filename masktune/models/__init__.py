"""One encoder, two heads: the classifier and the masked language model of one checkpoint.

joint      MaskTuningModel, both heads on one encoder; saving and loading it
masked_lm  the masked language model of a checkpoint, of any type, and its logits at masked positions
sharing    a masked language model that reads with the classifier's encoder
surface    what Trainer asks of a model: the classifier's answers
editing    what methods change inside a classifier while it reads
families   the layers of a classifier, for the methods that reach into them: one entry each in FAMILIES
adapters   classifiers in a wrapper of peft
origin     where a model comes from, and how it is read
weights    which tensor goes where; what is missing or left over is refused by name
saving     both heads in one folder
spec       what a study says of a model; read without torch
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what editors and type checkers read
    from masktune.models.joint import MaskTuningModel as MaskTuningModel

__all__ = ["MaskTuningModel"]


def __getattr__(name: str) -> Any:
    """Loaded when asked for: the planning of a study reads `masktune.models.spec` without torch."""
    if name == "MaskTuningModel":
        from masktune.models.joint import MaskTuningModel

        return MaskTuningModel
    raise AttributeError(f"module 'masktune.models' has no attribute {name!r}")
