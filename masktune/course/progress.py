"""How far a training is: one line below the cell, which goes when the training ends.

Cells of the lessons train several models for a minute or two, and a silent cell looks like one that hangs. The line is
written over itself, so that nothing is left in the notebook, and only where somebody looks on.
"""

from __future__ import annotations

import sys
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from masktune.analysis.plotting.live import has_reader


class Passes(TrainerCallback):
    """Says of the training with a seed which pass over the train set it is in."""

    def __init__(self, seed: int) -> None:
        self.seed, self.width = seed, 0

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **also: Any
    ) -> None:
        """A pass begins."""
        self._write(f"seed {self.seed}: pass {int(state.epoch or 0) + 1} of {args.num_train_epochs:g}")

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **also: Any) -> None:
        """The line goes."""
        self._write("")

    def _write(self, line: str) -> None:
        if has_reader():
            sys.stdout.write("\r" + line.ljust(self.width) + ("" if line else "\r"))
            sys.stdout.flush()
            self.width = len(line)
