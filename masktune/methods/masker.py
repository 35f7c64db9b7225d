"""MASKER (Moon et al. 2021, AAAI).

A classifier leans on a few keywords. Two terms besides cross-entropy work against that: keywords should be predicted
from their context, and where little but its keywords is left of a text, the prediction should be uniform,

    L = CE(p(x), y) + 0.001 * L_keywords + 0.0001 * L_entropy
    L_keywords = mean cross-entropy of the masked language model on keywords masked with probability 0.5
    L_entropy  = KL(uniform || p(x')), in x' every other token is masked with probability 0.9

Keywords are the 10 tokens for each class to which a fine-tuned classifier pays most attention: attention of the last
layer from the token at which the class is read, mean over the heads; in each example the mean over the occurrences of a
token, and the sum over the examples. The paper's other choice, TF-IDF, is left out. For BART, which the paper does not
have, it is the attention of the decoder's last layer to the encoder.

Where paper and released code differ, and which is followed here: the code predicts keywords by a new head over the
keywords, here it is the checkpoint's own masked-LM head over all tokens, as for every language-model term of this
package. The code masks each example once for the whole training, here anew in each step; it masks the end of a text as
well, here special tokens stay. The code's mean over examples and classes makes L_entropy smaller by the number of
classes than the KL divergence of the paper, which is used here. For RoBERTa the code reads the whole text in place of
x'; here x' is read.

Usage:

    from masktune import MaskTuningTrainer, methods, prepare

    method = methods.build("masker", keyword_weight=0.001, entropy_weight=0.0001)
    train = prepare(method, train, tokenizer, args, checkpoint, label_names)
    trainer = MaskTuningTrainer(model, args, method=method, train_dataset=train, processing_class=tokenizer)
    trainer.train()
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from masktune import parts, perturb
from masktune.errors import MaskTuneError
from masktune.features import Feature, FeatureBuilder
from masktune.losses import mlm_loss, weighted_mean
from masktune.methods.base import PLAIN, Batch, Classification, Examples, Method, Term
from masktune.streams import Streams

if TYPE_CHECKING:
    import numpy

    from masktune.models.joint import MaskTuningModel


@dataclass(frozen=True)
class Keywords(Feature):
    """Which tokens are keywords: for each token of all examples in turn, bool."""

    per_class: int = 10

    summary = "keywords by the attention of a fine-tuned classifier"
    per_token = True
    depends_on = ("checkpoint", "training")

    def compute(self, builder: FeatureBuilder) -> "numpy.ndarray":
        import numpy

        scores = torch.zeros(builder.vocabulary.size, dtype=torch.float64)
        for batch, attention in builder.attention(builder.fine_tune()):
            scores += attention_by_token(batch["input_ids"].cpu(), attention.cpu(), builder.vocabulary)
        chosen = scores.topk(min(self.per_class * builder.num_labels, int((scores > 0).sum()))).indices.numpy()
        return numpy.concatenate([numpy.isin(token_ids, chosen) for token_ids in builder.train["input_ids"]])


def attention_by_token(input_ids: Tensor, attention: Tensor, vocabulary: perturb.Vocabulary) -> Tensor:
    """Attention to each ordinary token: mean over its places in an example, sum over examples. [B, L] twice -> [V]."""
    counts = torch.zeros(len(input_ids), vocabulary.size, dtype=torch.float64)
    sums = counts.clone().scatter_add_(1, input_ids, attention.double())
    counts.scatter_add_(1, input_ids, torch.ones_like(attention, dtype=torch.float64))
    scores = (sums / counts.clamp(min=1)).sum(0)
    return scores.masked_fill(vocabulary.is_special(torch.arange(vocabulary.size)), 0)


@dataclass(frozen=True)
class Masker(Method):
    """L = CE(p(x), y) + keyword_weight * L_keywords + entropy_weight * L_entropy."""

    keyword_weight: float = 0.001
    entropy_weight: float = 0.0001
    keyword_rate: float = 0.5
    context_rate: float = 0.9
    keywords_per_class: int = 10

    name = "masker"
    label = "MASKER"
    reference = "Moon et al. 2021"
    formula = "CE(p(x), y) + keyword_weight * L_keywords + entropy_weight * KL(uniform, p(x without context))"
    encoder = "shared"
    needs_classes = True

    def __post_init__(self) -> None:
        for name in ("keyword_weight", "entropy_weight"):
            if not getattr(self, name) >= 0:
                raise MaskTuneError(f"{name} {getattr(self, name)!r} is below 0; the paper has 0.001 and 0.0001")
        for name in ("keyword_rate", "context_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise MaskTuneError(f"{name} {getattr(self, name)!r} is outside [0, 1]; the paper has 0.5 and 0.9")
        if not (isinstance(self.keywords_per_class, int) and self.keywords_per_class >= 1):
            raise MaskTuneError(f"keywords_per_class {self.keywords_per_class!r}; expected a whole number, at least 1")

    @property
    def needs(self) -> dict[str, Feature]:
        return {"keywords": Keywords(self.keywords_per_class)}

    def terms(
        self, model: "MaskTuningModel", batch: Batch, streams: Streams, classification: Classification = PLAIN
    ) -> Iterator[Term]:
        examples = Examples.of(batch)
        input_ids = examples.inputs["input_ids"]
        maskable = perturb.maskable(input_ids, examples.inputs["attention_mask"], model.vocabulary)
        keywords = maskable & examples.prepared["keywords"].bool()
        hidden = _choose(keywords, self.keyword_rate, streams["keywords"])
        parts.list_tokens(hidden)
        if self.keyword_weight > 0 and hidden.any():
            masked = input_ids.masked_fill(hidden, model.vocabulary.mask_id)
            logits = model.mlm_logits(masked, positions=hidden, **examples.inputs)
            yield Term("keywords", self.keyword_weight, mlm_loss(logits, input_ids[hidden], int(maskable.sum())))
        elif self.keyword_weight > 0 and parts.tokens_elsewhere():
            parts.mean_divisor(0)
            yield Term("keywords", self.keyword_weight, torch.zeros((), device=input_ids.device))
        if self.entropy_weight > 0:
            bare = _choose(maskable & ~keywords, self.context_rate, streams["context"])
            text = input_ids.masked_fill(bare, model.vocabulary.mask_id)
            logits = model(**examples.with_text(text).inputs).logits
            yield Term("entropy", self.entropy_weight, weighted_mean(kl_from_uniform(logits)))
        yield from classification.terms(model, examples, 1.0, streams)

    def passes(self, classifier: int = 1) -> tuple[int, int]:
        count = (self.keyword_weight > 0) + (self.entropy_weight > 0) + classifier
        return count, count


def _choose(candidates: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """Each candidate with that probability. bool [B, L] -> bool [B, L]."""
    return candidates & (parts.uniform(candidates.shape, generator).to(candidates.device) < rate)


def kl_from_uniform(logits: Tensor) -> Tensor:
    """KL(uniform || p) of logits [B, C] -> [B]."""
    return -math.log(logits.shape[-1]) - logits.float().log_softmax(-1).mean(-1)
