"""Mask-tuning (arXiv 2307.10457): the method, a trainer for one's own data, and a reproducible study of it.

`MaskTuningTrainer` is a `transformers.Trainer`; `masktune.losses` and `masktune.perturb` are the method itself.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what editors and type checkers read
    from masktune.errors import MaskTuneError as MaskTuneError
    from masktune.methods import FineTuning as FineTuning
    from masktune.methods import MaskTuning as MaskTuning
    from masktune.models.joint import MaskTuningModel as MaskTuningModel
    from masktune.pretraining.adapt import adapt as adapt
    from masktune.training.features import prepare as prepare
    from masktune.training.trainer import MaskTuningTrainer as MaskTuningTrainer

__version__ = "0.1.0"

# Loaded when asked for: the command line and the planning of a study start without torch and transformers.
_EXPORTS = {
    "MaskTuneError": "masktune.errors",
    "MaskTuningModel": "masktune.models.joint",
    "MaskTuningTrainer": "masktune.training.trainer",
    "MaskTuning": "masktune.methods",
    "FineTuning": "masktune.methods",
    "prepare": "masktune.training.features",
    "adapt": "masktune.pretraining.adapt",
}
__all__ = [*_EXPORTS, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'masktune' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
