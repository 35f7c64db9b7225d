"""Tokenised examples to a padded batch: what `transformers.DataCollatorWithPadding` returns, in less time.

Transformers asks the tokenizer, which walks through every token id in Python: a good part of a small model's step on a
CPU.
"""

from collections.abc import Callable, Iterator
from typing import Any

import datasets
import pyarrow
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset
from transformers import DataCollatorWithPadding, PreTrainedTokenizerBase, default_data_collator
from transformers.trainer_utils import RemoveColumnsCollator

from masktune.errors import MaskTuneError
from masktune.features import PREFIX, Feature

LABELS = ("label", "label_ids")


class InMemory(Dataset):
    """The rows of a tokenised `datasets.Dataset`, its lists as tensors.

    Reading a row from Arrow at each step, and making tensors of it, would take a good part of a small model's step.
    """

    def __init__(self, rows: datasets.Dataset):
        table = rows.with_format("arrow")[:]
        self.columns = {name: _values(table[name].combine_chunks()) for name in rows.column_names}
        self.column_names = rows.column_names

    def __len__(self) -> int:
        return len(self.columns[self.column_names[0]])

    def __getitem__(self, key: int | str) -> Any:
        """The row of that number, or the column of that name."""
        if isinstance(key, str):
            return self.columns[key]
        return {name: values[key] for name, values in self.columns.items()}


def _values(column: pyarrow.Array) -> list[Any]:
    """The values of a column; a list of numbers as the tensor that torch makes of it."""
    if not (pyarrow.types.is_list(column.type) or pyarrow.types.is_large_list(column.type)):
        return column.to_pylist()
    numbers = torch.tensor(column.flatten().to_numpy(zero_copy_only=False))
    kind = torch.float32 if numbers.is_floating_point() else torch.bool if numbers.dtype == torch.bool else torch.int64
    return list(numbers.to(kind).split(column.value_lengths().to_pylist()))


class Padding:
    """Pads the token columns of a batch to its longest example [B, L] and stacks all other columns [B, ...]."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        self.values = {
            "input_ids": tokenizer.pad_token_id,
            "token_type_ids": tokenizer.pad_token_type_id,
            "attention_mask": 0,
        }
        self.side = tokenizer.padding_side

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Examples with the same columns -> a batch; the column `label` or `label_ids` is called `labels`."""
        columns = {name: [example[name] for example in examples] for name in examples[0]}
        if "attention_mask" not in columns:
            columns["attention_mask"] = [[1] * len(token_ids) for token_ids in columns["input_ids"]]
        return {"labels" if name in LABELS else name: self._column(name, rows) for name, rows in columns.items()}

    def _column(self, name: str, rows: list[Any]) -> Tensor:
        if name not in self.values:
            return torch.stack(rows) if isinstance(rows[0], Tensor) else torch.tensor(rows)
        tensors = [torch.as_tensor(row) for row in rows]
        padded = pad_sequence(tensors, batch_first=True, padding_value=self.values[name], padding_side=self.side)
        return padded.long()  # of int8 and bool, as some formats have them; itself where it is int64


class PreparedColumns:
    """A collator that also stacks the columns of a method's features: [B], [B, C], or per token [B, L]."""

    def __init__(self, collate: Callable[[list[dict[str, Any]]], dict[str, Any]], method_features: dict[str, Feature]):
        self.collate = collate
        self.per_token = {PREFIX + name: feature.per_token for name, feature in method_features.items()}

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """Examples with the same columns -> a batch. A value for a token stands where the token is, 0 elsewhere.

        Raises MaskTuneError where the collator has made other texts of the examples.
        """
        plain = [{name: value for name, value in row.items() if name not in self.per_token} for row in examples]
        batch = self.collate(plain)
        where = None
        for name, per_token in self.per_token.items():
            if name in examples[0]:
                rows = [torch.as_tensor(row[name]) for row in examples]
                if not per_token:
                    batch[name] = torch.stack(rows)
                    continue
                where = _tokens_in(batch, examples, name) if where is None else where
                batch[name] = torch.zeros(where.shape, dtype=rows[0].dtype).masked_scatter(where, torch.cat(rows))
        return batch


def _tokens_in(batch: dict[str, Any], examples: list[dict[str, Any]], column: str) -> Tensor:
    """Where the tokens of the examples are in the batch, bool [B, L]: padding that they came with is some of them."""
    rows = [torch.as_tensor(row["input_ids"]) for row in examples]
    input_ids, tokens = batch["input_ids"], torch.cat(rows).to(batch["input_ids"])
    for where in _candidates(batch, rows):
        if where.shape == input_ids.shape and torch.equal(input_ids[where], tokens):
            return where
    raise MaskTuneError(
        f"the data_collator gives other tokens than the examples have, and the column {column!r} has a value for each "
        "of these; cut and mask texts before masktune.prepare, and let the collator only pad"
    )


def _candidates(batch: dict[str, Any], rows: list[Tensor]) -> Iterator[Tensor]:
    """Where the collator may have put rows of tokens: what is attended to, the left or the right of the batch."""
    if "attention_mask" in batch:
        yield batch["attention_mask"].bool()
    width = batch["input_ids"].shape[1]
    lengths = torch.tensor([len(row) for row in rows])[:, None]
    places = torch.arange(width)
    if int(lengths.max()) <= width:
        yield places < lengths
        yield places >= width - lengths


def replace_padding(collator: Any) -> Any:
    """`Padding` in place of a DataCollatorWithPadding that does no more than that; any other collator as it is."""
    if type(collator) is not DataCollatorWithPadding:
        return collator
    plain = collator.padding is True and collator.pad_to_multiple_of is None and collator.return_tensors == "pt"
    return Padding(collator.tokenizer) if plain else collator


def pads_only(collator: Any) -> bool:
    """Whether a collator is one of transformers' or ours, which pads whatever comes together, and not a user's."""
    inner = inner_collator(collator)
    return type(inner) in (Padding, DataCollatorWithPadding) or inner is default_data_collator


def inner_collator(collator: Any) -> Any:
    """The collator that makes the batch, without what transformers and we put around it."""
    inner = collator.data_collator if isinstance(collator, RemoveColumnsCollator) else collator
    return inner.collate if isinstance(inner, PreparedColumns) else inner
