"""Texts and a trainer for tests of what is prepared of each train example."""

import random

import numpy
import torch
from tiny_models import WORDS
from transformers import AutoModelForSequenceClassification

from masktune import MaskTuningTrainer

NAMES = ("negative", "positive")


def texts(count, labels=None):
    """Texts whose class shows in their words, or, with labels of their own, texts that say nothing of them."""
    chooser, half = random.Random(0), len(WORDS) // 2
    places = [number % 2 for number in range(count)] if labels is None else [0] * count
    return [" ".join(chooser.sample(WORDS[place * half :][:half], chooser.randint(3, 6))) for place in places]


def trainer(builder, method, train):
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(builder.checkpoint, num_labels=2)
    return MaskTuningTrainer(
        model, builder.args, method=method, train_dataset=train, processing_class=builder.tokenizer, eval_dataset=train
    )


def accuracy(probabilities, labels):
    return (probabilities.argmax(1) == numpy.array(labels)).mean()
