"""A tiny masked language model, with random weights, of every type of encoder that is supported."""

from tiny_models import SIZES, WORDS, word_tokenizer
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForMaskedLM, PreTrainedModel, PreTrainedTokenizerFast

SIZE = 5 + len(WORDS)
# The ids of the special tokens in `word_tokenizer`.
IDS = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "cls_token_id": 0, "sep_token_id": 2}
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
LIKE_BERT = {**SIZES, **NO_DROPOUT, "max_position_embeddings": 64}
LIKE_BART = {
    "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "max_position_embeddings": 64,
    "decoder_start_token_id": 2, "forced_eos_token_id": 2, "dropout": 0.0, "init_std": 0.2,
}  # fmt: skip
RELATIVE = {"relative_attention": True, "max_relative_positions": 16, "pos_att_type": ["p2c", "c2p"]}

CONFIGS = {
    "bert": LIKE_BERT,
    "roberta": LIKE_BERT,
    "xlm-roberta": LIKE_BERT,
    "camembert": LIKE_BERT,
    "distilbert": {
        "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "initializer_range": 0.2, "dropout": 0.0,
        "attention_dropout": 0.0, "seq_classif_dropout": 0.0, "max_position_embeddings": 64,
    },
    "albert": {**LIKE_BERT, "embedding_size": 8, "classifier_dropout_prob": 0.0},
    "electra": {**LIKE_BERT, "embedding_size": 8},
    "mpnet": LIKE_BERT,
    "deberta": {**LIKE_BERT, **RELATIVE, "pooler_hidden_size": 16},
    "deberta-v2": {**LIKE_BERT, **RELATIVE, "pooler_hidden_size": 16, "position_buckets": 8},
    "modernbert": {
        **SIZES, "max_position_embeddings": 64, "sparse_prediction": True, "local_attention": 8,
        "initializer_cutoff_factor": 3.0,
    },
    "eurobert": {**SIZES, "max_position_embeddings": 64, "num_key_value_heads": 2, "head_dim": 8},
    "longformer": {**LIKE_BERT, "attention_window": 4},
    "big_bird": {**LIKE_BERT, "attention_type": "block_sparse", "block_size": 4, "num_random_blocks": 1},
    "nomic_bert": {**LIKE_BERT, "head_dim": 8},
    "rembert": {
        **LIKE_BERT, "input_embedding_size": 8, "output_embedding_size": 12, "classifier_dropout_prob": 0.0,
    },
    "esm": {**LIKE_BERT, "mask_token_id": 44, "token_dropout": False, "position_embedding_type": "rotary"},
    "esmc": {**SIZES, "initializer_range": 0.2},
    "bart": LIKE_BART,
    "mbart": LIKE_BART,
}  # fmt: skip
TYPES = tuple(name for name in CONFIGS if name in CONFIG_MAPPING)  # of the transformers that is installed


def masked_language_model(model_type: str, **settings) -> PreTrainedModel:
    """Random weights, large enough to say something; no dropout."""
    config = AutoConfig.for_model(model_type, vocab_size=SIZE, **IDS, **{**CONFIGS[model_type], **settings})
    return AutoModelForMaskedLM.from_config(config)


def tokenizer_of(model_type: str) -> PreTrainedTokenizerFast:
    """With token types for the types that have them."""
    typed = {"bert", "albert", "electra", "deberta", "deberta-v2", "big_bird", "nomic_bert", "rembert"}
    return word_tokenizer("bert" if model_type in typed else "roberta")
