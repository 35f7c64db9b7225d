"""PEFT: a classifier whose adapters are trained, and not its own weights (package peft, which need not be installed).

The adapters sit inside the classifier's encoder, so the masked language model reads through them too: its loss trains
them as the classifier's does, and the head's own parameters besides. What is saved is the adapter, as peft saves it,
and the head next to it.
"""

import sys
from pathlib import Path
from typing import Any, TypeGuard

from transformers import PreTrainedModel

from masktune.errors import MaskTuneError


def is_adapted(classifier: Any) -> bool:
    """Whether peft has wrapped it."""
    peft = sys.modules.get("peft")
    return peft is not None and isinstance(classifier, peft.PeftModel)


def is_classifier(model: Any) -> TypeGuard[PreTrainedModel]:
    """Whether a masked-LM head can be attached to it: a model of transformers, in peft's wrapper or not."""
    return isinstance(model, PreTrainedModel) or is_adapted(model)


def unwrapped(classifier: Any) -> PreTrainedModel:
    """The model of transformers inside peft's wrapper, or the classifier itself.

    Raises MaskTuneError for adapters that the encoder alone does not pass through: prompts, several at once, and those
    that transformers itself added.
    """
    if getattr(classifier, "_hf_peft_config_loaded", False) and not is_adapted(classifier):
        raise MaskTuneError(
            "the classifier has adapters of model.add_adapter(...), which MaskTuningModel cannot save; wrap it with "
            "peft.get_peft_model(classifier, config) instead"
        )
    if not is_adapted(classifier):
        return classifier
    config = classifier.peft_config[classifier.active_adapter]
    if config.is_prompt_learning:
        raise MaskTuneError(
            f"the adapter {config.peft_type.value} puts a prompt before the text, which the language model does not "
            "read; choose one inside the layers, such as LoRA"
        )
    return classifier.get_base_model()


def load_adapter(classifier: Any, folder: str | Path) -> None:
    """Load in place what peft saved of the adapter that is being trained."""
    try:
        classifier.load_adapter(str(folder), classifier.active_adapter, is_trainable=True)
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise MaskTuneError(f"cannot load the adapter {str(folder)!r}: {reason}") from error
