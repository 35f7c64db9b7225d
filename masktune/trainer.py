"""MaskTuningTrainer: a `transformers.Trainer` that trains with a method of the registry.

In a script that fine-tunes with transformers, the one line that makes the Trainer changes:

    trainer = MaskTuningTrainer(model=model, args=args, train_dataset=train, processing_class=tokenizer)

and what `trainer.save_model` writes is the classification checkpoint that the script expects.
"""

import copy
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader, Sampler
from transformers import PreTrainedModel, Trainer, TrainingArguments
from transformers.trainer_pt_utils import get_length_grouped_indices
from transformers.trainer_utils import EvalLoopOutput

from masktune.collate import faster
from masktune.errors import MaskTuneError
from masktune.methods import MaskTuning, Method, SecondStage, Term
from masktune.methods.products import PREFIX, Product
from masktune.models import MaskTuningModel
from masktune.objective import Gradient, equalised_scale, gradient_norm, gradient_product
from masktune.perturb import Vocabulary
from masktune.streams import Streams, derive


@dataclass(frozen=True)
class TermGradient:
    """The gradient that one weighted term added, parameter by parameter."""

    name: str
    weight: float
    gradient: Gradient
    equalise: bool


class MaskTuningTrainer(Trainer):
    """Trainer with `method=` (default: Mask-tuning as the paper has it) and otherwise Trainer's own arguments.

    `model` is a plain `AutoModelForSequenceClassification`, to which the masked-LM head of its checkpoint is attached,
    or a `MaskTuningModel`. `processing_class` is its tokenizer, which names the mask token and the special tokens.
    `args.seed` drives every stream (see masktune.streams); `args.data_seed`, where given, the order of the batches.

    With `train_sampling_strategy="group_by_length"` evaluation reads examples sorted by length too, and returns them
    in their own order. With gradient accumulation each micro-batch's terms weigh as many examples as it holds.
    Training logs hold `loss_<term>`, the mean value of each term since the last log, before its weight. With
    `measure_gradients=True` they also hold, of the step they close, `norm_<term>`, the norm of the term's gradient
    before its weight, and `cosine_<term>_<term>` between two of them; the training itself stays the same bit for bit.
    A method that must know more of each example wants its train set from `masktune.prepare`.

    Raises MaskTuneError for a model without masked-LM head, a tokenizer without mask token, more than one process, and
    a train set without the columns that the method needs.
    """

    def __init__(
        self,
        model: PreTrainedModel | MaskTuningModel | None = None,
        args: TrainingArguments | None = None,
        *positional: Any,
        method: Method | None = None,
        measure_gradients: bool = False,
        **named: Any,
    ):
        self.method = method or MaskTuning()
        super().__init__(self._with_language_model(model), args, *positional, **named)
        self._check()
        check_labels(self.train_dataset, self.model.config.num_labels)
        self.data_collator = faster(self.data_collator)
        self._take_prepared_columns()
        self.second_stage = self._second_stage()
        if self.method.encoder is not None:
            self.model.vocabulary = Vocabulary.of(self.processing_class)
        self.streams = Streams(self.args.seed)
        self.measure_gradients = measure_gradients
        self._logged: dict[str, list[Tensor]] = defaultdict(list)
        self._micro_batches = (-1, 0)

    def _with_language_model(self, model: nn.Module | None) -> nn.Module | None:
        if isinstance(model, PreTrainedModel):
            return MaskTuningModel.from_classifier(model, self.method.encoder)
        return model

    def call_model_init(self, trial: Any = None) -> nn.Module:
        """Trainer's own, for `model_init=`, with the language model attached."""
        return self._with_language_model(super().call_model_init(trial))

    def _check(self) -> None:
        if not isinstance(self.model, MaskTuningModel) or self.model.encoder != self.method.encoder:
            found = getattr(self.model, "encoder", type(self.model).__name__)
            raise MaskTuneError(
                f"the method {self.method.name!r} needs a model whose language model is {self.method.encoder!r}, not "
                f"{found!r}; pass an AutoModelForSequenceClassification, or MaskTuningModel.from_pretrained(..., "
                f"encoder={self.method.encoder!r})"
            )
        if self.method.encoder is not None and self.processing_class is None:
            raise MaskTuneError("processing_class=None: pass the tokenizer, which says what the mask token is")
        if self.args.world_size > 1 or self.args.n_gpu > 1:
            raise MaskTuneError(
                f"{max(self.args.world_size, self.args.n_gpu)} devices: one run trains on one; show it one device "
                "(CUDA_VISIBLE_DEVICES=0) and run several seeds or cells side by side instead"
            )

    def _take_prepared_columns(self) -> None:
        """Have the columns that the method needs collated. Raises MaskTuneError for one that is missing."""
        if self.train_dataset is None or not self.method.needs:
            return
        columns = getattr(self.train_dataset, "column_names", None) or ()
        missing = [name for name in self.method.needs if PREFIX + name not in columns]
        if missing:
            raise MaskTuneError(
                f"the method {self.method.name!r} needs the column {PREFIX + missing[0]!r} in the train dataset; "
                "masktune.prepare(method, train_dataset, ...) gives the dataset with it"
            )
        self.data_collator = PreparedColumns(self.data_collator, self.method.needs)

    # ---- the training step

    def training_step(
        self, model: nn.Module, inputs: dict[str, Tensor], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """Forward and backward of one micro-batch, term by term. Returns the weighted loss, a scalar without graph."""
        # Setting the mode walks through all modules, 2 ms of a small model's step; a classifier is loaded in eval mode.
        if not (model.training and self.model.classifier.training):
            model.train()
        inputs = self._prepare_inputs(inputs)
        share = self._share_of_step(inputs, num_items_in_batch)
        total = torch.zeros((), device=self.args.device)
        measured = self._measures_this_step()
        apart = measured or self.method.equalises
        before = self._take_gradients() if apart else []
        parts: list[TermGradient] = []
        for term in self._terms(inputs):
            value = term.loss.detach().float()
            self._logged[f"loss_{term.name}"].append(value)
            total += term.weight * share * value
            self.accelerator.backward(term.weight * share * term.loss)
            if apart:
                parts.append(TermGradient(term.name, term.weight, self._take_gradients(), term.equalise))
        if measured:
            self._log_gradients(parts, share)
        if apart:
            self._put_gradients(before, parts)
        return total

    def _terms(self, inputs: dict[str, Tensor]) -> Iterator[Term]:
        """The method's terms, each computed under autocast when it is asked for."""
        terms = self.method.terms(self.model, inputs, self.streams.at(self._next_micro_batch()))
        while True:
            with self.accelerator.autocast():
                term = next(terms, None)
            if term is None:
                return
            yield term

    def _next_micro_batch(self) -> int:
        """The number of this micro-batch since the start of training, known from the step alone: it resumes."""
        step, seen = self._micro_batches
        seen = seen + 1 if step == self.state.global_step else 0
        self._micro_batches = (self.state.global_step, seen)
        return self.state.global_step * self.args.gradient_accumulation_steps + seen

    def _share_of_step(self, inputs: dict[str, Tensor], num_items_in_batch: Tensor | int | None) -> Tensor | float:
        """The part of the optimizer step's examples that this micro-batch holds."""
        if num_items_in_batch is None:
            return 1 / self.current_gradient_accumulation_steps
        return len(inputs["labels"]) / num_items_in_batch

    def _take_gradients(self) -> list[Tensor | None]:
        gradients = [parameter.grad for parameter in self.model.parameters()]
        self.model.zero_grad(set_to_none=True)
        return gradients

    def _put_gradients(self, before: list[Tensor | None], parts: list[TermGradient]) -> None:
        """Add up what was there and the gradients of the terms, in the order in which backward would have added them.

        A term to be equalised is rescaled so that its norm before the weights is that of the other terms together.
        """
        sides = zip(before, *equalised(parts), strict=True)
        for parameter, gradients in zip(self.model.parameters(), sides, strict=True):
            parameter.grad = added(gradients)

    def _measures_this_step(self) -> bool:
        """Whether the gradients of this micro-batch's terms are measured: in the steps whose end is logged."""
        return self.measure_gradients and (self.state.global_step + 1) % self.state.logging_steps == 0

    def _log_gradients(self, parts: list[TermGradient], share: Tensor | float) -> None:
        """The norm of each term's gradient before its weight, and the cosine between each two of them."""
        norms = {}
        gradients = by_term(parts)
        for name, (weight, gradient) in gradients.items():
            norms[name] = gradient_norm(gradient)
            self._logged[f"norm_{name}"].append(norms[name] / (weight * share))
        for one, other in itertools.combinations(gradients, 2):
            product = gradient_product(gradients[one][1], gradients[other][1])
            self._logged[f"cosine_{one}_{other}"].append(product / (norms[one] * norms[other]))

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Trainer's log, with the mean of what each loss term was since the last one."""
        if "loss" in logs:
            logs = {**logs, **{name: torch.stack(values).mean().item() for name, values in self._logged.items()}}
            self._logged.clear()
        super().log(logs, start_time)

    def prediction_step(
        self, model: nn.Module, inputs: dict[str, Tensor], *arguments: Any, **named: Any
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Trainer's own; what only training knows of an example is no input of the model."""
        inputs = {name: values for name, values in inputs.items() if not name.startswith(PREFIX)}
        return super().prediction_step(model, inputs, *arguments, **named)

    # ---- the order of examples

    def _second_stage(self) -> "StagePlan | None":
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
        return self.args.train_batch_size * self.args.gradient_accumulation_steps

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> LRScheduler:
        """Trainer's own; a second stage has a linear decay of its own after it."""
        if self.second_stage is None:
            return super().create_scheduler(num_training_steps, optimizer)
        scheduler = super().create_scheduler(self.second_stage.first_steps, optimizer)
        scheduler.lr_lambdas = [self.second_stage.extended(factor) for factor in scheduler.lr_lambdas]
        return scheduler

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler | None:
        dataset = self.train_dataset if train_dataset is None else train_dataset
        strategy = self.args.train_sampling_strategy
        if strategy not in ("random", "group_by_length") or not hasattr(dataset, "__len__"):
            return super()._get_train_sampler(train_dataset)
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        grouped = strategy == "group_by_length"
        lengths = lengths_of(dataset) if grouped else [0] * len(dataset)
        return SeededSampler(lengths, self._examples_of_step, seed, grouped, self.second_stage)

    def _get_eval_sampler(self, eval_dataset: Any) -> Sampler | None:
        if self.args.train_sampling_strategy != "group_by_length" or not hasattr(eval_dataset, "__len__"):
            return super()._get_eval_sampler(eval_dataset)
        return LongestFirst(lengths_of(eval_dataset))

    def evaluation_loop(self, dataloader: DataLoader, *arguments: Any, **named: Any) -> EvalLoopOutput:
        """Trainer's loop; what was read longest first comes back in the order of the dataset."""
        output = super().evaluation_loop(dataloader, *arguments, **named)
        sampler = getattr(getattr(dataloader, "batch_sampler", None), "sampler", None)
        if not isinstance(sampler, LongestFirst):
            return output
        back = numpy.argsort(list(sampler))
        return output._replace(
            predictions=None if output.predictions is None else output.predictions[back],
            label_ids=None if output.label_ids is None else output.label_ids[back],
        )

    # ---- what is stored

    def _set_signature_columns_if_needed(self) -> None:
        """Keep the columns that the classifier reads; MaskTuningModel.forward passes all of them on."""
        wrapped, self.model = self.model, self.model.classifier
        super()._set_signature_columns_if_needed()
        self.model = wrapped
        prepared = [PREFIX + name for name in self.method.needs]
        self._signature_columns += [name for name in prepared if name not in self._signature_columns]

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None) -> None:
        folder = output_dir or self.args.output_dir
        self.model.save_pretrained(folder)
        if self.processing_class is not None:
            self.processing_class.save_pretrained(folder)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        self.model.load_weights(resume_from_checkpoint)

    def _load_best_model(self) -> None:
        self.model.load_weights(self.state.best_model_checkpoint)


def by_term(parts: list[TermGradient]) -> dict[str, tuple[float, Gradient]]:
    """(weight, gradient) of each term by its name; a term that came in pieces is put together."""
    found: dict[str, tuple[float, Gradient]] = {}
    for part in parts:
        weight, gradient = found.get(part.name, (0.0, [None] * len(part.gradient)))
        found[part.name] = (weight + part.weight, [added(pair) for pair in zip(gradient, part.gradient, strict=True)])
    return found


def equalised(parts: list[TermGradient]) -> list[Gradient]:
    """The gradients of the parts; one to be equalised has the norm of the others together, before the weights."""
    others = [part for part in parts if not part.equalise]
    weight = sum(part.weight for part in others)
    if weight == 0 or len(others) == len(parts):
        return [part.gradient for part in parts]
    reference = [added(gradients) for gradients in zip(*(part.gradient for part in others), strict=True)]
    return [_rescaled(part, reference, part.weight / weight) if part.equalise else part.gradient for part in parts]


def _rescaled(part: TermGradient, reference: Gradient, ratio: float) -> Gradient:
    factor = ratio * equalised_scale(part.gradient, reference)
    return [None if gradient is None else factor * gradient for gradient in part.gradient]


def added(gradients: Iterable[Tensor | None]) -> Tensor | None:
    """The sum of those that are there, from left to right; None if none is."""
    total = None
    for gradient in gradients:
        if gradient is not None:
            total = gradient if total is None else total + gradient
    return total


def check_labels(dataset: Any, num_labels: int) -> None:
    """Raise MaskTuneError for a tokenised `datasets.Dataset` without labels, or with one the model has no class for."""
    if not hasattr(dataset, "column_names") or not hasattr(dataset, "__len__"):
        return
    column = label_column(dataset)
    if column is None or "input_ids" not in dataset.column_names:
        raise MaskTuneError(
            f"the train dataset has the columns {', '.join(dataset.column_names)}; expected input_ids, attention_mask "
            "and labels: tokenise the texts, and name the column of classes 'labels'"
        )
    for row, label in enumerate(dataset[column]):
        if not (isinstance(label, int) and 0 <= label < num_labels):
            raise MaskTuneError(
                f"row {row} of the train dataset has the label {label!r}; expected a whole number from 0 to "
                f"{num_labels - 1}: mend the data, or load the model with num_labels="
            )


def label_column(dataset: Any) -> str | None:
    """The name of the column of classes, of those that transformers' collators know; None if there is none."""
    return next((name for name in ("labels", "label", "label_ids") if name in dataset.column_names), None)


def lengths_of(dataset: Any) -> list[int]:
    """The number of tokens of each example of a tokenised dataset."""
    if hasattr(dataset, "with_format"):
        from pyarrow import compute

        return compute.list_value_length(dataset.with_format("arrow")[:]["input_ids"]).to_pylist()
    return [len(example["input_ids"]) for example in dataset]


class PreparedColumns:
    """A collator that also stacks the columns of a method's products: [B], [B, C], or per token [B, L]."""

    def __init__(self, collate: Callable[[list[dict[str, Any]]], dict[str, Any]], products: dict[str, Product]):
        self.collate = collate
        self.per_token = {PREFIX + name: product.per_token for name, product in products.items()}

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        plain = [{name: value for name, value in row.items() if name not in self.per_token} for row in features]
        batch = self.collate(plain)
        for name, per_token in self.per_token.items():
            if name in features[0]:
                rows = [torch.as_tensor(row[name]) for row in features]
                batch[name] = self._padded(rows, batch["attention_mask"]) if per_token else torch.stack(rows)
        return batch

    @staticmethod
    def _padded(rows: list[Tensor], attention_mask: Tensor) -> Tensor:
        """A value for each token, where the token is; 0 in the padding, on whichever side that is."""
        values = torch.zeros(attention_mask.shape, dtype=rows[0].dtype)
        return values.masked_scatter(attention_mask.bool(), torch.cat(rows))


@dataclass(frozen=True)
class StagePlan:
    """A second stage in numbers: after `epochs` passes over all examples, in `first_steps` steps, `passes` over `rows`.

    `steps` counts both stages.
    """

    rows: list[int]
    epochs: int
    passes: int
    first_steps: int
    steps: int
    learning_rate_factor: float

    @classmethod
    def of(cls, stage: SecondStage, dataset: Any, epochs: int, examples_of_step: int) -> "StagePlan":
        """The plan for a train set in which `masktune.preparation` has marked the examples."""
        rows = [row for row, marked in enumerate(dataset[PREFIX + stage.marked]) if marked]
        first = epochs * math.ceil(len(dataset) / examples_of_step)
        second = math.ceil(stage.epochs * len(rows) / examples_of_step)
        return cls(rows, epochs, stage.epochs, first, first + second, stage.learning_rate_factor)

    def extended(self, factor: Callable[[int], float]) -> Callable[[int], float]:
        """The factor of the learning rate at a step: the first stage's own, then a linear decay to 0."""

        def both(step: int) -> float:
            if step < self.first_steps:
                return factor(step)
            return self.learning_rate_factor * max(0.0, (self.steps - step) / max(self.steps - self.first_steps, 1))

        return both


class SeededSampler(Sampler):
    """The order of an epoch from (seed, "batch order", epoch) alone; grouped by length as transformers groups.

    An epoch of the second stage is as long as any other: it passes over the stage's rows as often as that takes.
    """

    def __init__(
        self, lengths: list[int], batch_size: int, seed: int, grouped: bool, second_stage: StagePlan | None = None
    ):
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.grouped = grouped
        self.second_stage = second_stage
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the training loop before each epoch, a resumed one too."""
        self.epoch = int(epoch)

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        if self.second_stage is None or self.epoch < self.second_stage.epochs:
            return iter(self._order(self.lengths, "batch order", self.epoch))
        start = (self.epoch - self.second_stage.epochs) * len(self)
        return itertools.islice(self._passes(self.second_stage.rows), start, start + len(self))

    def _passes(self, rows: list[int]) -> Iterator[int]:
        """The rows without end, each pass in an order of its own."""
        lengths = [self.lengths[row] for row in rows]
        for number in itertools.count():
            yield from (rows[index] for index in self._order(lengths, "second stage", number))

    def _order(self, lengths: list[int], purpose: str, number: int) -> list[int]:
        generator = torch.Generator().manual_seed(derive(self.seed, purpose, number))
        if self.grouped:
            return get_length_grouped_indices(lengths, self.batch_size, generator=generator)
        return torch.randperm(len(lengths), generator=generator).tolist()


class LongestFirst(Sampler):
    """Examples by length, the longest first: least padding, and what does not fit in memory fails at once."""

    def __init__(self, lengths: list[int]):
        self.order = sorted(range(len(lengths)), key=lambda index: -lengths[index])

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[int]:
        return iter(self.order)
