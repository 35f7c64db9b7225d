"""A loss of the user's, in the place of the cross-entropy of the classification term.

A stock Trainer minimises the first of these that there is:

    compute_loss             of a subclass, or set on the trainer, which makes its own forward pass
    compute_loss_func        of what the model puts out and the labels, such as a cross-entropy with class weights
    label_smoothing_factor   cross-entropy against smoothed labels
    the classifier's loss    what its forward returns: of a class of the user's, with a forward hook on it, of several
                             labels, of a regression

Here it is the classification term, on the texts that the method lets the classifier read; the other terms of the method
stay beside it. With fine-tuning that is what a stock Trainer minimises. It is also weighted as a stock Trainer does
under gradient accumulation: what was divided by the labels of the whole step is taken as it is (and `compute_loss` of a
subclass too, unless `loss_is_scaled_for_ga` says otherwise), the mean of a micro-batch is divided by their number.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn.functional import one_hot
from torch.nn.modules import module as torch_module
from transformers import Trainer
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.trainer_pt_utils import LabelSmoother

from masktune import parts
from masktune.errors import MaskTuneError
from masktune.losses import classification_loss
from masktune.methods import Examples, Method
from masktune.methods.base import (
    Classification,
    ClassificationLoss,
    CrossEntropy,
    ForwardPass,
    LossFunction,
    SingleForward,
)
from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models.joint import MaskTuningModel

OF_CLASSIFIER = "the loss of"  # and its class


@dataclass(frozen=True)
class MicroBatch:
    """What a stock Trainer would know of a micro-batch: its examples, the part of the step that they are, its labels.

    `items` counts the labels of the whole optimizer step, None where a stock Trainer does not count them;
    `accumulation` is the number of micro-batches in the step.
    """

    examples: int
    share: Tensor | float
    items: Tensor | int | None
    accumulation: int

    def items_of(self, examples: Examples) -> Any:
        """The labels of the step if each of its micro-batches read as many examples as these, for this one's."""
        read = len(examples.labels)
        return self.items if self.items is None or read == self.examples else self.items * read / self.examples

    def as_mean(self, loss: Tensor, scaled: bool) -> Tensor:
        """The loss of which the trainer will take `share`; `scaled`: it is divided by the labels of the step already.

        The share of the only micro-batch of a step is 1, and the loss comes back as it is.
        """
        return loss / self.share if scaled else loss / (self.accumulation * self.share)


@dataclass(frozen=True)
class WholeLoss(ForwardPass):
    """One forward pass, whose loss `compute(model, examples)` makes."""

    compute: Callable[["MaskTuningModel", Examples], Tensor]

    passes = 1

    def losses(
        self, model: "MaskTuningModel", examples: Examples, loss: LossFunction, streams: Streams
    ) -> Iterator[tuple[float, Tensor]]:
        """The one loss; `loss`, of logits, is not asked."""
        yield 1.0, self.compute(model, examples)


@dataclass(frozen=True)
class LossOfLogits(ClassificationLoss):
    """The loss `compute(output, examples)` of one of several passes, of which the logits are known."""

    compute: Callable[[Any, Examples], Tensor]

    def loss(self, logits: Tensor, examples: Examples) -> Tensor:
        """The loss of logits [B, C] for examples. Scalar."""
        return self.compute(SequenceClassifierOutput(logits=logits), examples)


@dataclass(frozen=True)
class SmoothedCrossEntropy(ClassificationLoss):
    """CE against (1 - smoothing) of the label and `smoothing` of the uniform distribution, as LabelSmoother has it."""

    smoothing: float

    def loss(self, logits: Tensor, examples: Examples) -> Tensor:
        """The loss of logits [B, C] for examples. Scalar."""
        classes = logits.shape[-1]
        target = (1 - self.smoothing) * one_hot(examples.labels, classes) + self.smoothing / classes
        return classification_loss(logits, target, examples.example_weights(logits))


class UserLoss:
    """The losses that a Trainer and its model bring along, in the order in which a stock Trainer looks for them."""

    def __init__(self, trainer: Trainer):
        self.trainer = trainer

    def name(self, labels: Tensor | None = None) -> str | None:
        """Which loss takes the place of the cross-entropy, as the user knows it; None for none of them."""
        trainer = self.trainer
        if not is_own_of_transformers(trainer.compute_loss):
            return f"{type(trainer).__name__}.compute_loss"
        if trainer.compute_loss_func is not None:
            return "compute_loss_func"
        if trainer.label_smoother is not None:
            return "label_smoothing_factor"
        model: Any = trainer.model
        classifier = model.classifier
        if has_hooks(model) or has_hooks(classifier):
            return f"{OF_CLASSIFIER} {type(classifier).__name__} with its forward hook"
        if not is_cross_entropy(classifier) or (labels is not None and labels.is_floating_point()):
            return f"{OF_CLASSIFIER} {type(classifier).__name__}"
        return None

    @property
    def reads_all(self) -> bool:
        """Whether it is a function of the user's, which sees the examples labelled -100 too."""
        name = self.name()
        return name is not None and not (name == "label_smoothing_factor" and self._smoothing is not None)

    @property
    def is_of_classifier(self) -> bool:
        """Whether it is what a classifier of the user's returns as its loss."""
        return (self.name() or "").startswith(OF_CLASSIFIER)

    @property
    def _smoothing(self) -> float | None:
        """By how much transformers' own smoother smooths; None where there is none, or one of the user's."""
        smoother = self.trainer.label_smoother
        return smoother.epsilon if type(smoother) is LabelSmoother else None

    def check(self, method: Method) -> None:
        """Raise MaskTuneError, in one line, where the method cannot do with the loss there is."""
        name = self.name()
        if name is not None:
            self._check(name, method)

    def classification(self, method: Method, batch: MicroBatch, labels: Tensor) -> Classification | None:
        """How a classification term of the method comes about with this loss; None where cross-entropy stays.

        Raises MaskTuneError as `check` does.
        """
        name = self.name(labels)
        if name is None:
            return None
        self._check(name, method)
        forward = method.classification.forward
        if name == "label_smoothing_factor" and (smoothing := self._smoothing) is not None:
            return Classification(forward, SmoothedCrossEntropy(smoothing))
        if name in ("compute_loss_func", "label_smoothing_factor"):
            return self._of_output(forward, batch)
        if name.endswith(".compute_loss"):
            return Classification(WholeLoss(lambda model, examples: self._of_subclass(model, examples, batch)))
        return Classification(WholeLoss(_of_classifier))

    def _check(self, name: str, method: Method) -> None:
        criterion, forward = method.classification.criterion, method.classification.forward
        if type(criterion) is not CrossEntropy:
            raise MaskTuneError(
                f"{name} and {criterion.name!r} are both the loss of the classifier; leave one of them out"
            )
        if name == "label_smoothing_factor":
            return
        if method.weighs_examples:
            raise MaskTuneError(
                f"{name} gives one number for a batch, and {method.name!r} with these options makes some of its "
                "examples count more than others; choose classify='perturbed' and keep='all'"
            )
        if name != "compute_loss_func" and type(forward) is not SingleForward:
            raise MaskTuneError(
                f"{name} makes a forward pass of its own, and {forward.name!r} is another way to make it; leave one of "
                "them out, or pass the loss of logits as compute_loss_func="
            )

    def _of_output(self, forward: ForwardPass, batch: MicroBatch) -> Classification:
        """`compute_loss_func`, or a label smoother of the user's, of what the model puts out and the labels."""
        trainer = self.trainer
        function: Any = trainer.compute_loss_func or trainer.label_smoother

        def compute(output: Any, examples: Examples) -> Tensor:
            items = batch.items_of(examples)
            loss = function(output, examples.labels, num_items_in_batch=items)
            if trainer.args.average_tokens_across_devices and items is not None:
                loss = loss * trainer.accelerator.num_processes  # as a stock Trainer: the items are those of all
            return batch.as_mean(loss, scaled=True)

        if type(forward) is not SingleForward:
            return Classification(forward, LossOfLogits(compute))
        return Classification(WholeLoss(lambda model, examples: compute(model(**examples.inputs), examples)))

    def _of_subclass(self, model: nn.Module, examples: Examples, batch: MicroBatch) -> Tensor:
        """`compute_loss`, as the subclass has it, of what the classifier is to read."""
        trainer, items = self.trainer, batch.items_of(examples)
        inputs = {**examples.inputs, "labels": examples.labels}
        loss: Any = trainer.compute_loss(model, inputs, num_items_in_batch=items)
        scaled = getattr(trainer, "loss_is_scaled_for_ga", None)  # transformers 5.17 does not have it
        if scaled is None:
            scaled = (trainer.model_accepts_loss_kwargs and items is not None) or trainer.compute_loss_func is not None
        return batch.as_mean(loss, scaled)


def _of_classifier(model: nn.Module, examples: Examples) -> Tensor:
    """What the classifier's forward returns as its loss, a mean over the examples."""
    return parts.share_of_mean(model(**examples.inputs, labels=examples.labels)["loss"], len(examples.labels))


def is_cross_entropy(classifier: nn.Module) -> bool:
    """Whether the classifier's own loss is transformers' for one label an example: mean cross-entropy."""
    config: Any = getattr(classifier, "config", None)
    if getattr(config, "problem_type", None) not in (None, "single_label_classification") or config.num_labels == 1:
        return False
    if "_loss_function" in vars(classifier):  # one that was set on this model
        return False
    whole: Any = classifier
    inner = whole.get_base_model() if hasattr(whole, "get_base_model") else whole  # of an adapter
    return is_own_of_transformers(inner.forward) and not (has_hooks(whole) or has_hooks(inner))


def has_hooks(module: nn.Module) -> bool:
    """Whether a forward hook of the user's sees what the whole module puts out, its loss too, or what it is given.

    Hooks on modules inside, such as the encoder or the head, work on what the logits are made of: they need no care.
    One that was set for all modules (`register_module_forward_hook`) sees the whole module too.
    """
    of_all = torch_module._global_forward_hooks or torch_module._global_forward_pre_hooks
    return bool(module._forward_hooks or module._forward_pre_hooks or of_all)


def is_own_of_transformers(method: Any) -> bool:
    """Whether a bound method is as transformers wrote it, and not of a subclass, patched, or set on the object."""
    function = inspect.unwrap(getattr(method, "__func__", method))
    return str(getattr(function, "__module__", None)).startswith("transformers.")
