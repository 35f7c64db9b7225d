"""A MaskTuningModel in a folder: a plain classification checkpoint, and next to it the language model's own weights.

`AutoModelForSequenceClassification` and `pipeline("text-classification")` load the folder and see nothing of the
language model.
"""

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from torch import Tensor, nn

from masktune.models.masked_lm import HEAD_FILE
from masktune.models.weights import copy_weights, read_weights

OWN = "mlm_"  # how the names of the language model's parts begin


def save_language_model(model: nn.Module, folder: Path, state: Mapping[str, Tensor] | None = None) -> None:
    """Write what the language model has of its own; `state` are all tensors of the model, if they are at hand."""
    weights: dict[int, tuple[str, Tensor]] = {}
    for name, value in own_tensors(model).items():
        value = value if state is None else state[name]
        weights.setdefault(value.data_ptr(), (name, value.contiguous()))  # safetensors stores no tensor twice
    safetensors.torch.save_file(dict(weights.values()), folder / HEAD_FILE)


def own_tensors(model: nn.Module) -> dict[str, Tensor]:
    """The tensors that the classifier does not hold already; those that are tied, by each of their names."""
    held = {value.data_ptr() for value in model.get_submodule("classifier").state_dict().values()}
    own = {name: value for name, value in model.state_dict().items() if name.startswith(OWN)}
    return {name: value for name, value in own.items() if value.data_ptr() not in held}


def load_language_model(model: nn.Module, folder: Path, or_else: nn.Module | None = None) -> None:
    """Load the language model from the folder; `or_else` is its encoder where the folder holds none."""
    file = folder / HEAD_FILE
    weights = read_weights(file)
    if or_else is not None and not any(name.startswith("mlm_encoder.") for name in weights):
        weights |= or_else.state_dict(prefix="mlm_encoder.")
    copy_weights(own_tensors(model), weights, file)
