"""How BERT, RoBERTa and BART read text: the entry of each in `FAMILIES`.

B is the batch size, L the padded length, H the hidden size.

BART has no masked-LM head of the BERT kind: it was pre-trained to write the original text from a corrupted one (Lewis
et al. 2020). As a masked language model it is therefore read with that denoising loss, restricted to single-token
masks: the encoder reads the masked text, the decoder is teacher-forced with the original text shifted right, and of its
outputs only those at the masked positions are asked for. The decoder is causal, so the token to be predicted is never
among what it sees.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import ModelOutput
from transformers.models.bart.modeling_bart import shift_tokens_right


def _encoder_hidden(base: PreTrainedModel, masked_ids: Tensor, input_ids: Tensor, **inputs: Tensor) -> Tensor:
    """BERT and RoBERTa: the encoder reads the masked text. -> [B, L, H]."""
    return base(input_ids=masked_ids, **inputs).last_hidden_state


def _decoder_hidden(base: PreTrainedModel, masked_ids: Tensor, input_ids: Tensor, **inputs: Tensor) -> Tensor:
    """BART: the decoder, teacher-forced with the original text, reads the encoder's view of the masked text."""
    shifted = shift_tokens_right(input_ids, base.config.pad_token_id, base.config.decoder_start_token_id)
    return base(input_ids=masked_ids, decoder_input_ids=shifted, use_cache=False, **inputs).last_hidden_state


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
    """How one type of checkpoint reads text.

    The name of its MLM head, the way to the hidden states of masked text, the stacks that its classifier reads
    through, and what the token attends to at which it classifies.
    """

    head: str
    hidden: Callable[..., Tensor]
    stacks: Callable[[PreTrainedModel], list[Stack]]
    attention: Callable[[ModelOutput, Tensor], Tensor]


FAMILIES = {
    "bert": Family("cls", _encoder_hidden, _encoder_stacks, _first_attention),
    "roberta": Family("lm_head", _encoder_hidden, _encoder_stacks, _first_attention),
    "bart": Family("lm_head", _decoder_hidden, _decoder_stacks, _last_attention),
}


def base_of(model: PreTrainedModel) -> PreTrainedModel:
    """The model without its head."""
    base = model.base_model
    assert isinstance(base, PreTrainedModel)  # transformers declares any module
    return base


def shift_right(values: Tensor) -> Tensor:
    """Values of tokens [B, L, ...] one place later, with zeros at the first, where BART's decoder reads its start."""
    return torch.cat([torch.zeros_like(values[:, :1]), values[:, :-1]], dim=1)
