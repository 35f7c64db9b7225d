"""FreeLB (Zhu et al. 2020, ICLR, algorithm 1).

The word embeddings of each example are moved by `delta`, which climbs the loss in K steps; every step's loss also
trains the model, so that the climb is free. With delta_1 random in a ball and the projection onto ||delta|| <= radius,

    L = 1/K * sum over t of CE(x + delta_t, y),    delta_{t+1} = projection(delta_t + step * g_t / ||g_t||)

where g_t is the gradient of the loss with respect to delta_t and norms are those of a whole example [L, H]. It is the
mean over the K steps: with radius 0 it is fine-tuning, at K times the cost. The gradient comes with the trainer's own
backward pass of step t, so step t + 1 can only be asked for after it.

Paper and code agree on one dropout mask for all steps of a batch, and so does this. In the released code the first
delta is not projected and a radius of 0 means no bound; here every delta is within the radius. Defaults are those of
the released script for MNLI (2 steps of 0.1, radius 0.3); that for SST-2 has a first norm of 1 and radius 0.6. Padding
is not moved, special tokens are. BART's decoder reads the same text, one place later, and is moved alike.

Usage:

    from masktune import MaskTuningTrainer, methods

    method = methods.build("mask_tuning+free_lb", alpha=0.3, ascent_steps=2)
    trainer = MaskTuningTrainer(model, args, method=method, train_dataset=train, processing_class=tokenizer)
    trainer.train()
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from masktune import parts
from masktune.errors import MaskTuneError
from masktune.methods.base import Examples, ForwardPass, LossFunction
from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models.joint import MaskTuningModel


@dataclass(frozen=True)
class FreeLB(ForwardPass):
    """1/K * sum over t of CE(x + delta_t, y): K forward and K backward passes, for K = `ascent_steps`."""

    ascent_steps: int = 2
    step_size: float = 0.1
    first_norm: float = 0.1
    radius: float = 0.3

    name = "free_lb"
    label = "FreeLB"
    reference = "Zhu et al. 2020"
    formula = "1/K * sum over t of CE(x + delta_t, y), delta climbing the loss within a radius"
    edits_modules = True

    def __post_init__(self) -> None:
        if not (isinstance(self.ascent_steps, int) and self.ascent_steps >= 1):
            raise MaskTuneError(f"ascent_steps {self.ascent_steps!r}; expected a whole number of at least 1")
        for name in ("step_size", "first_norm", "radius"):
            if not getattr(self, name) >= 0:
                raise MaskTuneError(f"{name} {getattr(self, name)!r} is below 0; FreeLB for MNLI uses 0.1 to 0.3")

    @property
    def passes(self) -> int:
        return self.ascent_steps

    def losses(
        self, model: "MaskTuningModel", examples: Examples, loss: LossFunction, streams: Streams
    ) -> Iterator[tuple[float, Tensor]]:
        size = model.classifier.get_input_embeddings().get_parameter("weight").shape[1]
        delta = self._first(examples.inputs["attention_mask"], size, streams["adversary"])
        for left in reversed(range(self.ascent_steps)):
            delta.requires_grad_()
            moved = model.edit("words", _in_every_place(delta), torch.add)
            with self._same_dropout(model.device, again=left > 0), moved:
                logits = model(**examples.inputs).logits
            yield 1 / self.ascent_steps, loss(logits, examples)
            if left:
                delta = self._climb(delta)

    def _first(self, attention_mask: Tensor, size: int, generator: Generator) -> Tensor:
        """Uniform in each number, so that the norm of an example is about `first_norm`. [B, L] -> [B, L, H]."""
        draws = parts.uniform((*attention_mask.shape, size), generator).to(attention_mask.device) * 2 - 1
        dimensions = attention_mask.sum(1) * size
        return self._project(draws * attention_mask[..., None] * self.first_norm / dimensions[:, None, None].sqrt())

    def _climb(self, delta: Tensor) -> Tensor:
        if delta.grad is None:
            raise MaskTuneError(
                "FreeLB climbs by the gradient of the last step; call backward on each term before asking for the next"
            )
        norms = delta.grad.flatten(1).norm(dim=1).clamp(min=1e-8)
        return self._project(delta.detach() + self.step_size * delta.grad / norms[:, None, None])

    def _project(self, delta: Tensor) -> Tensor:
        norms = delta.flatten(1).norm(dim=1).clamp(min=1e-8)
        return delta * (self.radius / norms).clamp(max=1)[:, None, None]

    @staticmethod
    def _same_dropout(device: torch.device, again: bool) -> AbstractContextManager:
        """Restore the random state after the block if the next step is to draw the same dropout mask `again`."""
        if not again:
            return nullcontext()
        return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])


def _in_every_place(delta: Tensor) -> Callable[[int], Tensor]:
    """The same in every place where the model embeds the text."""
    return lambda number: delta
