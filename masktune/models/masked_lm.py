"""The masked language model of a checkpoint: loading it, its logits at masked positions, tying it to a classifier.

B is the batch size, L the padded length, H the hidden size, N the number of masked tokens, V the vocabulary. How a
family of models reads the masked text is in masktune.models.families.
"""

from pathlib import Path

from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForMaskedLM, PreTrainedModel

from masktune.errors import MaskTuneError, one_of
from masktune.models.families import FAMILIES, Family, base_of
from masktune.models.weights import check_loaded, loading

# What the language model has of its own, in the folder of a saved MaskTuningModel.
HEAD_FILE = "mlm_head.safetensors"


class BiasedHead(nn.Module):
    """BART's output layer: the tied projection and the bias that transformers keeps separately, on the model."""

    def __init__(self, projection: nn.Linear, bias: Tensor):
        super().__init__()
        self.projection = projection
        self.register_buffer("bias", bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Logits [..., V] from hidden states [..., H]."""
        return self.projection(hidden) + self.bias


class MaskedLM(nn.Module):
    """The masked-language-model view of a transformers `AutoModelForMaskedLM`: logits at masked positions only."""

    def __init__(self, model: PreTrainedModel):
        super().__init__()
        self.model = model
        self.family = FAMILIES[one_of(model.config.model_type, FAMILIES, "model type")]

    @property
    def head(self) -> nn.Module:
        """The module that maps hidden states [..., H] to logits [..., V]."""
        head = getattr(self.model, self.family.head)
        bias = getattr(self.model, "final_logits_bias", None)
        return head if bias is None else BiasedHead(head, bias)

    def mlm_logits(self, masked_ids: Tensor, input_ids: Tensor, positions: Tensor, **inputs: Tensor) -> Tensor:
        """Predictions for the masked tokens, see `masked_logits`. -> [N, V]."""
        return masked_logits(self.family, base_of(self.model), self.head, masked_ids, input_ids, positions, **inputs)


def masked_logits(
    family: Family,
    base: PreTrainedModel,
    head: nn.Module,
    masked_ids: Tensor,
    input_ids: Tensor,
    positions: Tensor,
    **inputs: Tensor,
) -> Tensor:
    """Run the encoder on the rows that hold a mask, the head on the masked positions. -> [N, V], row-major.

    `masked_ids`, `input_ids` (the original text) and `positions` (bool) are [B, L], as are `inputs`: attention_mask
    and, where the family has them, token_type_ids. Rows without a mask add nothing to the loss and are left out.
    """
    rows = positions.any(1)
    inputs = {name: values[rows] for name, values in inputs.items()}
    hidden = family.hidden(base, masked_ids[rows], input_ids[rows], **inputs)
    return head(hidden[positions[rows]])


def tie(masked_lm: MaskedLM, words: nn.Parameter) -> None:
    """Make the head's projection to the vocabulary the word embeddings `words` [V, H], if it is its own model's.

    A projection that was trained separately from the embeddings (tie_word_embeddings=False) stays what it is. Raises
    MaskTuneError for a vocabulary of another size.
    """
    projection = masked_lm.model.get_output_embeddings()
    if projection.weight.shape != words.shape:
        raise MaskTuneError(
            f"the classifier has word embeddings of shape {list(words.shape)}, the masked-LM head of its checkpoint "
            f"{list(projection.weight.shape)}; resize both, and save them as one checkpoint"
        )
    if projection.weight is masked_lm.model.get_input_embeddings().weight:
        projection.weight = words


def has_saved_head(checkpoint: str | Path) -> bool:
    """Whether `MaskTuningModel.save_pretrained` wrote this folder."""
    return (Path(checkpoint) / HEAD_FILE).exists()


def load_masked_lm(checkpoint: str | Path, revision: str | None = None) -> MaskedLM:
    """The masked language model of a checkpoint. Raises MaskTuneError if its head was never trained."""
    masked_lm, missing = load_masked_lm_and_missing(checkpoint, revision)
    if missing and not has_saved_head(checkpoint):
        raise MaskTuneError(
            f"the checkpoint {str(checkpoint)!r} has no trained masked-LM head ({missing[0]} is missing); adapt it "
            "first with masktune.pretraining.checkpoints.prepare (an `adaptation` of the model), or choose another "
            "checkpoint"
        )
    return masked_lm


def load_masked_lm_and_missing(checkpoint: str | Path, revision: str | None = None) -> tuple[MaskedLM, list[str]]:
    """The masked language model of a checkpoint, and the names of head weights it lacks (drawn at random instead)."""
    with loading(checkpoint, revision):
        config = AutoConfig.from_pretrained(checkpoint, revision=revision or "main")
        one_of(config.model_type, FAMILIES, "model type")
        model, info = AutoModelForMaskedLM.from_pretrained(
            checkpoint, revision=revision or "main", ignore_mismatched_sizes=True, output_loading_info=True
        )
    missing = _take_bias(model, info["missing_keys"])
    check_loaded(model, {**info, "missing_keys": missing}, checkpoint, whole=False)
    return MaskedLM(model), sorted(missing)


def _take_bias(model: PreTrainedModel, missing: set[str]) -> set[str]:
    """transformers 4 stored one bias of a head with a decoder of its own; here the decoder has it. -> still missing."""
    for name in missing:
        bias = name.replace(".decoder.bias", ".bias")
        if bias != name and bias not in missing:
            model.get_parameter(name).data.copy_(model.get_parameter(bias))
            return missing - {name}
    return missing
