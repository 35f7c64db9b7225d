"""What the tests of the trainer ask of a run, and the classifier that it starts from."""

import torch
from transformers import AutoModelForSequenceClassification

from masktune import MaskTuning

METHOD = MaskTuning(mask_rate=0.2)


def classifier(checkpoint):
    torch.manual_seed(0)
    return AutoModelForSequenceClassification.from_pretrained(
        checkpoint, id2label={0: "negative", 1: "positive"}, label2id={"negative": 0, "positive": 1}
    )


def losses(trainer):
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def weights(trainer):
    return {name: value.clone() for name, value in trainer.model.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)
