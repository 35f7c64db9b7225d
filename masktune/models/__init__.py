"""One encoder, two heads: the classifier and the masked language model of one checkpoint.

joint      MaskTuningModel, both heads on one encoder; saving and loading it
families   how BERT, RoBERTa and BART read text: one entry each in FAMILIES
masked_lm  the masked language model of a checkpoint, and its logits at masked positions
weights    which tensor goes where; what is missing or left over is refused by name
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
