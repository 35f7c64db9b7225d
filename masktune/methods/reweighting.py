"""Example reweighting (Clark, Yatskar and Zettlemoyer 2019, EMNLP).

An example that a bias model gets right with probability b_y counts 1 - b_y:

    L = sum of (1 - b_y) CE(p, y) / sum of (1 - b_y)    over the batch

The paper gives the weight; that the sum is divided by the weights' sum is from the released code, and keeps the size of
the loss. With b_y = 0 for all it is fine-tuning. The bias model judges examples that it has not seen, see
masktune.methods.bias.

Usage:

    from masktune import MaskTuningTrainer, methods, prepare

    method = methods.build("reweighting", bias_model="bag_of_words")
    train = prepare(method, train, tokenizer, args, checkpoint, label_names)
    trainer = MaskTuningTrainer(model, args, method=method, train_dataset=train, processing_class=tokenizer)
    trainer.train()
"""

from dataclasses import dataclass

from torch import Tensor

from masktune.losses import classification_loss
from masktune.methods.base import Examples
from masktune.methods.bias import BiasAwareLoss


@dataclass(frozen=True)
class Reweighting(BiasAwareLoss):
    """Cross-entropy weighted by 1 - b_y."""

    name = "reweighting"
    label = "example reweighting"
    reference = "Clark et al. 2019"
    formula = "mean of CE(p, y) weighted by 1 - b_y, b the probabilities of a bias model"

    def loss(self, logits: Tensor, examples: Examples) -> Tensor:
        weights = 1 - self.bias_of_label(examples)
        counted = examples.example_weights(logits)
        return classification_loss(logits, examples.labels, weights if counted is None else weights * counted)
