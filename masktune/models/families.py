"""The layers of a classifier, for the methods that reach into them: an entry for each type of model in `FAMILIES`.

B is the batch size, L the padded length, H the hidden size.

Most methods need no entry: they read a classifier as a whole, and its masked language model as `masked_lm` does, of
any type. FreeLB and a soft fill change word embeddings, which every encoder looks up in one module; Span Cutoff,
HiddenCut and MASKER's keywords need what is here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ModelOutput

from masktune.errors import MaskTuneError


@dataclass(frozen=True)
class Stack:
    """A stack of layers that reads the text of a classifier, its modules by what they do and not by their names.

    words         look up the word embeddings, [B, L] -> [B, L, H]
    embeddings    give what the first layer reads: with positions, normalised
    feed_forward  give the output of the feed-forward block of each layer, before what entered the block is added
    shifted       whether place i + 1 reads token i, as BART's decoder does
    """

    words: Sequence[nn.Module]
    embeddings: Sequence[nn.Module]
    feed_forward: Sequence[nn.Module]
    shifted: bool = False


def _encoder_stacks(base: PreTrainedModel) -> list[Stack]:
    words, embeddings = base.get_submodule("embeddings.word_embeddings"), base.get_submodule("embeddings")
    layers = base.get_submodule("encoder.layer").children()
    return [Stack([words], [embeddings], [layer.get_submodule("output.dense") for layer in layers])]


def _decoder_stacks(base: PreTrainedModel) -> list[Stack]:
    return [
        Stack(
            words=[stack.get_submodule("embed_tokens")],
            embeddings=[stack.get_submodule("layernorm_embedding")],
            feed_forward=[layer.get_submodule("fc2") for layer in stack.get_submodule("layers").children()],
            shifted=shifted,
        )
        for stack, shifted in ((base.get_submodule("encoder"), False), (base.get_submodule("decoder"), True))
    ]


def _first_attention(output: ModelOutput, attention_mask: Tensor) -> Tensor:
    """BERT and RoBERTa classify at the first token: what it attends to in the last layer. -> [B, heads, L]."""
    return output["attentions"][-1][:, :, 0]


def _last_attention(output: ModelOutput, attention_mask: Tensor) -> Tensor:
    """BART classifies at the last token of its decoder: what that attends to in the encoder. -> [B, heads, L]."""
    last = attention_mask.sum(1) - 1
    return output["cross_attentions"][-1][torch.arange(len(last), device=last.device), :, last]


@dataclass(frozen=True)
class Family:
    """The stacks that a type's classifier reads through, and what the token attends to at which it classifies."""

    stacks: Callable[[PreTrainedModel], list[Stack]]
    attention: Callable[[ModelOutput, Tensor], Tensor]


_LIKE_BERT = Family(_encoder_stacks, _first_attention)
FAMILIES = {
    "bert": _LIKE_BERT,
    "roberta": _LIKE_BERT,
    "xlm-roberta": _LIKE_BERT,
    "camembert": _LIKE_BERT,
    "electra": _LIKE_BERT,
    "bart": Family(_decoder_stacks, _last_attention),
}

# What methods change inside a classifier, as an error names it.
CHANGES = {
    "words": "word embeddings (FreeLB, a soft fill)",
    "embeddings": "embedded texts (Span Cutoff)",
    "feed_forward": "outputs of layers (HiddenCut)",
    "attention": "attention (Span Cutoff, MASKER's keywords)",
}


def family_of(config: PreTrainedConfig, change: str) -> Family:
    """The entry of a type of model. Raises MaskTuneError, naming the `change` of CHANGES, where there is none."""
    if config.model_type not in FAMILIES:
        raise MaskTuneError(
            f"the method reaches for the {CHANGES[change]} of a classifier, and its layers are known for the types "
            f"{', '.join(FAMILIES)}, not for {config.model_type!r}: choose a model of these types, or another method"
        )
    return FAMILIES[config.model_type]


def stacks_of(base: PreTrainedModel, change: str) -> list[Stack]:
    """The stacks of a model without its head. Of an encoder of any type the word embeddings are known, and only those.

    Raises MaskTuneError, naming the `change` of CHANGES, for a type of which more must be known.
    """
    config = base.config
    if change == "words" and config.model_type not in FAMILIES and not config.is_encoder_decoder:
        return [Stack([base.get_input_embeddings()], [], [])]
    return family_of(config, change).stacks(base)


def shift_right(values: Tensor) -> Tensor:
    """Values of tokens [B, L, ...] one place later, with zeros at the first, where BART's decoder reads its start."""
    return torch.cat([torch.zeros_like(values[:, :1]), values[:, :-1]], dim=1)
