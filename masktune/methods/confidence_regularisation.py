"""Confidence regularisation (Utama, Moosavi and Gurevych 2020, ACL, "Mind the trade-off").

Self-distillation from a teacher t, plain fine-tuning of the same checkpoint, whose certainty is scaled down where a
bias model is right with probability b_y:

    L = CE(p, s),    s_j proportional to t_j^(1 - b_y)

With b_y = 0 the target is the teacher, with b_y = 1 it is uniform. Paper and released code agree. The teacher is
trained on all train examples and gives its probabilities for these same examples, as in the paper: it represents what
fine-tuning learns. It is trained once, with the seed of all features, and every seed of a study learns from
it. The bias model judges examples that it has not seen, see masktune.methods.bias.

Usage:

    from masktune import MaskTuningTrainer, methods, prepare

    method = methods.build("confidence_regularisation", bias_model="hypothesis")
    train = prepare(method, train, tokenizer, args, checkpoint, label_names)
    trainer = MaskTuningTrainer(model, args, method=method, train_dataset=train, processing_class=tokenizer)
    trainer.train()
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from masktune.features import Feature, FeatureBuilder
from masktune.losses import classification_loss
from masktune.methods.base import Examples
from masktune.methods.bias import BiasAwareLoss, finite_log

if TYPE_CHECKING:
    import numpy


@dataclass(frozen=True)
class TeacherProbabilities(Feature):
    """What plain fine-tuning on all train examples predicts for each of them: probabilities [n, C], float32."""

    summary = "probabilities of a fine-tuned teacher"
    depends_on = ("checkpoint", "training")

    def compute(self, builder: FeatureBuilder) -> "numpy.ndarray":
        return builder.predict(builder.fine_tune())


@dataclass(frozen=True)
class ConfidenceRegularisation(BiasAwareLoss):
    """Cross-entropy against the teacher's probabilities to the power of 1 - b_y."""

    name = "confidence_regularisation"
    label = "confidence regularisation"
    reference = "Utama et al. 2020a"
    formula = "CE(p, s), s proportional to t^(1 - b_y), t a fine-tuned teacher, b the probabilities of a bias model"

    @property
    def needs(self) -> dict[str, Feature]:
        return {**super().needs, "teacher": TeacherProbabilities()}

    def loss(self, logits: Tensor, examples: Examples) -> Tensor:
        certainty = 1 - self.bias_of_label(examples)
        target = (finite_log(examples.prepared["teacher"]) * certainty[:, None]).softmax(-1)
        return classification_loss(logits, target, examples.example_weights(logits))
