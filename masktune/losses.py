"""The joint loss of Mask-tuning, `L = alpha * L_MLM + (1 - alpha) * L_FT`, and other losses, as functions of tensors.

B is the batch size, N the number of masked tokens in the batch, V the size of the vocabulary, C the number of classes.
The paper (arXiv 2307.10457, section "Mask-tuning") gives the sum; which of the two losses alpha weights, and over
which tokens the MLM loss is averaged, it does not say. Each function states our choice and the alternatives.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from masktune import parts
from masktune.errors import MaskTuneError, one_of

# A gradient parameter by parameter; None where a term does not reach the parameter.
Gradient = Sequence[Tensor | None]
ALPHA_WEIGHTS = ("mlm", "classification")
REDUCTIONS = ("masked", "maskable", "equalised")
CLASSIFY = ("perturbed", "both")
KEEP = ("all", "correct")
# Whether the two losses meet in one encoder, see masktune.models.joint; named here, where transformers is not imported.
ENCODERS = ("shared", "separate", "frozen")


def check_alpha(alpha: float) -> float:
    """Return alpha; raise MaskTuneError unless 0 <= alpha <= 1.

    >>> check_alpha(0.6)
    0.6
    """
    if not (isinstance(alpha, int | float) and 0 <= alpha <= 1):
        raise MaskTuneError(f"alpha {alpha!r} is outside [0, 1]; the paper suggests 0.6 for BERT on SST-2")
    return alpha


def joint_loss(mlm: Tensor, classification: Tensor, alpha: float, alpha_weights: str = "mlm") -> Tensor:
    """L = alpha * L_MLM + (1 - alpha) * L_FT, the equation of the paper. Two scalars -> scalar.

    Training minimises this sum without ever holding both of its graphs: the method yields each loss with its weight
    (`term_weights`), and the trainer calls backward on one before the next is computed. Gradients add up.

    >>> joint_loss(torch.tensor(2.0), torch.tensor(1.0), alpha=0.6)
    tensor(1.6000)
    """
    mlm_weight, classification_weight = term_weights(alpha, alpha_weights)
    return mlm_weight * mlm + classification_weight * classification


def term_weights(alpha: float, alpha_weights: str = "mlm") -> tuple[float, float]:
    """The weights of (L_MLM, L_FT). Alpha weights the MLM loss (our choice, as in the sister paper) or the other.

    >>> term_weights(0.6), term_weights(0.6, alpha_weights="classification")
    ((0.6, 0.4), (0.4, 0.6))
    """
    check_alpha(alpha)
    one_of(alpha_weights, ALPHA_WEIGHTS, "loss that alpha weights")
    return (alpha, 1 - alpha) if alpha_weights == "mlm" else (1 - alpha, alpha)


def mlm_loss(logits: Tensor, targets: Tensor, maskable_count: int, reduction: str = "masked") -> Tensor:
    """L_MLM of the masked tokens. Logits [N, V] with N > 0, targets [N], how many tokens could be masked -> scalar.

    "masked"     mean over the N masked tokens, transformers' convention (our primary choice)
    "maskable"   sum over the masked tokens divided by the number of tokens that could have been masked
    "equalised"  as "masked"; the trainer then rescales its gradient to the norm of L_FT's, see `equalised_scale`

    >>> guesses = torch.zeros(1, 4)  # of one masked token, among four: ln 4
    >>> mlm_loss(guesses, torch.tensor([2]), maskable_count=20)
    tensor(1.3863)
    >>> mlm_loss(guesses, torch.tensor([2]), maskable_count=20, reduction="maskable")
    tensor(0.0693)
    """
    one_of(reduction, REDUCTIONS, "reduction of the MLM loss")
    total = cross_entropy(logits.float(), targets, reduction="sum")
    return total / parts.mean_divisor(maskable_count if reduction == "maskable" else len(targets))


def classification_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """L_FT. Logits [B, C], labels [B] or probabilities of the classes [B, C] -> mean over the examples, scalar.

    `weights` [B] of the examples (all one if None) make it a weighted mean.

    >>> classification_loss(torch.zeros(3, 2), torch.tensor([0, 1, 1]))
    tensor(0.6931)
    """
    if weights is None and parts.held() is None:
        return cross_entropy(logits.float(), labels)
    return weighted_mean(cross_entropy(logits.float(), labels, reduction="none"), weights)


def weighted_mean(values: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean of values [B] by weights [B] (all one if None), 0 where no example has any weight. Scalar.

    >>> weighted_mean(torch.tensor([1.0, 3.0]), torch.tensor([3.0, 1.0]))
    tensor(1.5000)
    """
    if weights is None:
        return values.mean() if parts.held() is None else values.sum() / parts.mean_divisor(len(values))
    total = torch.as_tensor(parts.mean_divisor(weights.sum()))
    return (weights * values).sum() / total.clamp(min=torch.finfo(torch.float32).tiny)


def kl_divergence(logits: Tensor, others: Tensor) -> Tensor:
    """KL(p || q) of each example. Logits of p [B, C], logits of q [B, C] -> [B].

    >>> kl_divergence(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 0.0]]))
    tensor([0.])
    """
    log_p, log_q = logits.float().log_softmax(-1), others.float().log_softmax(-1)
    return (log_p.exp() * (log_p - log_q)).sum(-1)


def js_divergence(logits: Tensor, others: Tensor) -> Tensor:
    """Jensen-Shannon divergence of each example: the mean KL of p and q from their mean. [B, C], [B, C] -> [B].

    >>> js_divergence(torch.tensor([[50.0, 0.0]]), torch.tensor([[0.0, 50.0]]))  # at most ln 2
    tensor([0.6931])
    """
    log_p, log_q = logits.float().log_softmax(-1), others.float().log_softmax(-1)
    middle = torch.logaddexp(log_p, log_q) - math.log(2)
    return ((log_p.exp() * (log_p - middle)).sum(-1) + (log_q.exp() * (log_q - middle)).sum(-1)) / 2


def equalised_scale(gradient: Gradient, reference: Gradient) -> Tensor:
    """The factor that gives the gradient of one term the norm of the other's; 1 if the first vanishes. Scalar.

    >>> equalised_scale([torch.tensor([3.0, 4.0])], [torch.tensor([10.0])])
    tensor(2.)
    """
    norm, target = gradient_norm(gradient), gradient_norm(reference)
    return torch.where(norm > 0, target / norm.clamp(min=torch.finfo(norm.dtype).tiny), torch.ones_like(norm))


def gradient_norm(gradient: Gradient) -> Tensor:
    """Euclidean norm of a gradient given parameter by parameter. Scalar.

    >>> gradient_norm([torch.tensor([3.0, 4.0]), None])
    tensor(5.)
    """
    return torch.stack([values.norm() for values in gradient if values is not None] or [torch.zeros(())]).norm()


def gradient_product(first: Gradient, second: Gradient) -> Tensor:
    """Inner product of two gradients given parameter by parameter. Scalar.

    >>> gradient_product([torch.tensor([3.0, 4.0]), None], [torch.tensor([1.0, 2.0]), None])
    tensor(11.)
    """
    pairs = zip(first, second, strict=True)
    return sum(((one * other).sum() for one, other in pairs if not (one is None or other is None)), torch.zeros(()))
