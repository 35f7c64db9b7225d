"""The masked language model of a checkpoint: loading it, and its logits at masked positions alone.

B is the batch size, L the padded length, H the hidden size, N the number of masked tokens, V the vocabulary.

Any type works that transformers has an `AutoModelForMaskedLM` of: its own forward pass runs, and between encoder and
head the rows at masked positions are taken out, so that the head, which treats each token alone, computes N rows of
logits instead of B x L.

BART has no masked-LM head of the BERT kind: it was pre-trained to write the original text from a corrupted one (Lewis
et al. 2020). As a masked language model it is therefore read with that denoising loss, restricted to single-token
masks: the encoder reads the masked text, the decoder is teacher-forced with the original text shifted right, as its
type shifts it, and of its outputs only those at the masked positions are asked for. The decoder is causal, so the token
to be predicted is never among what it sees. mBART alike.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    PreTrainedConfig,
    PreTrainedModel,
)

from masktune.errors import MaskTuneError
from masktune.models.origin import Origin
from masktune.models.sharing import base_of
from masktune.models.weights import check_loaded, loading

# What the language model has of its own, in the folder of a saved MaskTuningModel.
HEAD_FILE = "mlm_head.safetensors"

# Why a well-known type may lack a trained head.
DISCRIMINATORS = {
    "electra": "an ELECTRA discriminator has none, its generator has one; ",
    "deberta-v2": "DeBERTa-v3 was pre-trained as a discriminator and has none; ",
}


class MaskedLM(nn.Module):
    """The masked-language-model view of a transformers `AutoModelForMaskedLM`: logits at masked positions only."""

    def __init__(self, model: PreTrainedModel):
        super().__init__()
        self.model = model

    def mlm_logits(self, masked_ids: Tensor, input_ids: Tensor, positions: Tensor, **inputs: Tensor) -> Tensor:
        """Predictions for the masked tokens, see `masked_logits`. -> [N, V]."""
        return masked_logits(self.model, masked_ids, input_ids, positions, **inputs)


def masked_logits(
    model: PreTrainedModel, masked_ids: Tensor, input_ids: Tensor, positions: Tensor, **inputs: Tensor
) -> Tensor:
    """Run the encoder on the rows that hold a mask, the head on the masked positions. -> [N, V], row-major.

    `masked_ids`, `input_ids` (the original text) and `positions` (bool) are [B, L], as are `inputs`: attention_mask
    and, where the type has them, token_type_ids. Rows without a mask add nothing to the loss and are left out.
    """
    rows = positions.any(1)
    given: dict[str, Any] = {name: values[rows] for name, values in inputs.items()}
    if model.config.is_encoder_decoder:
        shift: Any = model.prepare_decoder_input_ids_from_labels
        given["decoder_input_ids"] = shift(input_ids[rows])
        given["use_cache"] = False
    taking = base_of(model).register_forward_hook(_taking_out(positions[rows]))
    try:
        return model(input_ids=masked_ids[rows], **given).logits
    finally:
        taking.remove()


def _taking_out(positions: Tensor) -> Callable[[nn.Module, Any, Any], Any]:
    """A forward hook of an encoder that leaves, of its hidden states [B, L, H], those at positions bool [B, L]."""

    def hook(module: nn.Module, inputs: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (output[0][positions], *output[1:])
        output["last_hidden_state"] = output["last_hidden_state"][positions]
        return output

    return hook


def has_saved_head(origin: Origin) -> bool:
    """Whether `MaskTuningModel.save_pretrained` wrote this folder."""
    return (origin.folder / HEAD_FILE).exists()


def load_masked_lm(
    checkpoint: str | Origin, revision: str | None = None, dtype: torch.dtype | str | None = None
) -> MaskedLM:
    """The masked language model of a checkpoint, with weights of `dtype` (None: as transformers loads them).

    Raises MaskTuneError if its head was never trained, or if its type has none.
    """
    origin = _origin(checkpoint, revision)
    masked_lm, missing = load_masked_lm_and_missing(origin, dtype=dtype)
    if missing and not has_saved_head(origin):
        why = DISCRIMINATORS.get(masked_lm.model.config.model_type, "")
        raise MaskTuneError(
            f"the checkpoint {origin.name!r} has no trained masked-LM head ({missing[0]} is missing); {why}"
            "masktune.adapt(checkpoint, texts, folder) trains one (masktune train: --adapt 600; in a study: an "
            "`adaptation` of the model), or choose another checkpoint"
        )
    return masked_lm


def load_masked_lm_and_missing(
    checkpoint: str | Origin, revision: str | None = None, dtype: torch.dtype | str | None = None
) -> tuple[MaskedLM, list[str]]:
    """The masked language model of a checkpoint, and the names of head weights it lacks (drawn at random instead)."""
    origin = _origin(checkpoint, revision)
    with loading(origin.name, origin.revision):
        config = AutoConfig.from_pretrained(origin.checkpoint, **origin.arguments())
        check_type(config, origin)
        model, info = _load(origin, dtype)
        if info["missing_keys"] and _has_head_of_microsoft(config, origin):
            config.legacy = False
            model, info = _load(origin, dtype, config=config)
    missing = _take_bias(model, info["missing_keys"])
    check_loaded(model, {**info, "missing_keys": missing}, origin, whole=False)
    return MaskedLM(model), sorted(missing)


def _origin(checkpoint: Any, revision: str | None) -> Origin:
    return checkpoint if isinstance(checkpoint, Origin) else Origin(str(checkpoint), revision)


def _load(origin: Origin, dtype: torch.dtype | str | None, **given: Any) -> tuple[PreTrainedModel, dict[str, Any]]:
    if dtype is not None:
        given["dtype"] = dtype
    return AutoModelForMaskedLM.from_pretrained(
        origin.checkpoint, **origin.arguments(), **given, ignore_mismatched_sizes=True, output_loading_info=True
    )


def check_type(config: PreTrainedConfig, origin: Origin) -> None:
    """Raise MaskTuneError for a type of model that has no masked language model, in transformers or its own code."""
    own_code = getattr(config, "auto_map", None) or {}
    if type(config) in MODEL_FOR_MASKED_LM_MAPPING or "AutoModelForMaskedLM" in own_code:
        return
    raise MaskTuneError(
        f"{origin.name!r} is of the type {config.model_type!r}, which has no masked-LM head in transformers, so "
        "nothing can fill its gaps; choose an encoder such as BERT or ModernBERT, or a method without language model "
        "(fine_tuning)"
    )


def _has_head_of_microsoft(config: PreTrainedConfig, origin: Origin) -> bool:
    """Whether a DeBERTa checkpoint holds the head of its authors, which transformers reads with `legacy=False`.

    A checkpoint with the discriminator of DeBERTa-v3 (`mask_predictions`) has that head too, and not trained with it.
    """
    if not getattr(config, "legacy", False):
        return False
    _, info = AutoModel.from_pretrained(origin.checkpoint, **origin.arguments(), output_loading_info=True)
    unused = info["unexpected_keys"]
    has_head, is_discriminator = (
        any(name.startswith(prefix) for name in unused) for prefix in ("lm_predictions.lm_head.", "mask_predictions.")
    )
    return has_head and not is_discriminator


def _take_bias(model: PreTrainedModel, missing: set[str]) -> set[str]:
    """transformers 4 stored one bias of a head with a decoder of its own; here the decoder has it. -> still missing."""
    parameters = dict(model.named_parameters())
    for name in missing:
        bias = name.replace(".decoder.bias", ".bias")
        if bias != name and bias not in missing and bias in parameters:
            parameters[name].data.copy_(parameters[bias])
            return missing - {name}
    return missing
