"""Tokenised examples to a padded batch: what `transformers.DataCollatorWithPadding` returns, in less time.

Transformers asks the tokenizer, which walks through every token id in Python: a good part of a small model's step on a
CPU.
"""

from collections.abc import Callable
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


def _widen(where: Tensor, width: int, side: str) -> Tensor:
    """bool [B, L] with as much padding as makes it [B, width]."""
    more = width - where.shape[1]
    return torch.nn.functional.pad(where, (0, more) if side == "right" else (more, 0)) if more > 0 else where


class PreparedColumns:
    """A collator that also stacks the columns of a method's features: [B], [B, C], or per token [B, L]."""

    def __init__(self, collate: Callable[[list[dict[str, Any]]], dict[str, Any]], method_features: dict[str, Feature]):
        self.collate = collate
        self.per_token = {PREFIX + name: feature.per_token for name, feature in method_features.items()}

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """Examples with the same columns -> a batch."""
        plain = [{name: value for name, value in row.items() if name not in self.per_token} for row in examples]
        batch = self.collate(plain)
        for name, per_token in self.per_token.items():
            if name in examples[0]:
                rows = [torch.as_tensor(row[name]) for row in examples]
                batch[name] = self._place(name, rows, examples, batch["input_ids"]) if per_token else torch.stack(rows)
        return batch

    @staticmethod
    def _place(name: str, rows: list[Tensor], examples: list[dict[str, Any]], input_ids: Tensor) -> Tensor:
        """A value for each token, where the token is in `input_ids` [B, L]; 0 in padding that the collator adds.

        Raises MaskTuneError where the collator has made other texts of the examples.
        """
        tokens = [torch.as_tensor(row["input_ids"]) for row in examples]
        for side in ("right", "left"):
            where = pad_sequence([torch.ones_like(row, dtype=torch.bool) for row in tokens], True, False, side)
            where = _widen(where, input_ids.shape[1], side)
            if where.shape == input_ids.shape and torch.equal(input_ids[where], torch.cat(tokens).to(input_ids)):
                return torch.zeros(input_ids.shape, dtype=rows[0].dtype).masked_scatter(where, torch.cat(rows))
        raise MaskTuneError(
            f"the data_collator gives other tokens than the examples have, and the column {name!r} has a value for "
            "each of these; cut and mask texts before masktune.prepare, and let the collator only pad"
        )


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
