"""Span Cutoff (Shen et al. 2020, "A simple but tough-to-beat data augmentation approach").

In a second forward pass each example misses one span of 10 % of its tokens: their input embeddings are zero. The loss
is in masktune.methods.cutting.

The paper zeroes the embeddings; the released code also takes the span out of the attention mask, and so do we, because
a zero vector that is attended to is not nothing. As in the code, what is zeroed is the sum of word, position and
segment embeddings after normalisation, and the size of the span is rounded down: at 10 % an example of fewer than ten
tokens, special tokens included, is not cut. BART reads an example twice: the span is missing in its encoder and, one
place later, in its decoder.

Usage:

    from masktune import MaskTuningTrainer, methods

    method = methods.build("span_cutoff", cut_rate=0.1)
    trainer = MaskTuningTrainer(model, args, method=method, train_dataset=train, processing_class=tokenizer)
    trainer.train()
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masktune.methods.base import Batch
from masktune.methods.cutting import Cut, draw_spans, zero_out
from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models.joint import MaskTuningModel


@dataclass(frozen=True)
class SpanCutoff(Cut):
    """A span of the input embeddings is zero in the second pass, and nothing attends to it."""

    name = "span_cutoff"
    label = "Span Cutoff"
    reference = "Shen et al. 2020"

    @contextmanager
    def cutting(self, model: "MaskTuningModel", inputs: Batch, whole: int, streams: Streams) -> Iterator[Batch]:
        attention_mask = inputs["attention_mask"]
        sizes = (attention_mask.sum(1) * self.cut_rate).floor()
        cut = draw_spans(attention_mask, sizes, whole, streams["cut"])
        with model.edit("embeddings", lambda number: cut, zero_out):
            yield model.hide_from_attention(inputs, cut)
