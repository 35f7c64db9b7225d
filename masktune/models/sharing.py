"""A masked language model that uses the encoder of another model: the modules themselves, not a copy.

transformers' masked language models are an encoder, the "base model", and a head. Here the encoder is exchanged: the
head's own modules stay registered in the masked language model, the encoder belongs to the classifier, whose
parameters, device and mode it has, and is only referred to.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from transformers import PreTrainedModel

from masktune.errors import MaskTuneError
from masktune.streams import derive

# Whose head has a bias [V] beside its projection, which transformers leaves as long as it was.
KEEPS_ITS_BIAS = ("EsmForMaskedLM",)


def base_of(model: PreTrainedModel) -> PreTrainedModel:
    """The model without its head."""
    base = model.base_model
    assert isinstance(base, PreTrainedModel)  # transformers declares any module
    return base


def use_encoder(masked_lm: PreTrainedModel, encoder: PreTrainedModel) -> None:
    """Have the masked language model read with `encoder`, and register its head's modules alone from now on.

    What of the head was tied to its own encoder, as the projection to the vocabulary mostly is, is tied to the same
    parameter of this one; what was trained separately stays what it is. Raises MaskTuneError for an encoder of another
    kind.
    """
    own = base_of(masked_lm)
    if own is not encoder:
        if type(own).__name__ != type(encoder).__name__:
            raise MaskTuneError(
                f"the classifier reads with a {type(encoder).__name__}, the masked language model of its checkpoint "
                f"with a {type(own).__name__}: they cannot share it; choose encoder='separate', or another checkpoint"
            )
        _tie(masked_lm, own, encoder)
    _refer(masked_lm, encoder)


def _refer(masked_lm: PreTrainedModel, encoder: PreTrainedModel) -> None:
    """A plain attribute in the place of the registered module, which `nn.Module` finds first."""
    name = masked_lm.base_model_prefix
    masked_lm._modules.pop(name, None)
    masked_lm.__dict__[name] = encoder


def _tie(masked_lm: PreTrainedModel, own: PreTrainedModel, encoder: PreTrainedModel) -> None:
    words, theirs = (model.get_input_embeddings().get_parameter("weight") for model in (own, encoder))
    if words.shape != theirs.shape:
        raise MaskTuneError(
            f"the classifier has word embeddings of shape {list(theirs.shape)}, the masked language model of its "
            f"checkpoint {list(words.shape)}; load both from one checkpoint"
        )
    places = {id(value): name for name, value in own.named_parameters(remove_duplicate=False)}
    inside = {id(module) for module in own.modules()}
    for module in masked_lm.modules():
        if id(module) in inside:
            continue
        for name, value in list(module._parameters.items()):
            if value is words:  # by what it is: an adapter may have moved it elsewhere in the classifier's encoder
                module._parameters[name] = theirs
            elif value is not None and id(value) in places:
                module._parameters[name] = encoder.get_parameter(places[id(value)])


@contextmanager
def made_whole(masked_lm: PreTrainedModel) -> Iterator[None]:
    """Within the block the encoder that it uses is a registered module of it, as transformers' own functions expect."""
    name = masked_lm.base_model_prefix
    encoder = masked_lm.__dict__.pop(name)
    setattr(masked_lm, name, encoder)
    try:
        yield
    finally:
        _refer(masked_lm, encoder)


def fit_vocabulary(masked_lm: PreTrainedModel, words: nn.Parameter) -> None:
    """Give a masked language model as many tokens as word embeddings `words` [V, H] have, if it has not.

    For tokens that were added to the classifier. Their embeddings are the classifier's; what else the head has of them
    (a bias, a row of a projection of its own) begins as transformers begins it, near the mean of the others, and the
    same each time. Raises MaskTuneError for a head that transformers cannot resize.
    """
    own = masked_lm.get_input_embeddings().get_parameter("weight")
    before, after = len(own), len(words)
    if before == after:
        return
    resize(masked_lm, before, after)
    with torch.no_grad():
        own = masked_lm.get_input_embeddings().get_parameter("weight")
        own[before:] = words[before:].to(own)


def resize(masked_lm: PreTrainedModel, before: int, tokens: int) -> None:
    """transformers' own resizing of a whole masked language model, the same each time.

    Its word embeddings, and with them a tied projection, may have been resized already.
    """
    projection = masked_lm.get_output_embeddings()
    refused = MaskTuneError(
        f"the masked-LM head of {type(masked_lm).__name__} cannot be given {tokens} tokens instead of {before}; use "
        "the tokenizer as it came, or masktune.adapt a checkpoint that was saved with the added tokens"
    )
    if projection is None or len(projection.weight) not in (before, tokens):
        raise refused
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(0, "added tokens"))
        masked_lm.resize_token_embeddings(tokens)
    if type(masked_lm).__name__ in KEEPS_ITS_BIAS:
        raise refused
