"""Product of Experts (Clark, Yatskar and Zettlemoyer 2019, EMNLP; Karimi Mahabadi et al. 2020, ACL).

What a bias model can explain is left to it, and the model under training has to explain the rest: it is trained in a
product with the fixed probabilities b of the bias model,

    L = CE(softmax(log p + log b), y)

and used without it. A uniform b changes nothing: then it is fine-tuning. Papers and codes agree on the loss. They train
the bias model on the same examples that it then judges; here it judges examples that it has not seen, see
masktune.methods.bias. No gradient reaches b.

Usage:

    from masktune import MaskTuningTrainer, methods, prepare

    method = methods.build("mask_tuning+product_of_experts", bias_model="overlap")
    train = prepare(method, train, tokenizer, args, checkpoint, label_names)
    trainer = MaskTuningTrainer(model, args, method=method, train_dataset=train, processing_class=tokenizer)
    trainer.train()
"""

from dataclasses import dataclass

from torch import Tensor

from masktune.losses import classification_loss
from masktune.methods.base import Examples
from masktune.methods.bias import BiasAwareLoss, finite_log


@dataclass(frozen=True)
class ProductOfExperts(BiasAwareLoss):
    """CE(softmax(log p + log b), y)."""

    name = "product_of_experts"
    label = "Product of Experts"
    reference = "Clark et al. 2019; Karimi Mahabadi et al. 2020"
    formula = "CE(softmax(log p + log b), y), b the probabilities of a bias model"

    def loss(self, logits: Tensor, examples: Examples) -> Tensor:
        product = logits.float().log_softmax(-1) + finite_log(examples.prepared["bias"])
        return classification_loss(product, examples.labels, examples.example_weights(logits))
