"""The three small models of the embedded world: real tokenizers and real transformers classes, about a million parameters.

Tokenizers are trained on the world's unlabelled text: lower-cased WordPiece for BERT, byte-level BPE for RoBERTa and
BART, with the special tokens, post-processing and class that the published tokenizers have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from tokenizers import AddedToken, ByteLevelBPETokenizer, Tokenizer, models, normalizers, pre_tokenizers, trainers
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

from masktune.streams import derive

VOCABULARY_SIZE = {"bert": 800, "roberta": 1000, "bart": 1000}
LONGEST = 128  # tokens a model can read


@dataclass(frozen=True)
class SmallModel:
    """An untrained model with its tokenizer."""

    tokenizer: PreTrainedTokenizerBase
    model: PreTrainedModel


def wordpiece(texts: Iterable[str]) -> BertTokenizer:
    """BERT's tokenizer, uncased, trained on `texts`."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY_SIZE["bert"], special_tokens=specials, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return BertTokenizer(vocab=tokenizer.get_vocab(), do_lower_case=True, model_max_length=LONGEST)


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
    return tokenizer_class(vocab=model["vocab"], merges=merges, mask_token=mask, model_max_length=LONGEST)


def bert(texts: Iterable[str], seed: int) -> SmallModel:
    """A BERT of 3 layers of 160."""
    tokenizer = wordpiece(texts)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=160,
        num_hidden_layers=3,
        num_attention_heads=5,
        intermediate_size=640,
        max_position_embeddings=LONGEST,
        pad_token_id=tokenizer.pad_token_id,
    )
    return _small_model(tokenizer, config, seed)


def roberta(texts: Iterable[str], seed: int) -> SmallModel:
    """A RoBERTa of 3 layers of 160."""
    tokenizer = byte_level_bpe(texts)
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=160,
        num_hidden_layers=3,
        num_attention_heads=5,
        intermediate_size=640,
        max_position_embeddings=LONGEST + 2,  # positions start after the padding id, as published
        type_vocab_size=1,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return _small_model(tokenizer, config, seed)


def bart(texts: Iterable[str], seed: int) -> SmallModel:
    """A BART of 2 encoder and 2 decoder layers of 128."""
    tokenizer = byte_level_bpe(texts, BartTokenizer)
    config = BartConfig(
        vocab_size=len(tokenizer),
        d_model=128,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=512,
        decoder_ffn_dim=512,
        max_position_embeddings=LONGEST,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
        forced_eos_token_id=tokenizer.eos_token_id,
    )
    return _small_model(tokenizer, config, seed)


SMALL_MODELS: dict[str, Callable[[Iterable[str], int], SmallModel]] = {"bert": bert, "roberta": roberta, "bart": bart}


def _small_model(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, seed: int) -> SmallModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "initial weights"))
        return SmallModel(tokenizer, AutoModelForMaskedLM.from_config(config))
