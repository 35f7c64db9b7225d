"""Plain fine-tuning: cross-entropy on the examples as they are (Devlin et al. 2019, section 3.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masktune.methods.base import Batch, Method, Term, split
from masktune.objective import classification_loss
from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models import MaskTuningModel


@dataclass(frozen=True)
class FineTuning(Method):
    """L = CE(x, y): one forward and one backward pass."""

    name = "fine_tuning"
    label = "fine-tuning"
    reference = "Devlin et al. 2019"

    def terms(self, model: "MaskTuningModel", batch: Batch, streams: Streams) -> Iterator[Term]:
        input_ids, labels, inputs = split(batch)
        logits = model(input_ids=input_ids, **inputs).logits
        yield Term("classification", 1.0, classification_loss(logits, labels))
