"""Checkpoints of each family that load like the real ones, in milliseconds: random weights and whole words."""

import re
from collections.abc import Callable
from pathlib import Path

import safetensors.torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
)

FAMILIES = ("bert", "roberta", "bart")  # that studies train; every other type is in tests/encoders.py
WORDS = [f"word{number}" for number in range(40)]
# Random weights large enough to say something.
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "initializer_range": 0.2,
}


def word_tokenizer(family: str) -> PreTrainedTokenizerFast:
    """A tokenizer of whole words with the special tokens and the layout of the family."""
    bert = family == "bert"
    start, end = ("[CLS]", "[SEP]") if bert else ("<s>", "</s>")
    pad, unknown, mask = ("[PAD]", "[UNK]", "[MASK]") if bert else ("<pad>", "<unk>", "<mask>")
    tokens = [start, pad, end, unknown, *WORDS, mask]
    tokenizer = Tokenizer(models.WordLevel({token: index for index, token in enumerate(tokens)}, unk_token=unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        pair=f"{start} $A {end} $B:1 {end}:1" if bert else f"{start} $A {end} {end} $B {end}",
        special_tokens=[(start, 0), (end, 2)],
    )
    names = ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=[*names, "token_type_ids"] if bert else names,
        **{"pad_token": pad, "unk_token": unknown, "mask_token": mask, "cls_token": start, "sep_token": end},
        **({} if bert else {"bos_token": start, "eos_token": end}),
    )


def masked_language_model(family: str, tied: bool = True):
    """A masked language model of the family with random weights and no dropout unless a test asks for it."""
    size = 5 + len(WORDS)
    if family == "bart":
        return BartForConditionalGeneration(
            BartConfig(
                vocab_size=size, d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
                decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=64,
                pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, forced_eos_token_id=2,
                dropout=0.0, init_std=0.2, tie_word_embeddings=tied,
            )
        )  # fmt: skip
    dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config, model = {"bert": (BertConfig, BertForMaskedLM), "roberta": (RobertaConfig, RobertaForMaskedLM)}[family]
    ids = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    positions = 66 if family == "roberta" else 64  # RoBERTa's start after the padding id
    sizes = {"vocab_size": size, "max_position_embeddings": positions, **SIZES}
    return model(config(**sizes, **dropout, **ids, tie_word_embeddings=tied))


def with_old_names(weights: dict) -> dict:
    """Weights as the first BERT checkpoints name them."""
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    pattern = r"LayerNorm\.(weight|bias)$"
    return {re.sub(pattern, lambda found: old[found[0]], name): value for name, value in weights.items()}


def rewrite(folder: Path, change: Callable[[dict], dict], file: str = "model.safetensors") -> None:
    """Store in the folder what `change` makes of the weights that it holds."""
    weights = change(safetensors.torch.load_file(folder / file))
    safetensors.torch.save_file(weights, folder / file, metadata={"format": "pt"})
