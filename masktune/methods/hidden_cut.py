"""HiddenCut (Chen et al. 2021, ACL).

In a second forward pass each example misses, in every layer, a span of 10 % of its hidden states, so that the layer
above cannot guess them from their neighbours as it can after dropout. The loss is in masktune.methods.cutting.

The paper cuts "after the feed-forward network". In the released code that is the output of the feed-forward block
before the residual connection, which still carries the token; so here. Each layer draws a span of its own of at least
one token. The paper lets a span begin at one of the tokens that get most attention; fused attention does not give its
weights away, so it begins anywhere here, the random variant of the paper's ablation. In BART encoder and decoder layers
are cut, the decoder one place later.

Usage:

    from masktune import MaskTuningTrainer, methods

    method = methods.build("mask_tuning+hidden_cut", alpha=0.3, cut_rate=0.1)
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
class HiddenCut(Cut):
    """In each layer a span of the feed-forward output is zero in the second pass; none where `cut_rate` is 0."""

    name = "hidden_cut"
    label = "HiddenCut"
    reference = "Chen et al. 2021"

    @contextmanager
    def cutting(self, model: "MaskTuningModel", inputs: Batch, whole: int, streams: Streams) -> Iterator[Batch]:
        attention_mask, generator = inputs["attention_mask"], streams["cut"]
        sizes = (attention_mask.sum(1) * self.cut_rate).floor().clamp(min=float(self.cut_rate > 0))
        with model.edit("feed_forward", lambda number: draw_spans(attention_mask, sizes, whole, generator), zero_out):
            yield inputs
