"""What Span Cutoff and HiddenCut share: a second forward pass in which a span is missing, and a loss that ties the two.

With p the prediction for the whole example and q the one without the span (Shen et al. 2020, Chen et al. 2021; both
released codes weigh all three alike),

    L = CE(p, y) + CE(q, y) + weight * JS(p, q)

Here the sum is divided by 2. Next to other terms, and in gradient clipping, it then counts as much as the loss of
fine-tuning does; AdamW alone does not depend on the scale. JS is the Jensen-Shannon divergence of two distributions,
mean over the examples.
"""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from masktune import parts
from masktune.errors import MaskTuneError
from masktune.losses import js_divergence, weighted_mean
from masktune.methods.base import Batch, Examples, ForwardPass, LossFunction
from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models.joint import MaskTuningModel


@dataclass(frozen=True)
class Cut(ForwardPass):
    """(CE(p, y) + CE(q, y) + divergence_weight * JS(p, q)) / 2 with and without a span of `cut_rate` of the tokens."""

    cut_rate: float = 0.1
    divergence_weight: float = 1.0

    formula = "(CE(p, y) + CE(q, y) + divergence_weight * JS(p, q)) / 2, q without a span of the example"
    passes = 2
    needs_classes = True  # whose probabilities are compared
    edits_modules = True

    def __post_init__(self) -> None:
        if not 0 <= self.cut_rate < 1:
            raise MaskTuneError(f"cut_rate {self.cut_rate!r} is outside [0, 1); the published code cuts 0.1")
        if self.divergence_weight < 0:
            raise MaskTuneError(f"divergence_weight {self.divergence_weight!r} is below 0; the published code has 1.0")

    @abstractmethod
    def cutting(
        self, model: "MaskTuningModel", inputs: Batch, whole: int, streams: Streams
    ) -> AbstractContextManager[Batch]:
        """Within the block the rows of the inputs [2B, L] from `whole` on are read with a cut. Yields the inputs."""

    def losses(
        self, model: "MaskTuningModel", examples: Examples, loss: LossFunction, streams: Streams
    ) -> Iterator[tuple[float, Tensor]]:
        twice = examples.followed_by(examples).inputs
        with self.cutting(model, twice, len(examples.labels), streams) as inputs:
            whole, cut = model(**inputs).logits.chunk(2)
        divergence = weighted_mean(js_divergence(whole, cut), examples.example_weights(whole))
        yield 1.0, (loss(whole, examples) + loss(cut, examples) + self.divergence_weight * divergence) / 2


def draw_spans(attention_mask: Tensor, sizes: Tensor, whole: int, generator: Generator) -> Tensor:
    """A span of `sizes` [2B] tokens in each row but the first `whole`. [2B, L] -> bool [2B, L].

    Where a span begins is uniform, and it never reaches the last token: the released codes round the draw down. The
    first token, and the end of a first text, can be cut as any other.
    """
    lengths = attention_mask.sum(1)
    draws = parts.uniform((len(lengths) - whole,), generator).to(attention_mask.device)
    starts = (draws * (lengths - sizes)[whole:]).floor()
    places = attention_mask[whole:].cumsum(1) - 1  # of tokens, wherever the padding is
    inside = (places >= starts[:, None]) & (places < (starts + sizes[whole:])[:, None])
    return torch.cat(
        [torch.zeros_like(attention_mask[:whole], dtype=torch.bool), inside & attention_mask[whole:].bool()]
    )


def zero_out(hidden: Tensor, cut: Tensor) -> Tensor:
    """Hidden states [2B, L, H] with zeros where they are cut, bool [2B, L]."""
    return hidden.masked_fill(cut[..., None], 0)
