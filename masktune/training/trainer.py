"""MaskTuningTrainer: a `transformers.Trainer` that trains with a method of the registry.

In a script that fine-tunes with transformers, the one line that makes the Trainer changes:

    trainer = MaskTuningTrainer(model=model, args=args, train_dataset=train, processing_class=tokenizer)

and what `trainer.save_model` writes is the classification checkpoint that the script expects.
"""

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader
from transformers import (
    DataCollator,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainingArguments,
)
from transformers.trainer import clear_device_cache
from transformers.trainer_utils import EvalPrediction, TrainOutput

from masktune import methods, parts
from masktune.errors import MaskTuneError
from masktune.features import PREFIX
from masktune.methods import MaskTuning, Method, Term
from masktune.models.joint import MaskTuningModel
from masktune.parts import Part
from masktune.perturb import Vocabulary
from masktune.streams import Streams
from masktune.training import gradients
from masktune.training.advice import Advised
from masktune.training.collate import PreparedColumns, pads_only, replace_padding
from masktune.training.cpu import dropout, word_gradient
from masktune.training.devices import SeveralProcesses, average, check_devices, take
from masktune.training.evaluation import SortedEvaluation
from masktune.training.gradients import TermGradient
from masktune.training.means import Mean
from masktune.training.reading import labels
from masktune.training.reading.any_data import AnyData
from masktune.training.stock import refusals
from masktune.training.stock.order import SeededOrder
from masktune.training.stock.saving import Saving
from masktune.training.stock.user_loss import MicroBatch, UserLoss


class MaskTuningTrainer(SeveralProcesses, Advised, SeededOrder, AnyData, Saving, SortedEvaluation):
    """Trainer with `method=` (default: `MaskTuning.recommended()`) and otherwise Trainer's own arguments.

    `model` is a plain `AutoModelForSequenceClassification`, to which the masked-LM head of its checkpoint is attached,
    or a `MaskTuningModel`. `processing_class` is its tokenizer, which names the mask token and the special tokens.
    `args.seed` drives every stream (see masktune.streams); `args.data_seed`, where given, the order of the batches.

    Evaluation reads tokenised examples sorted by length, unless a callback or a metric sees single batches, and puts
    them back before `compute_metrics` and whoever asked sees them: results are those of Trainer, row by row. With
    gradient accumulation each micro-batch's terms weigh as many examples as it holds. An example labelled -100 has no
    class, as in transformers: no term reads it.

    Training logs hold `loss_<term>`, the mean value of each term since the last log, before its weight. With
    `measure_gradients=True` they also hold, of the step they close, `norm_<term>`, the norm of the term's gradient
    before its weight, and `cosine_<term>_<term>` between two of them; the training itself stays the same, bit for bit
    where the gradient of the word embeddings is torch's own. A method that must know more of each example wants its
    train set from `masktune.prepare`.

    `fast_dropout` and `fast_word_gradient` speed up a step on a CPU (masktune.training.cpu): None uses them where they
    pay, True wherever they can be used, False never. `reference=True` switches both off: the reference implementation,
    each step as torch has it.

    `method` may be a name of the registry, as in `methods.build`. masktune/training/ARGUMENTS.md says what becomes of
    each argument of Trainer's. With `advice` the trainer says at a start what it minimises, and reads in a few steps of
    the first fifth of training how the gradients of the terms compare, to warn where the classifier will hardly learn.

    Several processes, as torchrun starts them, compute the step that one would (masktune.training.devices).

    >>> trainer = MaskTuningTrainer(classifier, args, train_dataset=train, processing_class=tokenizer, advice=False)
    >>> trainer.train().global_step
    {'train_runtime': ...}
    2
    >>> trainer.save_model("mask-tuned")

    Raises MaskTuneError for a model without masked-LM head, a tokenizer without mask token, a train set without the
    columns that the method needs, another way to use several devices, and an accelerator that cannot be used.
    """

    model: MaskTuningModel
    processing_class: PreTrainedTokenizerBase | None

    def __init__(
        self,
        model: PreTrainedModel | MaskTuningModel | None = None,
        args: TrainingArguments | None = None,
        data_collator: DataCollator | None = None,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        processing_class: PreTrainedTokenizerBase | None = None,
        model_init: Callable[..., PreTrainedModel] | None = None,
        compute_loss_func: Callable | None = None,
        compute_metrics: Callable[[EvalPrediction], dict] | None = None,
        callbacks: list[TrainerCallback] | None = None,
        optimizers: tuple[torch.optim.Optimizer | None, LambdaLR | None] = (None, None),
        optimizer_cls_and_kwargs: tuple[type[torch.optim.Optimizer], dict[str, Any]] | None = None,
        preprocess_logits_for_metrics: Callable[[Tensor, Tensor], Tensor] | None = None,
        *,
        method: Method | str | None = None,
        measure_gradients: bool = False,
        fast_dropout: bool | None = None,
        fast_word_gradient: bool | None = None,
        reference: bool = False,
        advice: bool = True,
    ):
        self.method = methods.build(method) if isinstance(method, str) else method or MaskTuning.recommended()
        refusals.check_method(self.method)
        refusals.check_arguments(args, self.method)
        super().__init__(
            model=None if model is None else self._with_language_model(model),
            args=args,
            data_collator=data_collator,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            processing_class=processing_class,
            model_init=model_init,
            compute_loss_func=compute_loss_func,
            compute_metrics=compute_metrics,
            callbacks=callbacks,
            optimizers=optimizers,
            optimizer_cls_and_kwargs=optimizer_cls_and_kwargs,
            preprocess_logits_for_metrics=preprocess_logits_for_metrics,
        )
        self._check()
        labels.check_labels(self.train_dataset, self.model.config, self.method, pads_only(self.data_collator))
        self.data_collator = replace_padding(self.data_collator)
        self._take_prepared_columns()
        self.user_loss = UserLoss(self)
        self.user_loss.check(self.method)
        refusals.check_optimizer(self.optimizer, self.model, self.method)
        self.second_stage = self._second_stage()
        self._give_vocabulary(self.model)
        self.streams = Streams(self.args.seed)
        self.measure_gradients = measure_gradients
        if reference and (fast_dropout or fast_word_gradient):
            raise MaskTuneError("reference = True: the reference implementation has no accelerator; leave it out")
        self.fast_dropout = False if reference else fast_dropout
        self.fast_word_gradient = False if reference else fast_word_gradient
        self.advice = advice
        self._means: dict[str, Mean] = defaultdict(Mean)  # of what is logged
        self._micro_batches = (-1, 0)
        self.decide_cpu_accelerators()

    def _with_language_model(self, model: Any) -> MaskTuningModel:
        if isinstance(model, MaskTuningModel):
            return model
        return MaskTuningModel.from_classifier(model, self.method.encoder)

    def call_model_init(self, trial: Any = None) -> nn.Module:
        """Trainer's own, for `model_init=`, with the language model attached."""
        model = self._with_language_model(super().call_model_init(trial))
        if hasattr(self, "streams"):  # a training, or a trial, that begins with a model of its own
            self._give_vocabulary(model)
        return model

    def _give_vocabulary(self, model: nn.Module) -> None:
        """Tell the model what perturbing needs to know of the tokenizer."""
        if self.method.encoder is not None:
            model.vocabulary = Vocabulary.of(self.processing_class)  # type: ignore[assignment]  # of a MaskTuningModel

    def _hp_search_setup(self, trial: Any) -> None:
        """Trainer's own, which gives `args` the values of the trial."""
        super()._hp_search_setup(trial)
        if trial is not None and self.second_stage is not None:
            raise MaskTuneError(
                f"hyperparameter_search: the second stage of {self.method.name!r} counts steps beforehand; search its "
                "settings in trainings of their own"
            )
        if self.streams.seed != self.args.seed:
            self.streams = Streams(self.args.seed)
        refusals.check_arguments(self.args, self.method)

    def _prepare_for_training(
        self, max_steps: int, train_dataloader: DataLoader, resume_from_checkpoint: str | None
    ) -> tuple[nn.Module, DataLoader]:
        """Trainer's own; what a training that went before has left is forgotten."""
        self._means.clear()
        self._micro_batches = (-1, 0)
        prepared = super()._prepare_for_training(max_steps, train_dataloader, resume_from_checkpoint)
        refusals.check_optimizer(self.optimizer, self.model, self.method)
        return prepared

    def _check(self) -> None:
        if self.model.encoder != self.method.encoder:
            raise MaskTuneError(
                f"the method {self.method.name!r} needs a model whose language model is {self.method.encoder!r}, not "
                f"{self.model.encoder!r}; pass an AutoModelForSequenceClassification, or "
                f"MaskTuningModel.from_pretrained(..., encoder={self.method.encoder!r})"
            )
        if self.method.encoder is not None and self.processing_class is None:
            raise MaskTuneError("processing_class=None: pass the tokenizer, which says what the mask token is")
        check_devices(self)

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

    def train(
        self,
        resume_from_checkpoint: str | bool | None = None,
        trial: Any = None,
        ignore_keys_for_eval: list[str] | None = None,
    ) -> TrainOutput:
        """Trainer's own; with `fast_dropout` masks are drawn faster until it ends."""
        self._ratio = None
        with dropout.fast_dropout() if self._uses_fast_dropout() else nullcontext():
            return super().train(resume_from_checkpoint, trial, ignore_keys_for_eval)

    def decide_cpu_accelerators(self) -> dict[str, bool]:
        """Which of the accelerators of masktune.training.cpu training uses: {"fast_dropout", "fast_word_gradient"}.

        Raises MaskTuneError for one that was asked for and cannot be used.

        >>> trainer = MaskTuningTrainer(classifier, args, processing_class=tokenizer, reference=True)
        >>> trainer.decide_cpu_accelerators()
        {'fast_dropout': False, 'fast_word_gradient': False}
        """
        # As the state has it: known for certain once training has begun.
        measures_always = self.measure_gradients and self.state.logging_steps == 1
        return {
            "fast_dropout": self._uses_fast_dropout(),
            "fast_word_gradient": not measures_always and self._uses_fast_word_gradient(),
        }

    def _uses_fast_dropout(self) -> bool:
        return dropout.decide(self.fast_dropout, self.model.config, self.args.device)

    def _uses_fast_word_gradient(self) -> bool:
        if self.args.torch_compile and not self.fast_word_gradient:
            return False
        return word_gradient.decide(self.fast_word_gradient, self.model, self.method.equalises)

    # ---- the training step

    def training_step(
        self, model: nn.Module, inputs: dict[str, Tensor], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """Forward and backward of one micro-batch, term by term. Returns the weighted loss, a scalar without graph."""
        # Setting the mode walks through all modules, a good part of a small step; from_pretrained leaves eval mode.
        if not (model.training and self.model.classifier.training):
            model.train()
        if callable(switch := getattr(self.optimizer, "train", None)):  # of one that is free of schedules
            switch()
        inputs = self._prepare_inputs(inputs)
        labels.require(inputs)
        part, of_step = self._next_part(inputs)
        if part is None and (chosen := self._with_class(inputs)) is not None:
            inputs = take(inputs, chosen)
        empty = not (len(inputs["labels"]) if part is None else sum(part.rows))  # none of the examples has a label
        counts = part is None or part.counts
        share = self._share_of_step(inputs, num_items_in_batch) if part is None else of_step
        total = torch.zeros((), device=self.args.device)
        measures = self._measures_this_step()
        advises = self._reads_ratio
        separate = measures or advises or self.method.equalises
        before = self._take_gradients() if separate or not counts else []
        by_term: list[TermGradient] = []
        fast = not separate and self._uses_fast_word_gradient()
        with (
            parts.hold(part),
            self._own_gradients(model),
            word_gradient.fast_word_gradient(self.model) if fast else nullcontext(),
        ):
            batch = self._micro_batch(inputs, share, num_items_in_batch)
            for term in () if empty else self._terms(model, inputs, batch):
                value = term.loss.detach().float() if counts else torch.zeros((), device=self.args.device)
                self._means[f"loss_{term.name}"].add(value)
                total += term.weight * share * value
                kept = {"retain_graph": True} if term.keep_graph else {}
                if part is None or term.loss.requires_grad:
                    self.accelerator.backward(term.weight * share * term.loss, **kept)
                if separate:
                    by_term.append(TermGradient(term.name, term.weight, self._gradients_of(part), term.equalise))
        if measures:
            self._log_gradients(by_term, share)
        if advises:
            self._warn(by_term)
        if separate or not counts:
            self._put_gradients(before, by_term)
        if part is not None:
            part.end()
            self._average_gradients()
        if self.args.torch_empty_cache_steps and self.state.global_step % self.args.torch_empty_cache_steps == 0:
            clear_device_cache()
        return total

    def _terms(self, model: nn.Module, inputs: dict[str, Tensor], batch: MicroBatch) -> Iterator[Term]:
        """The method's terms, each computed under autocast when it is asked for."""
        read: Any = model if self.args.torch_compile else self.model
        classification = self.user_loss.classification(self.method, batch, inputs["labels"])
        own = {} if classification is None else {"classification": classification}
        if classification is None and self.model.config.problem_type is None:  # as its forward does that gets labels
            self.model.config.problem_type = "single_label_classification"
        terms = self.method.terms(read, inputs, self.streams.at(self._next_micro_batch()), **own)
        while True:
            with self.compute_loss_context_manager(), self.accelerator.autocast():
                term = next(terms, None)
            if term is None:
                return
            yield term

    def _micro_batch(
        self, inputs: dict[str, Tensor], share: Tensor | float, num_items_in_batch: Tensor | int | None
    ) -> MicroBatch:
        return MicroBatch(len(inputs["labels"]), share, num_items_in_batch, self.current_gradient_accumulation_steps)

    def _next_micro_batch(self) -> int:
        """The number of this micro-batch since the start of training, known from the step alone: it resumes."""
        step, seen = self._micro_batches
        seen = seen + 1 if step == self.state.global_step else 0
        self._micro_batches = (self.state.global_step, seen)
        return self.state.global_step * self.args.gradient_accumulation_steps + seen

    def _share_of_step(self, inputs: dict[str, Tensor], num_items_in_batch: Tensor | int | None) -> Tensor | float:
        """The part of the optimizer step's examples that this micro-batch holds; a label of -100 is of none."""
        if num_items_in_batch is None:
            return 1 / self.current_gradient_accumulation_steps
        return inputs["labels"].ne(-100).sum() / num_items_in_batch

    def _take_gradients(self) -> list[Tensor | None]:
        taken = [parameter.grad for parameter in self.model.parameters()]
        self.model.zero_grad(set_to_none=True)
        return taken

    def _gradients_of(self, part: Part | None) -> list[Tensor | None]:
        """Take the gradients of a term: the mean of the processes that hold parts of the batch."""
        own = self._take_gradients()
        if part is None:
            return own
        return average(own if part.counts else [None] * len(own), list(self.model.parameters()))

    def _put_gradients(self, before: list[Tensor | None], by_term: list[TermGradient]) -> None:
        """Add up what was there and the gradients of the terms, in the order in which backward would have added them.

        A term to be equalised is rescaled so that its norm before the weights is that of the other terms together.
        """
        by_parameter = zip(before, *gradients.equalise(by_term), strict=True)
        for parameter, summands in zip(self.model.parameters(), by_parameter, strict=True):
            parameter.grad = gradients.add(summands)

    def _measures_this_step(self) -> bool:
        """Whether the gradients of this micro-batch's terms are measured: in the steps whose end is logged."""
        return self.measure_gradients and (self.state.global_step + 1) % self.state.logging_steps == 0

    def _log_gradients(self, by_term: list[TermGradient], share: Tensor | float) -> None:
        """The norm of each term's gradient before its weight, and the cosine between each two of them."""
        for name, value in gradients.measure(by_term, share).items():
            self._means[name].add(value)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Trainer's log, with the mean of what each loss term was since the last one."""
        if "loss" in logs:
            means = {name: mean.compute() for name, mean in self._means.items()}
            logs = {**logs, **self._average_numbers(means)}
            self._means.clear()
        super().log(logs, start_time)

    # ---- what is read

    def _set_signature_columns_if_needed(self) -> None:
        """Keep the columns that the classifier reads, the labels, and those that the method needs."""
        if self._signature_columns is None:
            read = inspect.signature(self.model.transformers_classifier.forward).parameters
            needed = (PREFIX + name for name in self.method.needs)
            names = dict.fromkeys((*read, "label", "label_ids", *self.label_names, *needed))
            self._signature_columns = list(names)  # type: ignore[assignment]  # declared as the None it begins with
