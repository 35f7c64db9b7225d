"""R-Drop (Liang et al. 2021, NeurIPS).

Each example is read twice with dropout on, so by two sub-networks, which should agree. With predictions p and q,

    L = CE(p, y) + CE(q, y) + weight / 2 * (KL(p || q) + KL(q || p))

Here the sum is divided by 2. Next to other terms, and in gradient clipping, it then counts as much as the loss of
fine-tuning does; AdamW alone does not depend on the scale.

The released code sums the divergence over the batch where its cross-entropy is a mean (BERT), or sums both (RoBERTa):
as in the paper, and as in the RoBERTa code, both have one reduction here, the mean. The weight is 1 in the RoBERTa
code; the paper tunes it for each task of GLUE.

Usage:

    from masktune import MaskTuningTrainer, methods

    method = methods.build("r_drop", kl_weight=1.0)
    trainer = MaskTuningTrainer(model, args, method=method, train_dataset=train, processing_class=tokenizer)
    trainer.train()
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from masktune.errors import MaskTuneError
from masktune.losses import kl_divergence, weighted_mean
from masktune.methods.base import Examples, ForwardPass, LossFunction
from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models.joint import MaskTuningModel


@dataclass(frozen=True)
class RDrop(ForwardPass):
    """(CE(p, y) + CE(q, y)) / 2 + kl_weight / 4 * (KL(p || q) + KL(q || p)) of two passes with dropout."""

    kl_weight: float = 1.0

    name = "r_drop"
    label = "R-Drop"
    reference = "Liang et al. 2021"
    formula = "(CE(p, y) + CE(q, y)) / 2 + kl_weight / 4 * (KL(p, q) + KL(q, p)), p and q with different dropout"
    passes = 2
    needs_classes = True  # whose probabilities are compared

    def __post_init__(self) -> None:
        if self.kl_weight < 0:
            raise MaskTuneError(f"kl_weight {self.kl_weight!r} is below 0; R-Drop for RoBERTa uses 1.0")

    def losses(
        self, model: "MaskTuningModel", examples: Examples, loss: LossFunction, streams: Streams
    ) -> Iterator[tuple[float, Tensor]]:
        # One pass over 2B rows: each row has dropout of its own.
        first, second = model(**examples.followed_by(examples).inputs).logits.chunk(2)
        divergences = kl_divergence(first, second) + kl_divergence(second, first)
        divergence = weighted_mean(divergences, examples.example_weights(first))
        yield 1.0, (loss(first, examples) + loss(second, examples)) / 2 + self.kl_weight / 4 * divergence
