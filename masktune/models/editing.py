"""What methods change inside a classifier while it reads: its word embeddings, its layers, what it attends to.

B is the batch size, L the padded length, H the hidden size. What each type of model has where is in
masktune.models.families.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from masktune.errors import MaskTuneError
from masktune.models.adapters import unwrapped
from masktune.models.families import Stack, family_of, shift_right, stacks_of
from masktune.models.sharing import base_of


class Editing(nn.Module):
    """The part of a MaskTuningModel that edits how its classifier reads."""

    classifier: PreTrainedModel

    @property
    def transformers_classifier(self) -> PreTrainedModel:
        """The classifier as transformers has it, without a wrapper of peft: what names its inputs."""
        return unwrapped(self.classifier)

    @property
    def encoder_of_classifier(self) -> PreTrainedModel:
        """The classifier without its head."""
        return base_of(self.transformers_classifier)

    @contextlib.contextmanager
    def edit(
        self, where: str, values: Callable[[int], Tensor], edit: Callable[[Tensor, Tensor], Tensor]
    ) -> Iterator[None]:
        """Within the block the classifier reads text with edited outputs of some of its modules.

        The output [B, L, H] of each module `where` (a field of `Stack`), numbered from the first layer to the last, is
        replaced by `edit(output, values(number))`. `values` are [B, L, ...], a row for each token; they reach a stack
        that reads the text shifted as it reads it. Raises MaskTuneError for a type of model of which it is not known
        where they are, and for layers that are computed once more in the backward pass, when the block has ended.

        >>> kept = torch.zeros_like(inputs["input_ids"], dtype=torch.float)  # of no token anything is left
        >>> with model.edit("words", lambda number: kept, lambda output, kept: output * kept[..., None]):
        ...     empty = model(**inputs).logits
        >>> torch.equal(empty, model(**inputs).logits)
        False
        """
        if where == "feed_forward" and _recomputes(self.encoder_of_classifier):
            raise MaskTuneError(
                "gradient_checkpointing = True computes the layers again in the backward pass, without the cut of "
                "HiddenCut; leave it out, or choose another method"
            )
        places = [(module, stack.shifted) for stack in self._stacks(where) for module in getattr(stack, where)]
        with contextlib.ExitStack() as hooks:
            for number, (module, shifted) in enumerate(places):
                own = shift_right(values(number)) if shifted else values(number)
                hook = module.register_forward_hook(
                    lambda module, inputs, output, own=own: edit(output, _as_long_as(output, own))
                )
                hooks.callback(hook.remove)
            yield

    @contextlib.contextmanager
    def read_softly(self, words: Tensor, where: Tensor) -> Iterator[None]:
        """Within the block the classifier reads `words` [B, L, H] at bool [B, L], before any `edit` of the words.

        BART multiplies the embeddings that it looks up by a factor of the stack that reads them; these alike.

        >>> words = model.classifier.get_input_embeddings()(inputs["input_ids"])
        >>> with model.eval().read_softly(words, torch.ones_like(inputs["input_ids"], dtype=torch.bool)):
        ...     same = model(**inputs).logits
        >>> torch.equal(same, model(**inputs).logits)
        True
        """
        with contextlib.ExitStack() as hooks:
            for stack in self._stacks("words"):
                own, there = (shift_right(words), shift_right(where)) if stack.shifted else (words, where)
                for module in stack.words:
                    scaled = getattr(module, "embed_scale", 1.0) * own
                    hook = module.register_forward_hook(_replacing(scaled, there), prepend=True)
                    hooks.callback(hook.remove)
            yield

    def hide_from_attention(self, inputs: dict[str, Tensor], tokens: Tensor) -> dict[str, Tensor]:
        """The inputs of the classifier with an attention that leaves out some `tokens`, bool [B, L].

        >>> first = torch.zeros_like(inputs["input_ids"], dtype=torch.bool)
        >>> first[:, 1] = True
        >>> model.hide_from_attention(inputs, first)["attention_mask"][0, :3].tolist()
        [1, 0, 1]
        """
        inputs = {**inputs, "attention_mask": inputs["attention_mask"].masked_fill(tokens, 0)}
        if any(stack.shifted for stack in self._stacks("attention")):
            inputs["decoder_attention_mask"] = (~shift_right(tokens)).long()
        return inputs

    @torch.no_grad()
    def attention(self, inputs: dict[str, Tensor]) -> Tensor:
        """How much the classification attends to each token in the last layer, mean over the heads. -> [B, L].

        >>> model.attention(inputs).sum(1)
        tensor([1.0000, 1.0000])
        """
        classifier: Any = self.classifier
        family = family_of(classifier.config, "attention")
        classifier.set_attn_implementation("eager")  # the others do not tell
        output = classifier(**inputs, output_attentions=True)
        return family.attention(output, inputs["attention_mask"]).mean(1)

    def _stacks(self, change: str) -> list[Stack]:
        return stacks_of(self.encoder_of_classifier, change)


def _recomputes(model: nn.Module) -> bool:
    return any(getattr(module, "gradient_checkpointing", False) for module in model.modules())


def _replacing(words: Tensor, where: Tensor) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    """A forward hook that puts `words` [B, L, H] into the output of its module at bool [B, L]."""

    def hook(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        there = _as_long_as(output, where)
        return torch.where(there[..., None], _as_long_as(output, words).to(output.dtype), output)

    return hook


def _as_long_as(output: Tensor, values: Tensor) -> Tensor:
    """Values of tokens [B, L, ...] with zeros behind, where a model pads the text further, as Longformer does."""
    missing = output.shape[1] - values.shape[1]
    if missing <= 0:
        return values
    return torch.cat([values, values.new_zeros(len(values), missing, *values.shape[2:])], dim=1)
