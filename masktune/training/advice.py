"""What the trainer tells its user: at a start what it minimises, and, a fifth on, if the classifier will hardly learn.

The rule comes from stored runs, whose logs hold the norms of both gradients. The ratio is that of the weighted gradient
of L_MLM to that of L_FT, mean over the first fifth of training; steps are those that are planned. In the studies
`embedded`, `methods`, `ablations` and `convergence` each row (a method, model and task) that has fewer than
STEPS_FOR_RATIO steps for each unit of the ratio was less accurate in distribution than plain fine-tuning, by 1 to 59
points. All that did not train by the gates of their study are among these: they had at most 113 steps. Those with more,
136 or more, trained, as did, on real text, the paper's reading in the study `collapse` in trainings of more than 2,000
steps.
`tests/training/test_advice.py` computes this again from what is committed.
"""

import logging
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.utils.data import DataLoader
from transformers import Trainer

from masktune.losses import gradient_norm
from masktune.methods import MaskTuning, Method
from masktune.training.gradients import TermGradient, sum_by_name
from masktune.training.stock.user_loss import UserLoss

# Planned steps for each unit of the ratio of gradients, below which the classifier hardly learns.
STEPS_FOR_RATIO = 128
# The norms are read at the end of each 25th of training, as the studies log them, and judged after the fifth.
INTERVALS, READINGS = 25, 5
TERMS = ("mlm", "classification")

logger = logging.getLogger("masktune")


def say(message: str, level: int = logging.INFO) -> None:
    """Log a line that a user sees by default: where nobody has set up logging, on the standard error."""
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        logger.addHandler(logging.StreamHandler())
    logger.log(level, message)


def opening(method: Method, loss: str | None) -> str:
    """One line: what training minimises, and what `eval_loss` is. `loss` is the user's, None for cross-entropy."""
    own = "" if loss is None else f", where the classifier's loss is {loss}"
    measured = "cross-entropy" if loss is None else loss
    return (
        f"MaskTuningTrainer minimises {method.objective}{own}; eval_loss is the classifier's {measured} alone, on "
        "texts as they are"
    )


def hardly_learns(steps: int, ratio: float) -> bool:
    """Whether a classifier will hardly learn, in so many steps, next to a gradient so many times its own."""
    return steps < STEPS_FOR_RATIO * ratio


@dataclass
class Ratio:
    """The weighted gradient of L_MLM over that of L_FT, read in the first fifth of a training of `steps` steps."""

    method: Method
    steps: int
    norms: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)
    told: bool = False

    @property
    def interval(self) -> int:
        """Steps from one reading to the next."""
        return max(1, self.steps // INTERVALS)

    def wants(self, step: int) -> bool:
        """Whether the gradients of the step of that number, from 1, are to be read."""
        joint = self.method.encoder == "shared" and self.method.learns_language and self.method.classifies
        return joint and not self.method.equalises and step % self.interval == 0 and step <= self.last

    @property
    def last(self) -> int:
        """The step of the last reading."""
        return min(READINGS * self.interval, self.steps)

    def read(self, terms: list[TermGradient]) -> None:
        """Keep the norms of the two gradients of a micro-batch; a method without the two terms has none to keep."""
        gradients = {name: gradient for name, (_, gradient) in sum_by_name(terms).items()}
        if all(name in gradients for name in TERMS):
            mlm, classification = (gradient_norm(gradients[name]) for name in TERMS)
            self.norms.append((mlm, classification))

    def warning(self, step: int) -> str | None:
        """The line to tell after this step, once; None where there is nothing to tell."""
        if self.told or step < self.last or not self.norms:
            return None
        self.told = True
        mlm, classification = (torch.stack(side).mean().item() for side in zip(*self.norms, strict=True))
        ratio = mlm / classification if classification else float("inf")
        if not hardly_learns(self.steps, ratio):
            return None
        return (
            f"the classifier will hardly learn: in the first fifth of training the weighted gradient of the masked-LM "
            f"loss was {ratio:.1f} times the classifier's, and {self.steps} steps are planned, fewer than "
            f"{STEPS_FOR_RATIO} for each unit of that ratio (masktune.training.advice says where this comes from); "
            f"{self._way_on}"
        )

    @property
    def _way_on(self) -> str:
        """What helps; the recommended reading is no advice to those who use it."""
        if self.method.settings().get("reduction") == MaskTuning.recommended().reduction:
            return "train longer, or lower alpha"
        return "train longer, lower alpha, or use MaskTuning.recommended()"


class Advised(Trainer):
    """A Trainer with a method that advises its user, unless `advice` is off."""

    method: Method
    user_loss: UserLoss
    advice: bool = True
    _ratio: Ratio | None = None  # of the gradients of a training that is advised

    def _prepare_for_training(
        self, max_steps: int, train_dataloader: DataLoader, resume_from_checkpoint: str | None
    ) -> tuple[nn.Module, DataLoader]:
        """Trainer's own; says what is minimised, once a training, and begins to watch how the gradients compare."""
        prepared = super()._prepare_for_training(max_steps, train_dataloader, resume_from_checkpoint)
        if self.advice:
            if self._ratio is None and self.is_world_process_zero():
                say(opening(self.method, self.user_loss.name()))
            self._ratio = Ratio(self.method, max_steps)
        return prepared

    @property
    def _reads_ratio(self) -> bool:
        """Whether the gradients of this step are read for advice."""
        return self._ratio is not None and self._ratio.wants(self.state.global_step + 1)

    def _warn(self, terms: list[TermGradient]) -> None:
        """Read how the gradients of a micro-batch compare, and say so if the classifier will hardly learn."""
        assert self._ratio is not None  # it asked for this
        self._ratio.read(terms)
        warning = self._ratio.warning(self.state.global_step + 1) if self.accelerator.sync_gradients else None
        if warning is not None and self.is_world_process_zero():
            say(warning, logging.WARNING)
