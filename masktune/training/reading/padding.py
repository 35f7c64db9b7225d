"""A train set that was padded before it came here: what it is without its padding, and values put around it again.

Padding changes neither what a model reads nor which tokens there are, so what is computed of a train set is computed
without it, and is the same for the padded and for the unpadded one.
"""

from dataclasses import dataclass

import datasets
import numpy
import pyarrow
import pyarrow.compute as pc

TOKEN_COLUMNS = ("input_ids", "token_type_ids", "attention_mask")


@dataclass(frozen=True)
class Padded:
    """Where the padding is among the tokens of all examples in turn: `real` is bool, and False there."""

    real: numpy.ndarray

    def put_around(self, values: numpy.ndarray) -> numpy.ndarray:
        """The values of all tokens in turn, with 0 in the padding."""
        around = numpy.zeros(len(self.real), dtype=values.dtype)
        around[self.real] = values
        return around


def without_padding(rows: datasets.Dataset) -> tuple[datasets.Dataset, Padded | None]:
    """The examples without tokens that nothing attends to, and where these were; as they are (None) without any."""
    if "attention_mask" not in rows.column_names or not len(rows):
        return rows, None
    table = rows.with_format("arrow")[:]
    attended = table["attention_mask"].combine_chunks()
    if not (pyarrow.types.is_list(attended.type) or pyarrow.types.is_large_list(attended.type)):
        return rows, None
    real = pc.list_flatten(attended).cast(pyarrow.int64()).to_numpy(zero_copy_only=False) != 0
    if real.all():
        return rows, None
    ends = numpy.cumsum(pc.list_value_length(attended).to_numpy(zero_copy_only=False), dtype=numpy.int64)
    offsets = numpy.concatenate([[0], numpy.cumsum(real)])[numpy.concatenate([[0], ends])]
    names = [name for name in TOKEN_COLUMNS if name in rows.column_names]
    shorter = {name: _select(table[name].combine_chunks(), real, offsets) for name in names}
    others = rows.remove_columns(names)
    tokens, padded = datasets.Dataset(pyarrow.table(shorter)), Padded(real)
    return datasets.concatenate_datasets([others, tokens], axis=1) if others.column_names else tokens, padded


def _select(column: pyarrow.Array, real: numpy.ndarray, offsets: numpy.ndarray) -> pyarrow.Array:
    """The real tokens of a column of lists, of each example from one offset to the next."""
    tokens = pc.list_flatten(column).filter(pyarrow.array(real))
    return pyarrow.LargeListArray.from_arrays(pyarrow.array(offsets, pyarrow.int64()), tokens)
