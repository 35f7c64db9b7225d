"""Bias models: what the spurious features alone tell of the label, for methods that train against it.

small         the checkpoint itself, fine-tuned on 2,000 examples for 5 epochs: in so little time a model learns the
              easy cues first (Utama et al. 2020b, "Towards debiasing NLU models from unknown biases"). It needs to know
              nothing of the task.
overlap       logistic regression on how two texts overlap (Clark et al. 2019)
hypothesis    logistic regression on the words of the second text alone (Gururangan et al. 2018; Clark et al. 2019)
bag_of_words  logistic regression on all words
cue           how often each label goes with an example's cue, counted in the train set: it sees exactly the cue, which
              the train set has in a column of that name (the embedded world has it: masktune.data.world)

Every probability comes from a model that has not seen the example (cross-fitting). On its own train set a bias model is
right for another reason than bias: it remembers the examples. It is then certain of examples without any bias too, and
a method that discounts what the bias model knows would discount at random. The released code of Clark et al. applies a
regression to its own train set; with a few features that does little harm, and the table of "cue" is made so, too.

That code tells entailment from the rest alone; here the regression knows all classes. It balances the classes; here
they are as they are, since log p + log b asks for probabilities.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from masktune.errors import MaskTuneError, one_of
from masktune.features import Feature, FeatureBuilder
from masktune.methods.base import ClassificationLoss, Examples
from masktune.methods.words import bag_of_words, overlap_features

if TYPE_CHECKING:
    import numpy


BIAS_MODELS = ("small", "overlap", "hypothesis", "bag_of_words", "cue")
OF_PAIRS = ("overlap", "hypothesis")
CUE = "cue"  # the bias model, and the column of the train set that it reads
FOLDS = 5
SMALL_EXAMPLES = 2_000
SMALL_EPOCHS = 5


@dataclass(frozen=True)
class BiasProbabilities(Feature):
    """Probabilities of the classes [n, C] float32 for each train example, by a bias model that has not seen it."""

    model: str = "small"

    summary = "probabilities of a bias model"

    @property
    def reads(self) -> tuple[str, ...]:
        return (CUE,) if self.model == CUE else ()

    @property
    def depends_on(self) -> tuple[str, ...]:
        if self.model == CUE:
            return ("columns",)
        return ("checkpoint", "training") if self.model == "small" else ("words",)

    def compute(self, builder: FeatureBuilder) -> "numpy.ndarray":
        if self.model == "small":
            return _of_small_models(builder)
        if self.model == CUE:
            return _of_cues(builder)
        if self.model in OF_PAIRS and not builder.paired:
            raise MaskTuneError(
                f"bias_model {self.model!r} needs two texts, the examples have one; choose 'bag_of_words' or 'small'"
            )
        return _of_regression(self.model, builder)


def _of_small_models(builder: FeatureBuilder) -> "numpy.ndarray":
    """Two models with a train set each; the first judges all examples but its own, the second those of the first."""
    import numpy

    count = min(SMALL_EXAMPLES, len(builder.train) // 2)
    order = numpy.random.default_rng(builder.seed("small bias model")).permutation(len(builder.train))
    seen, others = numpy.sort(order[:count]), numpy.sort(order[count : 2 * count])
    bias = builder.predict(builder.fine_tune(seen, SMALL_EPOCHS))
    bias[seen] = builder.predict(builder.fine_tune(others, SMALL_EPOCHS))[seen]
    return bias


def _of_cues(builder: FeatureBuilder) -> "numpy.ndarray":
    """P(label | cue) of each example's cue. One is added to each count, so that no probability is 0."""
    import numpy

    if CUE not in builder.train.column_names:
        raise MaskTuneError(
            f"bias_model {CUE!r} needs a train set with a column {CUE!r}, and this one has none: only the embedded "
            "world says what the cue of an example is; choose 'small', 'overlap', 'hypothesis' or 'bag_of_words'"
        )
    cues, which = numpy.unique(numpy.asarray(builder.train[CUE]), return_inverse=True)
    counts = numpy.ones((len(cues), builder.num_labels), dtype=numpy.float32)
    numpy.add.at(counts, (which, numpy.asarray(builder.labels)), 1)
    return (counts / counts.sum(axis=1, keepdims=True))[which]


def _of_regression(model: str, builder: FeatureBuilder) -> "numpy.ndarray":
    """Logistic regression in FOLDS folds, each judged by the regression on the others."""
    import numpy

    sklearn = import_sklearn()
    labels = numpy.asarray(builder.labels)
    classes, counts = numpy.unique(labels, return_counts=True)
    if counts.min() < FOLDS:
        raise MaskTuneError(
            f"class {classes[counts.argmin()]} has {counts.min()} train examples; the bias model needs {FOLDS} of "
            "each, one for each fold: add examples, or choose bias_model 'small'"
        )
    folds = sklearn.model_selection.StratifiedKFold(FOLDS, shuffle=True, random_state=builder.seed("folds") % 2**32)
    features = [_features(model, texts) for texts in builder.texts]
    held_out = sklearn.model_selection.cross_val_predict(
        _regression(model, sklearn), features, labels, cv=folds, method="predict_proba"
    )
    bias = numpy.zeros((len(labels), builder.num_labels), dtype=numpy.float32)
    bias[:, classes] = held_out
    return bias


def _features(model: str, texts: tuple[list[str], ...]) -> list[Any]:
    if model == "overlap":
        return overlap_features(texts)
    return texts[1] if model == "hypothesis" else bag_of_words(texts)


def _regression(model: str, sklearn: Any) -> Any:
    if model == "overlap":  # as good as without regularisation, as in the code of Clark et al.
        regression = sklearn.linear_model.LogisticRegression(C=100)
        return sklearn.pipeline.make_pipeline(sklearn.preprocessing.StandardScaler(), regression)
    words = sklearn.feature_extraction.text.CountVectorizer(analyzer=keep_words, binary=True)
    return sklearn.pipeline.make_pipeline(words, sklearn.linear_model.LogisticRegression(max_iter=1000))


def keep_words(words: list[str]) -> list[str]:
    """An analyser for texts that are lists of words already."""
    return words


def import_sklearn() -> Any:
    """The library, imported where it is first needed."""
    import sklearn.feature_extraction.text
    import sklearn.linear_model
    import sklearn.model_selection
    import sklearn.pipeline
    import sklearn.preprocessing

    return sklearn


@dataclass(frozen=True)
class BiasAwareLoss(ClassificationLoss):
    """A loss that compares the logits with the label and discounts what a bias model knows of it."""

    bias_model: str = "small"

    def __post_init__(self) -> None:
        one_of(self.bias_model, BIAS_MODELS, "bias model")

    @property
    def needs(self) -> dict[str, Feature]:
        return {"bias": BiasProbabilities(self.bias_model)}

    @property
    def needs_pairs(self) -> bool:
        return self.bias_model in OF_PAIRS

    def bias_of_label(self, examples: Examples) -> Tensor:
        """b_y, the bias model's probability of the label. [B]."""
        return examples.prepared["bias"].gather(1, examples.labels[:, None]).squeeze(1)


def finite_log(probabilities: Tensor) -> Tensor:
    """Log of probabilities, finite where one is 0. Any shape."""
    return probabilities.clamp(min=torch.finfo(torch.float32).tiny).log()
