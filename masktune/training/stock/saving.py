"""What is stored, and loaded again: a classifier as a stock Trainer stores it, with the language model beside it."""

import os
import shutil
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import Trainer
from transformers.trainer import TRAINING_ARGS_NAME
from transformers.trainer_utils import HubStrategy

from masktune.methods import Method
from masktune.models.joint import MaskTuningModel
from masktune.models.masked_lm import HEAD_FILE
from masktune.training.stock import card


class Saving(Trainer):
    """A Trainer of a MaskTuningModel, whose folders hold what a stock Trainer's hold."""

    model: MaskTuningModel
    method: Method

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Trainer's own; where a user asks for it, with a model card, unless the folder has a README.md."""
        super().save_model(output_dir, _internal_call)
        place = Path(str(output_dir or self.args.output_dir)) / card.NAME
        if not _internal_call and self.args.should_save and not place.exists():
            place.write_text(card.write(self, self.method), encoding="utf-8")

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None) -> None:
        if not self.args.should_save:
            return
        folder = output_dir or self.args.output_dir
        assert folder is not None  # TrainingArguments has a default
        self.model.save_pretrained(folder)
        if self.processing_class is not None:
            self.processing_class.save_pretrained(folder)
        torch.save(self.args, os.path.join(folder, TRAINING_ARGS_NAME))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        self.model.load_weights(resume_from_checkpoint)

    def _load_best_model(self) -> None:
        self.accelerator.wait_for_everyone()  # the first process may still be writing it
        best = self.state.best_model_checkpoint
        assert best is not None  # Trainer asks where there is one
        self.model.load_weights(best)

    def _push_from_checkpoint(self, checkpoint_folder: str) -> None:
        """Trainer's own, which copies the files that it knows; the language model's is one more."""
        head = Path(checkpoint_folder) / HEAD_FILE
        if self.is_world_process_zero() and self.args.hub_strategy != HubStrategy.END and head.is_file():
            shutil.copy(head, Path(str(self.args.output_dir)) / HEAD_FILE)
        super()._push_from_checkpoint(checkpoint_folder)
