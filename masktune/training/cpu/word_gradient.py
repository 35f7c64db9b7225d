"""The gradient of word embeddings that are the masked-LM head's projection too, summed once a step.

V is the size of the vocabulary, H the hidden size, N the number of masked tokens, n the number of tokens read.

Embeddings [V, H] are often half of a model. Backward fills a gradient of their size for each forward pass, though the
pass looks up n rows, and another for the head's logits [N, V], adds them up, and keeps the sum while the next loss
term runs. Here a forward pass leaves the gradient of its n rows and the head the two factors of its product, [N, V]
and [N, H]; at the end of the step they become one gradient. It is the same sum in another order, made of what torch
documents: sparse gradients of embeddings, and hooks of tensors.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from masktune.models.joint import MaskTuningModel
from masktune.training.cpu import choice

# Numbers in the embeddings, V * H; fewer are filled and added up in little more time than the calls take.
SMALLEST_EMBEDDINGS = 2**20

Factors = list[tuple[Tensor, Tensor]]


def decide(asked: bool | None, model: MaskTuningModel, equalises: bool) -> bool:
    """Whether `fast_word_gradient` is used in training this model by a method that `equalises` gradients or does not.

    `asked` None: where the embeddings are large enough for it to pay. Raises MaskTuneError for True where it cannot be
    used.
    """
    words = model.classifier.get_input_embeddings().get_parameter("weight")

    def obstacle() -> str | None:
        if words.device.type != "cpu":
            return f"the model is on {words.device.type}, and this is for a CPU"
        if words.dtype == torch.float16:
            return "the model is in float16, in which a CPU adds up no sparse gradients"
        if model.encoder != "shared":
            return "the model has no language model whose head is tied to the classifier's word embeddings"
        if not words.requires_grad:
            return "the word embeddings are frozen and have no gradient"
        if words._backward_hooks or words._post_accumulate_grad_hooks:
            return "the word embeddings have a hook on their gradient, which must be whole for it"
        if equalises:
            return "the method brings gradients of terms to equal norms, which needs each of them whole"
        return None

    return choice.decide("fast_word_gradient", asked, words.numel() >= SMALLEST_EMBEDDINGS, obstacle)


@contextmanager
def fast_word_gradient(model: MaskTuningModel) -> Iterator[None]:
    """Within the block backward leaves the gradient of tied word embeddings in parts; at its end they are one.

    For a model and a method of which `decide` says that they can be trained so. Gradients must be asked for with
    `backward`, and read after the block.
    """
    words = model.classifier.get_input_embeddings().get_parameter("weight")
    tied = [module for module in model.modules() if getattr(module, "weight", None) is words]
    lookups = [module for module in tied if isinstance(module, nn.Embedding)]
    projections = [module for module in tied if isinstance(module, nn.Linear)]
    factors: Factors = []
    for lookup in lookups:
        lookup.sparse = True
    for projection in projections:
        projection.forward = _projecting(projection, factors)  # type: ignore[method-assign, assignment]  # until the end
    try:
        yield
    finally:
        for lookup in lookups:
            lookup.sparse = False
        for projection in projections:
            del projection.forward
    words.grad = _sum(words, factors)


def _projecting(projection: nn.Linear, factors: Factors) -> Callable[[Tensor], Tensor]:
    """The forward of the projection [N, H] -> [N, V], whose backward adds to `factors` and not to the weight."""

    def forward(hidden: Tensor) -> Tensor:
        if len(hidden) > projection.in_features:  # the factors would be larger than their product
            return linear(hidden, projection.weight, projection.bias)
        logits = linear(hidden, projection.weight.detach(), projection.bias)
        if logits.requires_grad:
            logits.register_hook(lambda gradient: factors.append((gradient, hidden.detach())))
        return logits

    return forward


def _sum(words: Tensor, factors: Factors) -> Tensor | None:
    """What backward left at the embeddings, of single rows or of all, and the products of the factors. -> [V, H]."""
    gradient = words.grad
    if not factors:
        return gradient.to_dense() if gradient is not None and gradient.is_sparse else gradient
    left, right = (torch.cat(sides) for sides in zip(*factors, strict=True))
    product = (left.T @ right.to(left.dtype)).to(words.dtype)
    return product if gradient is None else product.add_(gradient)
