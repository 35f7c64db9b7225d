"""What the tests of the trainer ask of a run, the classifier that it starts from, and a stock Trainer beside it."""

import torch
from transformers import AutoModelForSequenceClassification, BertForSequenceClassification, Trainer

from masktune import MaskTuning
from masktune.training.sampling import SeededSampler

METHOD = MaskTuning(mask_rate=0.2)


class StockOrder(Trainer):
    """A stock Trainer that reads the sixty examples in the order of ours, with its seed of 1."""

    def _get_train_sampler(self, train_dataset=None):
        return SeededSampler([0] * 60, 8, seed=1, grouped=False)


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


def classifier_of(trainer):
    """The BERT classifier that the trainer trains, its own or the one inside a MaskTuningModel."""
    model = trainer.model
    return model if isinstance(model, BertForSequenceClassification) else model.classifier


def classifier_weights(trainer):
    return torch.cat([parameter.detach().flatten() for parameter in classifier_of(trainer).parameters()])
