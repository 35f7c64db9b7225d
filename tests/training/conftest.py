import random

import pytest
from datasets import Dataset
from tiny_models import WORDS
from tiny_runs import METHOD, classifier
from transformers import AutoTokenizer, TrainingArguments

from masktune import MaskTuningTrainer


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
