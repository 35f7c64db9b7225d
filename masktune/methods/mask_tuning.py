"""Mask-tuning (Ghanbarzadeh et al. 2023, arXiv 2307.10457).

For each batch: (1) mask 5 % of the tokens; (2) the masked-LM head predicts them, `L_MLM`; (3) the predictions fill the
gaps: the perturbed examples; (4) the classifier reads them with the ORIGINAL labels, `L_FT`; (5)
`L = alpha * L_MLM + (1 - alpha) * L_FT` updates everything.

No code was released, and much is unsaid. Our reading, each point an option of `MaskTuning`:

mask_rate      0.05, the paper's best.
positions      each ordinary token on its own with that probability; the paper does not say which tokens.
symbol         always the mask token, and not BERT's 80/10/10.
fill           the most probable token, of the very pass that gives `L_MLM` (dropout on, as in training).
classify       the perturbed examples alone, as the abstract has it; "both" adds the originals, as a summary has it.
encoder        one shared encoder under two heads.
alpha          0.6, suggested for BERT on SST-2; it weights the MLM loss, as in the sister paper.
reduction      the MLM loss is the mean over the masked tokens, transformers' convention.
keep           every perturbed example: the cross-entropy against the true label is the validation that the paper
               speaks of; "correct" drops those that the classifier gets wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from masktune import objective, perturb
from masktune.errors import one_of
from masktune.methods.base import Batch, Method, Term, split
from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models import MaskTuningModel


@dataclass(frozen=True)
class MaskTuning(Method):
    """L = alpha * L_MLM + (1 - alpha) * L_FT: two forward and two backward passes, one and one where alpha is 0."""

    alpha: float = 0.6
    mask_rate: float = 0.05
    positions: str = "bernoulli"
    symbol: str = "mask"
    fill: str = "argmax"
    classify: str = "perturbed"
    encoder: str = "shared"
    alpha_weights: str = "mlm"
    reduction: str = "masked"
    keep: str = "all"

    name = "mask_tuning"
    label = "Mask-tuning"
    reference = "Ghanbarzadeh et al. 2023"

    def __post_init__(self):
        objective.check_alpha(self.alpha)
        perturb.check_mask_rate(self.mask_rate)
        one_of(self.positions, perturb.POSITIONS, "choice of positions")
        one_of(self.symbol, perturb.SYMBOLS, "mask symbol")
        one_of(self.fill, perturb.FILLS, "fill")
        one_of(self.classify, objective.CLASSIFY, "text to classify")
        one_of(self.encoder, objective.ENCODERS, "encoder")
        one_of(self.alpha_weights, objective.ALPHA_WEIGHTS, "loss that alpha weights")
        one_of(self.reduction, objective.REDUCTIONS, "reduction of the MLM loss")
        one_of(self.keep, objective.KEEP, "filter of perturbed examples")

    @property
    def equalises(self) -> bool:
        return self.reduction == "equalised"

    def terms(self, model: "MaskTuningModel", batch: Batch, streams: Streams) -> Iterator[Term]:
        input_ids, labels, inputs = split(batch)
        mlm_weight, classification_weight = objective.term_weights(self.alpha, self.alpha_weights)
        candidates = perturb.maskable(input_ids, inputs["attention_mask"], model.vocabulary)
        positions = perturb.choose_positions(candidates, self.mask_rate, streams["positions"], self.positions)
        perturbed = input_ids
        if positions.any():
            masked = perturb.mask(input_ids, positions, model.vocabulary, streams["symbols"], self.symbol)
            with torch.set_grad_enabled(mlm_weight > 0 and torch.is_grad_enabled()):
                logits = model.mlm_logits(masked, input_ids, positions, **inputs)
            perturbed = perturb.fill(input_ids, positions, logits, model.vocabulary, streams["fill"], self.fill)
            if mlm_weight > 0 and self.encoder != "frozen":
                loss = objective.mlm_loss(logits, input_ids[positions], int(candidates.sum()), self.reduction)
                yield Term("mlm", mlm_weight, loss, equalise=self.equalises)
            # Backward has been called by now, and the logits [N, V] are the largest tensor of the step.
            del logits
        if classification_weight > 0:
            yield Term(
                "classification", classification_weight, self._classify(model, input_ids, perturbed, labels, inputs)
            )

    def _classify(
        self, model: "MaskTuningModel", input_ids: Tensor, perturbed: Tensor, labels: Tensor, inputs: Batch
    ) -> Tensor:
        """L_FT of the perturbed examples [B, L], and of the originals where both are asked for. Scalar.

        A row that nothing was changed in is read once and counts twice.
        """
        if self.classify == "perturbed":
            logits = model(input_ids=perturbed, **inputs).logits
            return objective.classification_loss(logits, labels, self._weights(logits, labels))
        changed = (perturbed != input_ids).any(1)
        both = {name: torch.cat([values, values[changed]]) for name, values in inputs.items()}
        labels = torch.cat([labels, labels[changed]])
        logits = model(input_ids=torch.cat([input_ids, perturbed[changed]]), **both).logits
        originals = 2.0 - changed.float()
        copies = torch.ones_like(originals[changed])
        weights = self._weights(logits, labels)
        if weights is not None:
            copies, originals = weights[len(originals) :], originals.where(changed, 1 + weights[: len(originals)])
        return objective.classification_loss(logits, labels, torch.cat([originals, copies]))

    def _weights(self, logits: Tensor, labels: Tensor) -> Tensor | None:
        """Weights [B] of perturbed examples: None for all alike, else 1 where the classifier is right, else 0."""
        return None if self.keep == "all" else (logits.argmax(-1) == labels).float()
