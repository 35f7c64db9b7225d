"""Which classifiers are taken: those of transformers, as they are or in the wrapper of PEFT.

PEFT: a classifier whose adapters are trained, and not its own weights (package peft, which need not be installed).

The adapters sit inside the classifier's encoder, so the masked language model reads through them too: its loss trains
them as the classifier's does, and the head's own parameters besides. What is saved is the adapter, as peft saves it,
and the head next to it.
"""

import sys
from pathlib import Path
from typing import Any

from torch import nn
from transformers import PreTrainedModel
from transformers.models.auto import modeling_auto

from masktune.errors import MaskTuneError


def is_adapted(classifier: Any) -> bool:
    """Whether peft has wrapped it."""
    peft = sys.modules.get("peft")
    return peft is not None and isinstance(classifier, peft.PeftModel)


# What transformers knows a model without a head by, or with another head than one for whole texts.
OTHER_TASKS = (
    modeling_auto.MODEL_MAPPING_NAMES,
    modeling_auto.MODEL_FOR_PRETRAINING_MAPPING_NAMES,
    modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    modeling_auto.MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES,
    modeling_auto.MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES,
    modeling_auto.MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES,
    modeling_auto.MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING_NAMES,
)
PASS = "pass an AutoModelForSequenceClassification"


def check_classifier(model: Any) -> None:
    """Raise MaskTuneError, with what to pass instead, for what no masked-LM head can be attached to.

    That can be a model of transformers that classifies texts, in peft's wrapper or not.
    """
    if isinstance(model, type):
        raise MaskTuneError(f"model = {model.__name__}, a class; {PASS}.from_pretrained(...)")
    if not isinstance(model, nn.Module):
        given = repr(model) if isinstance(model, str) else f"a {type(model).__name__}"
        raise MaskTuneError(f"model = {given}, which is no torch module; {PASS}.from_pretrained(...)")
    if isinstance(getattr(model, "_orig_mod", None), nn.Module) or model._compiled_call_impl is not None:
        raise MaskTuneError(
            "the model is compiled, and what Mask-tuning puts into it would not be; pass it as it was before, and "
            "torch_compile=True in TrainingArguments, which compiles it for training"
        )
    kind = type(model).__name__
    if isinstance(getattr(model, "module", None), nn.Module):
        raise MaskTuneError(
            f"the model is in the wrapper {kind}; pass the model inside, model.module, and start the script with "
            "torchrun to train on several devices"
        )
    if not isinstance(model, PreTrainedModel) and not is_adapted(model):
        raise MaskTuneError(f"model = a {kind}, an nn.Module and no classifier of transformers; {PASS}, or a subclass")
    _check_task(model)


def _check_task(model: Any) -> None:
    """Raise MaskTuneError for a model of transformers that has no head for whole texts."""
    kind = type(model.get_base_model() if is_adapted(model) else model).__name__
    if kind not in _classes(modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES) and any(
        kind in _classes(names) for names in OTHER_TASKS
    ):
        raise MaskTuneError(
            f"model = a {kind}, which does not classify texts; {PASS}.from_pretrained(...) of its checkpoint"
        )


def _classes(names: Any) -> set[str]:
    """The classes of one of transformers' tables."""
    return {name for value in names.values() for name in ((value,) if isinstance(value, str) else value)}


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
