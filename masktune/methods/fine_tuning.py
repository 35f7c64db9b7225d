"""Plain fine-tuning: cross-entropy on the examples as they are (Devlin et al. 2019, section 3.2).

Usage:

    from masktune import MaskTuningTrainer, methods

    method = methods.build("fine_tuning")
    trainer = MaskTuningTrainer(model, args, method=method, train_dataset=train, processing_class=tokenizer)
    trainer.train()
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masktune.methods.base import PLAIN, Batch, Classification, Examples, Method, Term
from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models.joint import MaskTuningModel


@dataclass(frozen=True)
class FineTuning(Method):
    """L = CE(x, y): one forward and one backward pass.

    >>> FineTuning().passes()
    (1, 1)
    """

    name = "fine_tuning"
    label = "fine-tuning"
    reference = "Devlin et al. 2019"
    formula = "CE(x, y)"

    def terms(
        self, model: "MaskTuningModel", batch: Batch, streams: Streams, classification: Classification = PLAIN
    ) -> Iterator[Term]:
        return classification.terms(model, Examples.of(batch), 1.0, streams)

    def passes(self, classifier: int = 1) -> tuple[int, int]:
        return classifier, classifier
