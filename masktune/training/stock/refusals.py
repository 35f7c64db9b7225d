"""What a stock Trainer takes and MaskTuningTrainer does not: each refused in one line that names the argument.

The same names are marked in the table of `masktune.training.stock.surface`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn, optim
from transformers import TrainingArguments

from masktune.errors import MaskTuneError
from masktune.methods import Method

# Optimizers that take their step within a backward pass, or find layers by the names of the stock model's modules.
UNTRIED_OPTIMIZERS = ("lomo", "adalomo", "galore", "apollo")


@dataclass(frozen=True)
class Refusal:
    """A TrainingArguments field that is refused where `applies(args, method)`, and what to do instead."""

    name: str
    applies: Callable[[TrainingArguments, Method], Any]
    reason: str


def _untried(args: TrainingArguments, method: Method) -> bool:
    return str(getattr(args.optim, "value", args.optim)).startswith(UNTRIED_OPTIMIZERS)


def _in_second_stage(applies: Callable[[TrainingArguments], Any]) -> Callable[[TrainingArguments, Method], Any]:
    return lambda args, method: method.second_stage is not None and applies(args)


STAGES = "the second stage of this method counts steps beforehand; "
REFUSALS = (
    Refusal("fsdp", lambda args, _: args.fsdp, "not tried here; train on one device, or with torchrun"),
    Refusal(
        "fsdp_config",
        lambda args, _: getattr(args, "fsdp_plugin_args", None),
        "FSDP was not tried here; train on one device, or with torchrun",
    ),
    Refusal("deepspeed", lambda args, _: args.deepspeed, "not tried here; train on one device, or with torchrun"),
    Refusal(
        "parallelism_config",
        lambda args, _: getattr(args, "parallelism_config", None),
        "a model that is split over devices was not tried here; train on one device, or with torchrun",
    ),
    Refusal(
        "use_liger_kernel",
        lambda args, _: args.use_liger_kernel,
        "kernels of Liger are not put into the model here; leave it out",
    ),
    Refusal(
        "liger_kernel_config",
        lambda args, _: args.liger_kernel_config,
        "kernels of Liger are not put into the model here; leave it out",
    ),
    Refusal(
        "optim",
        _untried,
        "it steps within a backward pass or picks layers by name, and there are two backward passes here; choose "
        "'adamw_torch'",
    ),
    Refusal(
        "optim_target_modules",
        lambda args, _: getattr(args, "optim_target_modules", None),
        "only optimizers that are not taken here pick layers by name; leave it out",
    ),
    Refusal(
        "torch_compile",
        lambda args, method: args.torch_compile and method.edits_modules,
        "this method changes what modules put out, which a compiled model would not notice; leave it out",
    ),
    Refusal(
        "torch_compile",
        lambda args, _: args.torch_compile and args.world_size > 1,
        "several processes train a model that is not compiled; leave it out, or train in one process",
    ),
    Refusal(
        "label_names",
        lambda args, _: args.label_names is not None and "labels" not in args.label_names,
        "the classes of examples are in the column 'labels'; rename it, and leave label_names out",
    ),
    Refusal(
        "auto_find_batch_size",
        _in_second_stage(lambda args: args.auto_find_batch_size),
        STAGES + "choose per_device_train_batch_size yourself",
    ),
    Refusal(
        "dataloader_drop_last",
        _in_second_stage(lambda args: args.dataloader_drop_last),
        STAGES + "keep the last batch",
    ),
    Refusal(
        "train_sampling_strategy",
        _in_second_stage(lambda args: args.train_sampling_strategy not in ("random", "group_by_length")),
        STAGES + "choose 'random' or 'group_by_length'",
    ),
)


def check_arguments(args: TrainingArguments | None, method: Method) -> None:
    """Raise MaskTuneError, in one line, for the first argument that cannot be honoured with this method."""
    if args is None:  # Trainer makes its own
        return
    for refusal in REFUSALS:
        if refusal.applies(args, method):
            value = getattr(args, refusal.name, None)
            raise MaskTuneError(f"{refusal.name} = {str(getattr(value, 'value', value))!r}: {refusal.reason}")


def check_method(method: Any) -> None:
    """Raise MaskTuneError for what is no method, such as the class of one."""
    if isinstance(method, type):
        raise MaskTuneError(f"method = {method.__name__}, a class; pass one of it: method={method.__name__}()")
    if not isinstance(method, Method):
        raise MaskTuneError(f"method = {method!r}; expected a method, such as MaskTuning(), or the name of one")


def check_optimizer(optimizer: optim.Optimizer | None, model: nn.Module, method: Method) -> None:
    """Raise MaskTuneError where the language model is to be trained and the optimizer does not know its weights.

    A user's optimizer may leave out what it likes of the classifier, as with a stock Trainer. Of the language model's
    own weights the user's script cannot know, and without an optimizer they would stay as they are in silence.
    """
    if optimizer is None or not method.learns_language:
        return
    known = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    for name, parameter in language_model_parameters(model):
        if parameter.requires_grad and id(parameter) not in known:
            raise MaskTuneError(
                f"the optimizer does not have {name!r}, which {method.name!r} trains; make the optimizer of "
                "MaskTuningModel.from_classifier(model), and pass that as model=, or pass optimizer_cls_and_kwargs="
            )


def language_model_parameters(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """(name, weight) of what the language model has and the classifier has not."""
    return [(name, parameter) for name, parameter in model.named_parameters() if name.startswith("mlm_")]
