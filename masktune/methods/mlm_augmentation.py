"""MLM augmentation, SSMBA (Ng, Cho and Ghassemi 2020, EMNLP).

Before training, each example is corrupted and reconstructed by the pre-trained masked language model, which is not
trained: 15 % of the tokens are chosen, of them 80 % masked, 10 % replaced and 10 % left, and each is drawn anew from
the ten most probable ordinary tokens. The copies keep the label, and the classifier is trained on originals and copies:

    L = (CE(x, y) + CE(x~, y)) / 2

The released code makes 4 copies of an example, and so does this; it puts all of them into one larger train set, while
here a step reads each of its examples and one of its copies, chosen at random, so that every method makes the same
number of steps. The code draws from the whole vocabulary unless it is told how many of the best to take, flattens the
probabilities of these by a second softmax, draws nothing for the 10 % that are left, and discards copies equal to the
original; here the probabilities are the model's, all chosen tokens are drawn, and at least one in each example is
chosen. The variant in which a model labels the copies is left out.

Usage:

    from masktune import MaskTuningTrainer, methods, prepare

    method = methods.build("mlm_augmentation", copies=2, mask_rate=0.15)
    train = prepare(method, train, tokenizer, args, checkpoint, label_names)
    trainer = MaskTuningTrainer(model, args, method=method, train_dataset=train, processing_class=tokenizer)
    trainer.train()
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from masktune import parts, perturb
from masktune.errors import MaskTuneError
from masktune.features import Feature, FeatureBuilder, LanguageModel
from masktune.methods.base import PLAIN, Batch, Classification, Examples, Method, Term
from masktune.streams import Streams

if TYPE_CHECKING:
    import numpy

    from masktune.models.joint import MaskTuningModel


@dataclass(frozen=True)
class AugmentedTokens(Feature):
    """One synthetic copy of each train example: token ids of all examples in turn, as many as they have, int32."""

    number: int
    rate: float = 0.15
    best: int = 10

    summary = "copies by the masked language model"
    per_token = True
    depends_on = ("checkpoint",)

    def compute(self, builder: FeatureBuilder) -> "numpy.ndarray":
        import numpy

        masked_lm = builder.load_masked_lm()
        copies = []
        for step, batch in enumerate(builder.batches()):
            streams = Streams(builder.seed(f"copy {self.number}"), step)
            copy = self._reconstruct(masked_lm, batch, builder.vocabulary, streams)
            copies.append(copy[batch["attention_mask"].bool()].cpu().numpy())
        return numpy.concatenate(copies).astype(numpy.int32)

    @torch.no_grad()
    def _reconstruct(
        self, masked_lm: LanguageModel, batch: Batch, vocabulary: perturb.Vocabulary, streams: Streams
    ) -> Tensor:
        """The ids of a copy of each text, [B, L]; `batch` holds input_ids and attention_mask (token_type_ids)."""

        def predict(masked_ids: Tensor, positions: Tensor) -> Tensor:
            logits = masked_lm.mlm_logits(masked_ids, positions=positions, **batch)
            return keep_best(perturb.ordinary_logits(logits, vocabulary), self.best)

        ids, attention_mask = batch["input_ids"], batch["attention_mask"]
        options = ("at_least_one", "bert", "sample")
        return perturb.perturb_batch(ids, attention_mask, predict, vocabulary, streams, self.rate, *options).filled_ids


def keep_best(logits: Tensor, count: int) -> Tensor:
    """Logits [N, V] in which all but the `count` highest of each row are impossible."""
    least = logits.topk(min(count, logits.shape[-1])).values[:, -1:]
    return logits.masked_fill(logits < least, -torch.inf)


@dataclass(frozen=True)
class MlmAugmentation(Method):
    """L = (CE(x, y) + CE(x~, y)) / 2, x~ one of `copies` that the pre-trained language model wrote."""

    mask_rate: float = 0.15
    best: int = 10
    copies: int = 4

    name = "mlm_augmentation"
    label = "MLM augmentation"
    reference = "Ng et al. 2020"
    formula = "(CE(x, y) + CE(x~, y)) / 2, x~ reconstructed by the frozen masked language model"
    needs_classes = True  # as all that is prepared

    def __post_init__(self) -> None:
        perturb.check_mask_rate(self.mask_rate)
        for name in ("best", "copies"):
            if not (isinstance(getattr(self, name), int) and getattr(self, name) >= 1):
                raise MaskTuneError(f"{name} {getattr(self, name)!r}; expected a whole number of at least 1")

    @property
    def needs(self) -> dict[str, Feature]:
        return {f"copy_{number}": AugmentedTokens(number, self.mask_rate, self.best) for number in range(self.copies)}

    def terms(
        self, model: "MaskTuningModel", batch: Batch, streams: Streams, classification: Classification = PLAIN
    ) -> Iterator[Term]:
        examples = Examples.of(batch)
        input_ids = examples.inputs["input_ids"]
        copies = torch.stack([examples.prepared[name] for name in self.needs])
        chosen = parts.integers(self.copies, len(input_ids), streams["copies"]).to(input_ids.device)
        copy = copies[chosen, torch.arange(len(input_ids), device=input_ids.device)].to(input_ids)
        text = torch.where(examples.inputs["attention_mask"].bool(), copy, input_ids)
        return classification.terms(model, examples.followed_by(examples.with_text(text)), 1.0, streams)

    def passes(self, classifier: int = 1) -> tuple[int, int]:
        return 2 * classifier, 2 * classifier
