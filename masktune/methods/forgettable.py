"""Fine-tuning once more on forgettable examples (Yaghoobzadeh et al. 2021, EACL).

A weak model is trained for some epochs, and after each it is asked about every train example. An example is forgettable
if it was right once and wrong later, or never right: among these are the few that contradict the spurious cues, which
are all that a weak model learns. The model itself is fine-tuned on all examples, and then a second time on the
forgettable ones alone, with a smaller learning rate. The loss is cross-entropy (or the one of the method it is combined
with).

The weakest model of the paper is a bag of pre-trained word vectors; here it is linear in the words of the example, of
two texts in the words of each and those of both. The released code counts forgetting whenever an example is met in
training, we after each epoch. Settings are the code's: 5 epochs of the weak model (for FEVER; 3 for MNLI), and a second
fine-tuning on as many forgettable examples of each class, for 4 epochs, at a tenth of the learning rate (for MNLI).
That comes on top of the epochs that every method has.

Usage:

    from masktune import MaskTuningTrainer, methods, prepare

    method = methods.build("forgettable", second_epochs=4)
    train = prepare(method, train, tokenizer, args, checkpoint, label_names)
    trainer = MaskTuningTrainer(model, args, method=method, train_dataset=train, processing_class=tokenizer)
    trainer.train()
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from masktune.errors import MaskTuneError
from masktune.features import Feature, FeatureBuilder
from masktune.methods.base import Curriculum, SecondStage
from masktune.methods.bias import import_sklearn, keep_words
from masktune.methods.words import bag_of_words

if TYPE_CHECKING:
    import numpy


@dataclass(frozen=True)
class ForgottenExamples(Feature):
    """Which train examples a weak model forgets, as many of each class. bool [n]."""

    weak_epochs: int = 5

    summary = "which examples a weak model forgets"
    depends_on = ("words",)

    def compute(self, builder: FeatureBuilder) -> "numpy.ndarray":
        import numpy

        labels = numpy.asarray(builder.labels)
        marked = find_forgotten(self._right(builder, labels))
        return balance(marked, labels, numpy.random.default_rng(builder.seed("forgettable")))

    def _right(self, builder: FeatureBuilder, labels: "numpy.ndarray") -> "numpy.ndarray":
        """Whether the weak model is right about each example after each epoch. bool [epochs, n]."""
        import numpy

        sklearn = import_sklearn()
        words = sklearn.feature_extraction.text.CountVectorizer(analyzer=keep_words, binary=True)
        features = words.fit_transform([bag_of_words(texts) for texts in builder.texts])
        weak = sklearn.linear_model.SGDClassifier(loss="log_loss", random_state=builder.seed("weak model") % 2**32)
        rounds = []
        for _ in range(self.weak_epochs):
            weak.partial_fit(features, labels, classes=numpy.unique(labels))
            rounds.append(weak.predict(features) == labels)
        return numpy.array(rounds)


def find_forgotten(right: "numpy.ndarray") -> "numpy.ndarray":
    """Which examples were right and then wrong, or never right. bool [epochs, n] -> bool [n]."""
    return (right[:-1] & ~right[1:]).any(0) | ~right.any(0)


def balance(marked: "numpy.ndarray", labels: "numpy.ndarray", generator: "numpy.random.Generator") -> "numpy.ndarray":
    """As many of the marked examples from each class that has any, chosen at random. bool [n], [n] -> bool [n]."""
    import numpy

    members = [numpy.flatnonzero(marked & (labels == label)) for label in numpy.unique(labels[marked])]
    chosen = numpy.zeros_like(marked)
    for rows in members:
        chosen[generator.choice(rows, min(map(len, members)), replace=False)] = True
    return chosen


@dataclass(frozen=True)
class Forgettable(Curriculum):
    """A second fine-tuning of `second_epochs` on forgettable examples, at `second_rate` times the learning rate."""

    weak_epochs: int = 5
    second_epochs: int = 4
    second_rate: float = 0.1

    name = "forgettable"
    label = "forgettable examples"
    reference = "Yaghoobzadeh et al. 2021"
    formula = "CE(x, y) on all examples, then on those that a weak model forgets"
    needs_classes = True

    def __post_init__(self) -> None:
        for name in ("weak_epochs", "second_epochs"):
            if not (isinstance(getattr(self, name), int) and getattr(self, name) >= 1):
                raise MaskTuneError(f"{name} {getattr(self, name)!r}; expected a whole number of at least 1")
        if not self.second_rate > 0:
            raise MaskTuneError(f"second_rate {self.second_rate!r} is not above 0; the published code has 0.1")

    @property
    def needs(self) -> dict[str, Feature]:
        return {"forgotten": ForgottenExamples(self.weak_epochs)}

    @property
    def second_stage(self) -> SecondStage:
        return SecondStage("forgotten", self.second_epochs, self.second_rate)
