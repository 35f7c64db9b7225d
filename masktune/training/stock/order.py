"""Which examples make a step of training, and in which order: from the seed alone, with a second stage of some."""

import copy
from typing import Any

import datasets
import torch
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from torch.utils.data import Sampler
from transformers import Trainer

from masktune.errors import MaskTuneError
from masktune.methods import Method
from masktune.training.sampling import SeededSampler, StagePlan, lengths_of


class SeededOrder(Trainer):
    """A Trainer with a method, whose batches come from the seed, and whose second stage follows its epochs."""

    method: Method
    second_stage: StagePlan | None = None

    def _second_stage(self) -> StagePlan | None:
        """Where the second stage of the method begins and ends; sets the number of steps for both."""
        stage = self.method.second_stage
        if stage is None or self.train_dataset is None:
            return None
        epochs = self.args.num_train_epochs
        if self.args.max_steps > 0 or epochs != int(epochs):
            raise MaskTuneError(
                f"max_steps = {self.args.max_steps}, num_train_epochs = {epochs}: the second stage of "
                f"{self.method.name!r} follows whole epochs; give num_train_epochs as a whole number, and no max_steps"
            )
        plan = StagePlan.of(stage, self.train_dataset, int(epochs), self._examples_of_step)
        self.args = copy.copy(self.args)
        self.args.max_steps = plan.steps
        return plan

    @property
    def _examples_of_step(self) -> int:
        processes = 1 if self.accelerator.split_batches else self.args.world_size
        return self.args.train_batch_size * self.args.gradient_accumulation_steps * processes

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> LRScheduler:
        """Trainer's own; a second stage has a linear decay of its own after it."""
        if self.second_stage is None:
            return super().create_scheduler(num_training_steps, optimizer)
        scheduler = super().create_scheduler(self.second_stage.first_steps, optimizer)
        if not isinstance(scheduler, LambdaLR):
            raise MaskTuneError(
                f"lr_scheduler_type = {str(self.args.lr_scheduler_type)!r}: the second stage of {self.method.name!r} "
                "follows a schedule that is known beforehand; choose 'linear' or 'cosine'"
            )
        scheduler.lr_lambdas = [self.second_stage.extend(factor) for factor in scheduler.lr_lambdas]
        return scheduler

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler | None:
        dataset: Any = self.train_dataset if train_dataset is None else train_dataset
        strategy = self.args.train_sampling_strategy
        if strategy not in ("random", "group_by_length") or not hasattr(dataset, "__len__"):
            return super()._get_train_sampler(train_dataset)
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        grouped = strategy == "group_by_length"
        lengths = self._lengths(dataset) if grouped else [0] * len(dataset)
        return SeededSampler(lengths, self._examples_of_step, seed, grouped, self.second_stage)

    def _lengths(self, dataset: Any) -> list[int]:
        """As a stock Trainer has them: of the column `length_column_name` where there is one."""
        column = self.args.length_column_name
        if isinstance(dataset, datasets.Dataset) and column in dataset.column_names:
            return list(dataset[column])
        return lengths_of(dataset)
