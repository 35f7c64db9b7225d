"""Texts to token ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from masktune.errors import MaskTuneError

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedTokenizerBase

ROWS_AT_A_TIME = 1_000


def encode(
    dataset: datasets.Dataset, tokenizer: PreTrainedTokenizerBase, max_length: int, keep: Iterable[str] = ()
) -> datasets.Dataset:
    """The token ids of a data set, unpadded: `masktune.training.collate.Padding` pads each batch.

    `dataset` has the columns `text`, `label` and, for two texts, `text_pair` (see `masktune.data.tasks`). The result
    has `input_ids`, `attention_mask` and `labels`, and `token_type_ids` where the tokenizer makes them, in the same
    order. Too long a text is cut at the end; of two texts the longer one is cut, token by token, until both fit. The
    columns named in `keep`, as far as there are any, stay: what features read (`masktune.features.Feature.reads`).

    Raises MaskTuneError for a missing column, a text that is not text, a tokenizer without mask token or words and a
    `max_length` that the tokenizer's model cannot take or that leaves no room for text.
    """
    import datasets
    import pyarrow as pa

    paired = "text_pair" in dataset.column_names
    _check(dataset, tokenizer, max_length, paired)
    tables = []
    for start in range(0, max(len(dataset), 1), ROWS_AT_A_TIME):
        batch = dataset[start : start + ROWS_AT_A_TIME]
        texts = [list(batch["text"])] + ([list(batch["text_pair"])] if paired else [])
        encoded = _tokens(tokenizer, texts, max_length) if texts[0] else {}
        columns = {name: pa.array(encoded.get(name, []), pa.list_(pa.int32())) for name in _columns(tokenizer)}
        kept = {name: pa.array(list(batch[name])) for name in keep if name in dataset.column_names}
        tables.append(pa.table({**columns, "labels": pa.array(list(batch["label"]), pa.int64()), **kept}))
    return datasets.Dataset(pa.concat_tables(tables).combine_chunks())


def _tokens(tokenizer: PreTrainedTokenizerBase, texts: list[list[str]], max_length: int) -> dict[str, list[list[int]]]:
    return tokenizer(*texts, truncation="longest_first", max_length=max_length, padding=False)


def _columns(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    known = ("input_ids", "token_type_ids", "attention_mask")
    return [name for name in known if name in tokenizer.model_input_names]


def _check(dataset: datasets.Dataset, tokenizer: PreTrainedTokenizerBase, max_length: int, paired: bool) -> None:
    from masktune.perturb import Vocabulary

    for column in ("text", "label"):
        if column not in dataset.column_names:
            raise MaskTuneError(f"no column {column!r} to encode; found {', '.join(dataset.column_names) or 'none'}")
    for column in ("text", "text_pair") if paired else ("text",):
        kind = getattr(dataset.features[column], "dtype", "a list")
        if kind not in ("string", "large_string"):
            raise MaskTuneError(f"column {column!r} holds {kind}, expected text; convert it to strings")
    Vocabulary.of(tokenizer)
    special = tokenizer.num_special_tokens_to_add(pair=paired)
    longest = tokenizer.model_max_length
    if not special < max_length <= longest:
        raise MaskTuneError(
            f"max_length is {max_length!r}, but {tokenizer.name_or_path!r} adds {special} special tokens and takes at "
            f"most {longest} tokens; give a number from {special + 1} to {longest}"
        )
