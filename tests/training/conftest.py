import random

import pytest
from datasets import Dataset
from feature_examples import NAMES, texts
from tiny_models import WORDS
from tiny_runs import METHOD, classifier
from transformers import AutoTokenizer, TrainingArguments

from masktune import MaskTuningTrainer
from masktune.training.features import CachedFeatureBuilder


@pytest.fixture(scope="module")
def data(checkpoints):
    """60 examples whose class shows in their words, tokenised for each family."""
    chooser = random.Random(0)
    labels = [number % 2 for number in range(60)]
    half = len(WORDS) // 2
    texts = [
        " ".join(chooser.choice(WORDS[label * half :][:half]) for _ in range(chooser.randint(2, 12)))
        for label in labels
    ]
    tokenizers = {family: AutoTokenizer.from_pretrained(folder) for family, folder in checkpoints.items()}
    return {
        family: Dataset.from_dict({**tokenizer(texts), "labels": labels}) for family, tokenizer in tokenizers.items()
    }


@pytest.fixture
def trainer(tmp_path, checkpoints, data):
    """Make a trainer as a script does, with a plain classifier."""

    def make(
        family="bert", folder="run", method=METHOD, callbacks=None, kind=MaskTuningTrainer, metrics=None,
        checkpoint=None, given=None, **options
    ):  # fmt: skip
        defaults = {
            "output_dir": str(tmp_path / folder), "use_cpu": True, "report_to": "none", "disable_tqdm": True,
            "num_train_epochs": 2, "per_device_train_batch_size": 8, "logging_steps": 1, "save_strategy": "no",
            "learning_rate": 1e-3, "seed": 1,
        }  # fmt: skip
        parts = {
            "model": classifier(checkpoint or checkpoints[family]),
            "args": TrainingArguments(**{**defaults, **options}),
            "train_dataset": data[family],
            "eval_dataset": data[family],
            "processing_class": AutoTokenizer.from_pretrained(checkpoints[family]),
            "callbacks": callbacks,
            "compute_metrics": metrics,
            **({"method": method} if issubclass(kind, MaskTuningTrainer) else {}),
        }
        return kind(**{**parts, **(given or {})})

    return make


@pytest.fixture
def kept(tmp_path_factory, monkeypatch):
    """A cache for each test."""
    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def make_builder(checkpoints, tmp_path, kept):
    """Make a builder of features for texts of a count, with labels of their own or those that their words show."""

    def make(family="bert", count=40, labels=None, paired=False, epochs=1):
        tokenizer = AutoTokenizer.from_pretrained(checkpoints[family])
        first = texts(count, labels)
        rows = tokenizer(first, first[1:] + first[:1]) if paired else tokenizer(first)
        labels = [number % 2 for number in range(count)] if labels is None else labels
        args = TrainingArguments(
            str(tmp_path / "run"), use_cpu=True, report_to="none", num_train_epochs=epochs, learning_rate=1e-3, seed=1,
            disable_tqdm=True, save_strategy="no", per_device_train_batch_size=8, logging_steps=1,
        )  # fmt: skip
        return CachedFeatureBuilder(
            Dataset.from_dict({**rows, "labels": labels}), tokenizer, args, str(checkpoints[family]), NAMES
        )

    return make
