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
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from masktune import losses as objective
from masktune import perturb
from masktune.errors import one_of
from masktune.methods.base import PLAIN, Batch, Classification, Examples, Method, Term
from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models.joint import MaskTuningModel


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
    formula = "alpha * L_MLM + (1 - alpha) * CE(x', y)"

    def __post_init__(self) -> None:
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
    def classifies(self) -> bool:
        return objective.term_weights(self.alpha, self.alpha_weights)[1] > 0

    @property
    def equalises(self) -> bool:
        return self.reduction == "equalised"

    def terms(
        self, model: "MaskTuningModel", batch: Batch, streams: Streams, classification: Classification = PLAIN
    ) -> Iterator[Term]:
        examples = Examples.of(batch)
        input_ids, inputs = examples.inputs["input_ids"], examples.inputs
        mlm_weight, classification_weight = objective.term_weights(self.alpha, self.alpha_weights)
        candidates = perturb.maskable(input_ids, inputs["attention_mask"], model.vocabulary)
        positions = perturb.choose_positions(candidates, self.mask_rate, streams["positions"], self.positions)
        perturbed = input_ids
        if positions.any():
            masked = perturb.mask(input_ids, positions, model.vocabulary, streams["symbols"], self.symbol)
            with torch.set_grad_enabled(mlm_weight > 0 and torch.is_grad_enabled()):
                logits = model.mlm_logits(masked, positions=positions, **inputs)
            perturbed = perturb.fill(input_ids, positions, logits, model.vocabulary, streams["fill"], self.fill)
            if self._learns_language:
                loss = objective.mlm_loss(logits, input_ids[positions], int(candidates.sum()), self.reduction)
                yield Term("mlm", mlm_weight, loss, equalise=self.equalises)
            # Backward has been called by now, and the logits [N, V] are the largest tensor of the step.
            del logits
        if classification_weight > 0:
            classified = self._examples_to_classify(examples, perturbed)
            yield from classification.terms(model, classified, classification_weight, streams)

    def passes(self, classifier: int = 1) -> tuple[int, int]:
        texts = 1 if self.classify == "perturbed" else 2
        classified = classifier * texts if self.classifies else 0
        return (self.mask_rate > 0) + classified, (self.mask_rate > 0 and self._learns_language) + classified

    @property
    def _learns_language(self) -> bool:
        return objective.term_weights(self.alpha, self.alpha_weights)[0] > 0 and self.encoder != "frozen"

    def _examples_to_classify(self, examples: Examples, filled_ids: Tensor) -> Examples:
        """The perturbed examples, ids [B, L], after the originals where both are asked for.

        With `keep="correct"` a perturbed example counts only where the classifier predicts its label. A row in which
        nothing was changed is read once, and counts twice.
        """
        perturbed = examples.with_text(filled_ids)
        if self.keep == "all" and self.classify == "perturbed":
            return perturbed
        one = torch.ones_like(examples.labels, dtype=torch.float32)
        always, if_correct = (one, 0 * one) if self.keep == "all" else (0 * one, one)
        perturbed = replace(perturbed, weights=always, weights_if_correct=if_correct)
        if self.classify == "perturbed":
            return perturbed
        changed = (filled_ids != examples.inputs["input_ids"]).any(1)
        copies = (~changed).float()  # of an unchanged row, which count with their original
        originals = replace(examples, weights=one + copies * always, weights_if_correct=copies * if_correct)
        return originals.followed_by(perturbed.rows(changed))
