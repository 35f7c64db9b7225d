"""The three small models of the embedded world: real transformers classes, small enough for a CPU.

Tokenizers are made from the world's unlabelled text: lower-cased WordPiece for BERT, byte-level BPE for RoBERTa and
BART, with the special tokens, post-processing and class that the published tokenizers have.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch
from tokenizers import AddedToken, ByteLevelBPETokenizer, normalizers, pre_tokenizers
from torch import nn
from transformers import (
    AutoModelForMaskedLM,
    BartConfig,
    BartTokenizer,
    BertConfig,
    BertTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    RobertaConfig,
    RobertaTokenizer,
)

from masktune.pretraining.mlm import Recipe
from masktune.streams import derive

VOCABULARY_SIZE = {"bert": 800, "roberta": 1000, "bart": 1000}
LONGEST = 128  # tokens a model can read
# Narrow, so that a grid of hundreds of runs fits minutes.
HIDDEN, FEED_FORWARD, HEADS = 64, 256, 4
INITIAL_DEVIATION = HIDDEN**-0.5  # the published 0.02 suits wider layers and learns slowly here
ENCODER = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": HEADS,
    "intermediate_size": FEED_FORWARD,
    "initializer_range": INITIAL_DEVIATION,
    "attention_probs_dropout_prob": 0.0,  # as BART; with it, attention takes the slow path on a CPU
}


@dataclass(frozen=True)
class SmallModel:
    """An untrained model with its tokenizer."""

    tokenizer: PreTrainedTokenizerBase
    model: PreTrainedModel


def wordpiece(texts: Iterable[str], size: int = VOCABULARY_SIZE["bert"], longest: int = LONGEST) -> BertTokenizer:
    """BERT's tokenizer, uncased: the characters of `texts` as pieces, then their most frequent words.

    At most a quarter of the `size` are characters, the most frequent ones. The trainer of the tokenizers library is not
    used: it breaks ties at random, and two runs give two vocabularies.
    """
    normalizer, splitter = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    counts = Counter(word for text in texts for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters: Counter[str] = Counter()
    for word, count in counts.items():
        letters.update({letter: word.count(letter) * count for letter in set(word)})
    characters = sorted(letter for letter, _ in letters.most_common(size // 4))
    pieces = [*specials, *characters, *(f"##{character}" for character in characters)]
    words = sorted((word for word in counts if len(word) > 1), key=lambda word: (-counts[word], word))
    pieces += words[: size - len(pieces)]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    return BertTokenizer(vocab=vocabulary, do_lower_case=True, model_max_length=longest)


def byte_level_bpe(
    texts: Iterable[str], tokenizer_class: type[RobertaTokenizer] = RobertaTokenizer
) -> RobertaTokenizer:
    """RoBERTa's and BART's tokenizer trained on `texts`."""
    tokenizer = ByteLevelBPETokenizer()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(
        texts, vocab_size=VOCABULARY_SIZE["roberta"], special_tokens=specials, show_progress=False
    )
    model = json.loads(tokenizer.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    mask = AddedToken("<mask>", lstrip=True, special=True)  # the mask swallows the blank before it, as published
    return tokenizer_class(
        vocab=model["vocab"],
        merges=merges,  # type: ignore[arg-type]  # transformers takes pairs, as tokenizers gives them
        mask_token=mask,  # type: ignore[arg-type]  # and a token with its settings
        model_max_length=LONGEST,
    )


def bert(texts: Iterable[str], seed: int) -> SmallModel:
    """A BERT of 2 layers of 64."""
    tokenizer = wordpiece(texts)
    config = BertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=LONGEST,
        pad_token_id=tokenizer.pad_token_id,
        **ENCODER,
    )
    return initialised(tokenizer, config, seed)


def roberta(texts: Iterable[str], seed: int) -> SmallModel:
    """A RoBERTa of 2 layers of 64."""
    tokenizer = byte_level_bpe(texts)
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=LONGEST + 2,  # positions start after the padding id, as published
        type_vocab_size=1,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **ENCODER,
    )
    return initialised(tokenizer, config, seed)


def bart(texts: Iterable[str], seed: int) -> SmallModel:
    """A BART of 1 encoder and 1 decoder layer of 64."""
    tokenizer = byte_level_bpe(texts, BartTokenizer)
    config = BartConfig(
        vocab_size=len(tokenizer),
        d_model=HIDDEN,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS,
        encoder_ffn_dim=FEED_FORWARD,
        decoder_ffn_dim=FEED_FORWARD,
        init_std=INITIAL_DEVIATION,
        max_position_embeddings=LONGEST,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
        forced_eos_token_id=tokenizer.eos_token_id,
    )
    return initialised(tokenizer, config, seed)


SMALL_MODELS: dict[str, Callable[[Iterable[str], int], SmallModel]] = {"bert": bert, "roberta": roberta, "bart": bart}

# Every mask is the mask token and there is no dropout: in a minute a small model learns more that way. What a core can
# do in 75 s is not enough for BERT and RoBERTa to level off (pretraining.curve). Tried on held-out text, in the same
# time: matrices at 3e-3 to 1.5e-2, masks of 12 and 30 %, batches of 8 and 64, and AdamW for all do no better.
RECIPE = Recipe(
    steps=4800,
    batch_size=32,
    learning_rate=3e-3,
    matrix_learning_rate=5e-3,
    mask_rate=0.2,
    symbol="mask",
    dropout=False,
)
# BART's decoder predicts masked tokens from the whole sentence before them, and learns that sooner.
RECIPES: dict[str, Recipe] = {**dict.fromkeys(SMALL_MODELS, RECIPE), "bart": replace(RECIPE, steps=3600)}


def initialised(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, seed: int) -> SmallModel:
    """An untrained masked language model of this configuration, its weights drawn from (seed, "initial weights")."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "initial weights"))
        model = AutoModelForMaskedLM.from_config(config)
        if config.model_type != "bart":
            _pass_on(model)
    return SmallModel(tokenizer, model)


@torch.no_grad()
def _pass_on(model: PreTrainedModel) -> None:
    """Mimetic initialisation: attention that is nearly the identity, a head whose transform is the identity.

    In each layer the output projection starts as the transpose of an orthogonal value projection, as trained language
    models have it (Trockman and Kolter 2023, mimetic initialisation), and the transform of the masked-LM head as the
    identity. Without that a first token that nothing pre-trains learns too late to look at the others.
    """
    for layer in model.base_model.get_submodule("encoder.layer").children():
        value = layer.get_parameter("attention.self.value.weight")
        nn.init.orthogonal_(value)
        layer.get_parameter("attention.output.dense.weight").copy_(value.T)
    head = "cls.predictions.transform" if hasattr(model, "cls") else "lm_head"
    nn.init.eye_(model.get_parameter(f"{head}.dense.weight"))
