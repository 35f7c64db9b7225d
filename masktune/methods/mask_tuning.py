"""Mask-tuning (Ghanbarzadeh et al. 2023, arXiv 2307.10457).

For each batch: (1) mask 5 % of the tokens; (2) the masked-LM head predicts them, `L_MLM`; (3) the predictions fill the
gaps: the perturbed examples; (4) the classifier reads them with the ORIGINAL labels, `L_FT`; (5)
`L = alpha * L_MLM + (1 - alpha) * L_FT` updates everything.

No code was released, and the paper leaves much open. Our choices, each an option of `MaskTuning`:

mask_rate      0.05, the paper's best.
positions      each ordinary token on its own with that probability; the paper does not say which tokens.
symbol         always the mask token, and not BERT's 80/10/10.
fill           the most probable token. "soft" reads the mean word embedding under the predicted distribution instead.
fill_mode      predicted by the very pass that gives `L_MLM`, with dropout as in training; "evaluation" predicts the
               fills without dropout, in a forward pass of their own, and `L_MLM` stays what it is.
fill_gradient  off; of a soft fill it can be on, and `L_FT` then reaches the language model through its predictions:
               the only reading in which the classifier teaches the filler. Both graphs are then in memory at once.
classify       the perturbed examples alone, as the abstract has it; "both" adds the originals.
encoder        one shared encoder under two heads.
alpha          0.6, suggested for BERT on SST-2; it weights the MLM loss, as in the sister paper.
reduction      the MLM loss is the mean over the masked tokens, transformers' convention.
keep           every perturbed example: the cross-entropy against the true label is the validation that the paper
               speaks of; "correct" drops those that the classifier gets wrong.

Usage:

    from masktune import MaskTuningTrainer, methods

    method = methods.build("mask_tuning", alpha=0.6, mask_rate=0.05, fill="sample")
    trainer = MaskTuningTrainer(model, args, method=method, train_dataset=train, processing_class=tokenizer)
    trainer.train()
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from masktune import losses, parts, perturb
from masktune.errors import MaskTuneError, one_of
from masktune.methods.base import PLAIN, Batch, Classification, Examples, Method, Term
from masktune.streams import Streams

if TYPE_CHECKING:
    from masktune.models.joint import MaskTuningModel


@dataclass(frozen=True)
class MaskTuning(Method):
    """L = alpha * L_MLM + (1 - alpha) * L_FT: two forward and two backward passes.

    With alpha = 0 no backward pass goes through the language model (unless `fill_gradient` sends that of `L_FT`), with
    alpha = 1 nothing is classified.

    >>> MaskTuning(alpha=0.3).objective
    "0.3 * L_MLM (mean over masked tokens) + 0.7 * CE(x', y), x' with 5 % of its tokens replaced (Mask-tuning)"
    """

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
    fill_mode: str = "training"
    fill_gradient: bool = False

    name = "mask_tuning"
    label = "Mask-tuning"
    reference = "Ghanbarzadeh et al. 2023"
    formula = "alpha * L_MLM + (1 - alpha) * CE(x', y)"

    @classmethod
    def paper(cls) -> "MaskTuning":
        """The literal reading of the paper, which the studies measure; the same as `MaskTuning()`.

        Its MLM loss is a mean over the masked tokens alone. In a training of a few hundred steps that loss drowns the
        classifier's (masktune.training.advice).

        >>> MaskTuning.paper() == MaskTuning(), MaskTuning.paper().reduction
        (True, 'masked')
        """
        return cls()

    @classmethod
    def recommended(cls) -> "MaskTuning":
        """What `MaskTuningTrainer` trains with where no method is given: the MLM loss is a mean over all tokens.

        Chosen for its accuracy in distribution alone. In the embedded study this reading is at least as accurate
        there as the paper's with each of three models on each of three tasks, and it learns its task in short
        trainings too; `tests/methods/test_recommended.py` compares them again. What the two readings do out of
        distribution had no part in the choice.

        >>> MaskTuning.recommended().options()
        {'reduction': 'maskable'}
        """
        return cls(reduction="maskable")

    @property
    def objective(self) -> str:
        mlm, classification = self._weights
        mean = {"masked": "mean over masked tokens", "maskable": "mean over all tokens", "equalised": "equal norms"}
        texts = "x'" if self.classify == "perturbed" else "x and x'"
        return (
            f"{mlm:g} * L_MLM ({mean[self.reduction]}) + {classification:g} * CE({texts}, y), x' with "
            f"{100 * self.mask_rate:g} % of its tokens replaced (Mask-tuning)"
        )

    def __post_init__(self) -> None:
        losses.check_alpha(self.alpha)
        perturb.check_mask_rate(self.mask_rate)
        one_of(self.positions, perturb.POSITIONS, "choice of positions")
        one_of(self.symbol, perturb.SYMBOLS, "mask symbol")
        one_of(self.fill, perturb.FILLS, "fill")
        one_of(self.classify, losses.CLASSIFY, "text to classify")
        one_of(self.encoder, losses.ENCODERS, "encoder")
        one_of(self.alpha_weights, losses.ALPHA_WEIGHTS, "loss that alpha weights")
        one_of(self.reduction, losses.REDUCTIONS, "reduction of the MLM loss")
        one_of(self.keep, losses.KEEP, "filter of perturbed examples")
        one_of(self.fill_mode, perturb.FILL_MODES, "mode in which fills are predicted")
        self._check_fill()

    def _check_fill(self) -> None:
        """Raise MaskTuneError for options of a fill that it does not have."""
        if self.fill_mode != "training" and self.fill not in perturb.PREDICTED_FILLS:
            raise MaskTuneError(
                f"fill_mode {self.fill_mode!r}: the fill {self.fill!r} is not predicted; leave fill_mode out, or "
                f"choose one of the fills {', '.join(perturb.PREDICTED_FILLS)}"
            )
        if not isinstance(self.fill_gradient, bool):
            raise MaskTuneError(f"fill_gradient {self.fill_gradient!r}; expected true or false")
        if self.fill_gradient and self.fill != "soft":
            raise MaskTuneError(
                f"fill_gradient = true: the tokens of the fill {self.fill!r} carry no gradient; choose fill 'soft'"
            )
        if self.fill_gradient and self.encoder == "frozen":
            raise MaskTuneError(
                "fill_gradient = true: a frozen language model learns nothing; choose encoder 'shared' or 'separate'"
            )

    @property
    def classifies(self) -> bool:
        return self._weights[1] > 0

    @property
    def equalises(self) -> bool:
        return self.reduction == "equalised"

    @property
    def learns_language(self) -> bool:
        return self._has_mlm_term or self._teaches

    @property
    def needs_classes(self) -> bool:
        return self.keep == "correct"

    @property
    def weighs_examples(self) -> bool:
        return self.keep != "all" or self.classify == "both"

    @property
    def edits_modules(self) -> bool:
        return self.fill == "soft"

    def terms(
        self, model: "MaskTuningModel", batch: Batch, streams: Streams, classification: Classification = PLAIN
    ) -> Iterator[Term]:
        examples = Examples.of(batch)
        perturbed = self.perturb_batch(model, examples.inputs, streams)
        mlm_weight, classification_weight = self._weights
        if perturbed.logits is not None and self._has_mlm_term:
            targets = examples.inputs["input_ids"][perturbed.positions]
            loss = losses.mlm_loss(perturbed.logits, targets, perturbed.maskable_count, self.reduction)
            # The fills' graph, where they have one and it is of this pass, is needed once more.
            keep_graph = self._teaches and not self._fills_apart
            yield Term("mlm", mlm_weight, loss, equalise=self.equalises, keep_graph=keep_graph)
        elif self._has_mlm_term and parts.tokens_elsewhere():
            # Nothing is masked in this process's part of the batch: it only counts what could have been.
            parts.mean_divisor(perturbed.maskable_count if self.reduction == "maskable" else 0)
            nothing = torch.zeros((), device=examples.labels.device)
            yield Term("mlm", mlm_weight, nothing, equalise=self.equalises)
        # Backward has been called by now, and the logits [N, V] are the largest tensor of the step.
        filled = self._fill(model, examples, perturbed)
        del perturbed
        if self.classifies:
            read = self._examples_to_classify(examples, filled)
            for term in classification.terms(model, read, classification_weight, streams):
                # The terms of a forward pass that has several share the mean word embeddings.
                yield replace(term, keep_graph=True) if self.fill == "soft" else term

    def perturb_batch(self, model: "MaskTuningModel", inputs: Batch, streams: Streams) -> perturb.PerturbedBatch:
        """Steps 1 to 3 for inputs [B, L]. Logits have a graph where the language model is trained with them.

        >>> perturbed = MaskTuning(mask_rate=0.5).perturb_batch(model, inputs, Streams(0))
        >>> perturbed.filled_ids.shape == inputs["input_ids"].shape
        True
        >>> len(perturbed.logits) == int(perturbed.positions.sum())
        True
        """

        def predict(masked_ids: Tensor, positions: Tensor) -> Tensor:
            learns = self._weights[0] > 0 or self.fill_gradient
            with torch.set_grad_enabled(learns and torch.is_grad_enabled()):
                return model.mlm_logits(masked_ids, positions=positions, **inputs)

        def predict_without_dropout(masked_ids: Tensor, positions: Tensor) -> Tensor:
            with torch.set_grad_enabled(self.fill_gradient and torch.is_grad_enabled()), model.without_dropout():
                return model.mlm_logits(masked_ids, positions=positions, **inputs)

        evaluated = self.fill_mode == "evaluation"
        return perturb.perturb_batch(
            inputs["input_ids"],
            inputs["attention_mask"],
            predict_without_dropout if evaluated and not self._fills_apart else predict,
            model.vocabulary,
            streams,
            self.mask_rate,
            self.positions,
            self.symbol,
            self.fill,
            predict_without_dropout if self._fills_apart else None,
        )

    def passes(self, classifier: int = 1) -> tuple[int, int]:
        texts = 1 if self.classify == "perturbed" else 2
        classified = classifier * texts if self.classifies else 0
        forward, backward = 1 + self._fills_apart, self._has_mlm_term + self._teaches * classifier
        masks = self.mask_rate > 0
        return masks * forward + classified, masks * backward + classified

    @property
    def _weights(self) -> tuple[float, float]:
        """The weights of L_MLM and of L_FT."""
        return losses.term_weights(self.alpha, self.alpha_weights)

    @property
    def _has_mlm_term(self) -> bool:
        return self._weights[0] > 0 and self.encoder != "frozen"

    @property
    def _fills_apart(self) -> bool:
        """Whether the fills have a forward pass of their own, next to that of L_MLM."""
        return self.fill_mode == "evaluation" and self._has_mlm_term

    @property
    def _teaches(self) -> bool:
        """Whether L_FT goes back through the language model's predictions."""
        return self.fill_gradient and self.classifies

    def _fill(self, model: "MaskTuningModel", examples: Examples, perturbed: perturb.PerturbedBatch) -> Examples:
        """The examples with their gaps filled: by tokens, or by mean word embeddings."""
        filled = examples.with_text(perturbed.filled_ids)
        if self.fill != "soft" or perturbed.fill_logits is None:
            return filled
        probabilities = perturb.ordinary_logits(perturbed.fill_logits, model.vocabulary).softmax(-1)
        means = model.expected_words(probabilities if self.fill_gradient else probabilities.detach())
        words = means.new_zeros(*perturbed.positions.shape, means.shape[-1])
        words = words.masked_scatter(perturbed.positions[..., None], means)
        return filled.with_soft_words(words, perturbed.positions)

    def _examples_to_classify(self, examples: Examples, perturbed: Examples) -> Examples:
        """The perturbed examples, after the originals where both are asked for.

        With `keep="correct"` a perturbed example counts only where the classifier predicts its label. A row in which
        nothing was changed is read once, and counts twice.
        """
        if self.keep == "all" and self.classify == "perturbed":
            return perturbed
        one = torch.ones_like(examples.labels, dtype=torch.float32)
        always, if_correct = (one, 0 * one) if self.keep == "all" else (0 * one, one)
        perturbed = replace(perturbed, weights=always, weights_if_correct=if_correct)
        if self.classify == "perturbed":
            return perturbed
        changed = _where_changed(examples, perturbed).any(1)
        copies = (~changed).float()  # of an unchanged row, which count with their original
        originals = replace(examples, weights=one + copies * always, weights_if_correct=copies * if_correct)
        if "soft_words" in perturbed.inputs:
            words, where = (torch.zeros_like(perturbed.inputs[name]) for name in ("soft_words", "soft_positions"))
            originals = originals.with_soft_words(words, where)
        return originals.followed_by(perturbed.rows(changed))


def _where_changed(examples: Examples, perturbed: Examples) -> Tensor:
    """Where a perturbed text is not the original. bool [B, L]."""
    changed = perturbed.inputs["input_ids"] != examples.inputs["input_ids"]
    return changed | perturbed.inputs.get("soft_positions", torch.zeros_like(changed))
