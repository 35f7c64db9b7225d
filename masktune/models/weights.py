"""Weights go where they belong, all of them and no others.

transformers loads what has a place and reports the rest, and torch's `strict=False` does not even report. Here a tensor
that is missing, that has no place, or that has another shape is refused by its name.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.utils import logging

from masktune.errors import MaskTuneError
from masktune.models.origin import Origin

# The LayerNorms of BERT's first years. transformers renames them as it loads, and writes the old names as it saves.
OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}


def read_checkpoint(folder: Path, model: PreTrainedModel) -> dict[str, Tensor]:
    """The tensors of a checkpoint of `model` that `save_pretrained` wrote, in one file or in shards.

    transformers writes those of some types under the names that their authors gave them; it then reads them again.
    Raises MaskTuneError as `read_weights` does, and as `check_loaded` for what is not the model's.
    """
    index = folder / "model.safetensors.index.json"
    files = ["model.safetensors"]
    if index.is_file():
        files = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    weights = {name: value for file in files for name, value in read_weights(folder / file).items()}
    if weights.keys() <= model.state_dict().keys():
        return weights
    with loading(folder), torch.random.fork_rng(devices=[]):
        loaded: Any = type(model).from_pretrained(folder, ignore_mismatched_sizes=True, output_loading_info=True)
    again, info = loaded
    check_loaded(again, info, Origin(str(folder / "model.safetensors")), whole=True)
    return again.state_dict()


def read_weights(file: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by the names that modules have today.

    Raises MaskTuneError for a file that is not there or cannot be read, and for a tensor under its old and new name.
    """
    try:
        weights = safetensors.torch.load_file(file)
    except (OSError, safetensors.SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise MaskTuneError(f"cannot read the weights {str(file)!r}: {reason}; name a folder with them") from error
    named: dict[str, Tensor] = {}
    for name, value in weights.items():
        for old, new in OLD_NAMES.items():
            name = name.replace(old, new)
        if name in named:
            raise _refusal(file, name, "is there twice, under its old name and its new")
        named[name] = value
    return named


def copy_weights(places: dict[str, Tensor], weights: dict[str, Tensor], file: Path) -> None:
    """Copy each of the weights, that were read from `file`, into the place of its name; every place must be filled.

    Tied places are one tensor with several names, any of which will do. Raises MaskTuneError, before anything is
    changed, for a tensor that is missing, has no place or another shape, or differs from one that it is tied to.
    """
    given: dict[int, Tensor] = {}
    for name, value in weights.items():
        if name not in places:
            raise _refusal(file, name, "is not one of the model's")
        if places[name].shape != value.shape:
            raise _refusal(file, name, _shapes(value.shape, places[name].shape))
        twin = given.setdefault(places[name].data_ptr(), value)
        if twin is not value and not torch.equal(twin, value):
            raise _refusal(file, name, "differs from one that it is tied to in the model")
    for name, place in places.items():
        if place.data_ptr() not in given:
            raise _refusal(file, name, "is missing")
    with torch.no_grad():
        for place in places.values():
            place.copy_(given[place.data_ptr()])


def check_loaded(model: PreTrainedModel, info: dict[str, Any], origin: Origin, whole: bool) -> None:
    """Raise MaskTuneError for what `from_pretrained(..., output_loading_info=True)` left out that it should not have.

    `whole`: the checkpoint is of the class of `model` and has every tensor. Else it is of another class, with other
    heads, and has the encoder.
    """
    for name, given, expected in sorted(info["mismatched_keys"]):
        raise _refusal(origin.name, name, _shapes(given, expected))
    encoder = f"{model.base_model_prefix}."
    for name in sorted(info["missing_keys"]):
        if whole or (name.startswith(encoder) and not _of_pooler(name)):
            raise _refusal(origin.name, name, "is missing")
    for name in sorted(info["unexpected_keys"]):
        if (whole or _of_a_part(name, encoder, model)) and not _of_pooler(name):
            raise _refusal(origin.name, name, "is not one of the model's")


def _of_a_part(name: str, encoder: str, model: PreTrainedModel) -> bool:
    """Whether a tensor is of a part that the encoder of `model` has. Funnel's classifier, say, has no decoder."""
    part = name.removeprefix(encoder).partition(".")[0]
    return name.startswith(encoder) and hasattr(model.base_model, part)


def _of_pooler(name: str) -> bool:
    """Some classes of a family have a pooler that others leave out."""
    return ".pooler." in name


def _shapes(given: Any, expected: Any) -> str:
    return f"has the shape {list(given)} where the model has {list(expected)}"


def _refusal(place: str | Path, name: str, fault: str) -> MaskTuneError:
    return MaskTuneError(
        f"cannot load {str(place)!r}: the tensor {name!r} {fault}; name what save_pretrained of such a model, with as "
        "many labels, wrote in full"
    )


@contextlib.contextmanager
def loading(checkpoint: str | Path, revision: str | None = None) -> Iterator[None]:
    """Load quietly, and turn what the hub or the file system says into one line.

    Quietly, because transformers reports each head that a checkpoint lacks, which is here the normal case and is
    checked by `check_loaded` and by `masktune.models.masked_lm.load_masked_lm`.
    """
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    except MaskTuneError:
        raise
    except (OSError, ValueError, KeyError) as error:
        at = f" at revision {revision}" if revision else ""
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise MaskTuneError(
            f"cannot load the checkpoint {str(checkpoint)!r}{at}: {reason} Name a folder, a model of the mirror "
            "(MASKTUNE_MIRROR) or a hub id, and check the network"
        ) from error
    finally:
        logging.set_verbosity(verbosity)
