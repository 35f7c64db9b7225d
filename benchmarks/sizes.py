"""The models that are measured: published shapes, random weights, and the full vocabulary of BERT's tokenizer."""

from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer, models
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BartForSequenceClassification,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

VOCABULARY = 30_522
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, CLS, SEP = (SPECIAL.index(name) for name in ("[PAD]", "[CLS]", "[SEP]"))
CLASSES = 3
DROPOUT = 0.1  # as in the published configurations, of attention too


@dataclass(frozen=True)
class Size:
    """A shape: layers of the encoder (and of the decoder, BART's), hidden size H, feed-forward size F, heads.

    `steps` are timed in one measurement, of `batch_size` examples each, and measurements are repeated. `single` says
    whether each accelerator is measured alone, too.
    """

    name: str
    family: str
    layers: int
    hidden: int
    heads: int
    steps: int
    repetitions: int = 2
    batch_size: int = 32
    decoder_layers: int = 0
    vocabulary: int = VOCABULARY
    single: bool = False

    @property
    def feed_forward(self) -> int:
        return 4 * self.hidden


# Steps, repetitions and batches such that everything takes 15 minutes on 2 cores; a GPU has time for GPU_SIZE.
SIZES = {
    size.name: size
    for size in (
        Size("MiniLM", "bert", 6, 384, 12, steps=6, repetitions=3, single=True),
        Size("tiny", "bert", 2, 128, 2, steps=12),
        Size("BART, as MiniLM", "bart", 3, 384, 12, steps=4, decoder_layers=3),
        Size("base", "bert", 12, 768, 12, steps=3, batch_size=8),
    )
}
GPU_SIZE = Size("base", "bert", 12, 768, 12, steps=40, repetitions=5)
# What a rehearsal trains: everything is loaded and has run once, and next to no memory is used.
MINIATURE = {
    "bert": Size("miniature", "bert", 1, 8, 2, steps=1, batch_size=2, vocabulary=40, single=True),
    "bart": Size("miniature", "bart", 1, 8, 2, steps=1, batch_size=2, decoder_layers=1, vocabulary=40),
}


def tokenizer(size: Size) -> PreTrainedTokenizerFast:
    """A tokenizer of whole made-up words; it pads, and names the special tokens."""
    words = [*SPECIAL, *(f"word{number}" for number in range(size.vocabulary - len(SPECIAL)))]
    vocabulary = {word: index for index, word in enumerate(words)}
    names = ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]")),
        model_input_names=["input_ids", "token_type_ids", "attention_mask"] if size.family == "bert" else names,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        bos_token="[CLS]",
        eos_token="[SEP]",  # some versions of transformers unset in the model what its tokenizer does not name
        mask_token="[MASK]",
        model_max_length=128,
    )


def classifier(size: Size, seed: int) -> PreTrainedModel:
    """A sequence classifier of that size with random weights."""
    torch.manual_seed(seed)
    kind = {"bert": BertForSequenceClassification, "bart": BartForSequenceClassification}[size.family]
    return kind(_config(size))


def masked_lm(classifier: PreTrainedModel) -> PreTrainedModel:
    """A masked language model on the classifier's own encoder and word embeddings: one network with a second head."""
    kind = {"bert": BertForMaskedLM, "bart": BartForConditionalGeneration}[classifier.config.model_type]
    model = kind(classifier.config)
    setattr(model, model.base_model_prefix, classifier.base_model)
    model.tie_weights()
    return model


def _config(size: Size) -> BertConfig | BartConfig:
    shared: dict[str, Any] = {"pad_token_id": PAD, "bos_token_id": CLS, "eos_token_id": SEP, "num_labels": CLASSES}
    if size.family == "bert":
        return BertConfig(
            vocab_size=size.vocabulary,
            hidden_size=size.hidden,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            intermediate_size=size.feed_forward,
            **shared,
        )
    return BartConfig(
        vocab_size=size.vocabulary,
        d_model=size.hidden,
        encoder_layers=size.layers,
        decoder_layers=size.decoder_layers,
        encoder_attention_heads=size.heads,
        decoder_attention_heads=size.heads,
        encoder_ffn_dim=size.feed_forward,
        decoder_ffn_dim=size.feed_forward,
        dropout=DROPOUT,
        attention_dropout=DROPOUT,
        activation_dropout=DROPOUT,
        max_position_embeddings=128,
        decoder_start_token_id=SEP,
        forced_eos_token_id=SEP,
        **shared,
    )
