"""What Trainer and accelerate ask of a model: a MaskTuningModel answers as the classifier that it holds.

`nn.Module` has what concerns all weights (`parameters`, `to`, `state_dict`, `train`), MaskTuningModel what concerns
both heads (`save_pretrained`, `resize_token_embeddings`). Whatever else is asked, from `dtype` and `main_input_name` to
`hf_device_map`, is the classifier's answer.
"""

import inspect
from collections.abc import Callable
from typing import Any

from torch import nn
from transformers.utils import PushToHubMixin

# Told to each network of its own: what is computed again in a backward pass, and what must have a gradient.
TOLD_TO_ALL = (
    "activation_checkpointing_enable",
    "activation_checkpointing_disable",
    "gradient_checkpointing_enable",
    "gradient_checkpointing_disable",
    "enable_input_require_grads",
    "disable_input_require_grads",
)


class ClassifierSurface(nn.Module, PushToHubMixin):
    """The part of a MaskTuningModel that answers like its classifier.

    `push_to_hub` uploads what `save_pretrained` writes, the masked-LM head too.
    """

    @property
    def accepts_loss_kwargs(self) -> bool:
        """Whether Trainer counts the examples of a step, which each term of the loss is a mean over; see training_step.

        It then passes their number to `forward`, which a subclass may have written out without it.
        """
        return takes_anything(type(self).forward)

    def __getattr__(self, name: str) -> Any:
        """Asked where neither the class nor `nn.Module` has it. Raises AttributeError where the classifier has not."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            classifier = self.__dict__.get("_modules", {}).get("classifier")
            if classifier is None or name.startswith("__"):  # not built yet, or asked by copy and pickle
                raise
        if name in TOLD_TO_ALL and (own := self._modules.get("mlm_encoder")) is not None:
            return _telling(getattr(classifier, name), getattr(own, name))
        return getattr(classifier, name)

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """The classifier's number of parameters, counted once: Trainer asks in each step.

        >>> model.num_parameters() == classifier.num_parameters()
        True
        """
        counted: dict[tuple[bool, bool], int] = self.__dict__.setdefault("_counted", {})
        kind = (only_trainable, exclude_embeddings)
        if kind not in counted:
            classifier: Any = self._modules["classifier"]
            counted[kind] = classifier.num_parameters(only_trainable, exclude_embeddings)
        return counted[kind]


def takes_anything(function: Callable[..., Any]) -> bool:
    """Whether a function takes arguments by whatever name."""
    return any(each.kind is each.VAR_KEYWORD for each in inspect.signature(function).parameters.values())


def _telling(*functions: Callable[..., Any]) -> Callable[..., None]:
    def tell(*given: Any, **named: Any) -> None:
        for function in functions:
            function(*given, **named)

    return tell
