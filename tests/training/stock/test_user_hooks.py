"""Forward hooks of the user's do what they do with a stock Trainer, wherever they sit, or are refused by name."""

import pytest
import torch
from tiny_runs import StockOrder, classifier_of, classifier_weights, losses
from torch.nn.modules.module import register_module_forward_hook
from transformers import BertForSequenceClassification

from masktune import FineTuning, MaskTuneError, MaskTuningTrainer


def flip(module, args, kwargs):
    """What a pre-hook of the user's may do: other labels."""
    return args, {**kwargs, **({"labels": 1 - kwargs["labels"]} if kwargs.get("labels") is not None else {})}


def louder(module, args, output):
    return (3 * output[0], *output[1:]) if isinstance(output, tuple) else 3 * output


def dearer(module, args, output):
    """Another loss of the whole classifier, whatever else it is called for."""
    if isinstance(module, BertForSequenceClassification) and output.loss is not None:
        output.loss = 3 * output.loss
    return output


# Where a hook of the user's sits: what registers it, given the classifier.
HOOKS = {
    "the classifier's labels": lambda model: model.register_forward_pre_hook(flip, with_kwargs=True),
    "the classifier's loss": lambda model: model.register_forward_hook(dearer),
    "every module": lambda model: register_module_forward_hook(dearer),
    "the head": lambda model: model.classifier.register_forward_hook(louder),
    "the pooler": lambda model: model.bert.pooler.register_forward_hook(louder),
    "the words": lambda model: model.get_input_embeddings().register_forward_hook(louder),
    "a layer": lambda model: model.bert.encoder.layer[0].attention.register_forward_hook(louder),
    "the gradient of the words": lambda model: model.get_input_embeddings().weight.register_hook(lambda g: 2 * g),
}


@pytest.mark.slow
@pytest.mark.parametrize("place", HOOKS)
def test_a_hook_of_the_users_does_what_it_does_with_a_stock_trainer(trainer, place):
    runs = {}
    for kind, folder in ((MaskTuningTrainer, "ours"), (StockOrder, "stock"), (MaskTuningTrainer, "plain")):
        run = runs[folder] = trainer(
            kind=kind, method=FineTuning(), folder=folder, max_steps=4, optim="sgd", learning_rate=0.1
        )
        hook = None if folder == "plain" else HOOKS[place](classifier_of(run))
        run.train()
        if hook is not None:
            hook.remove()
    assert losses(runs["ours"]) == pytest.approx(losses(runs["stock"]), rel=1e-5)
    torch.testing.assert_close(
        classifier_weights(runs["ours"]), classifier_weights(runs["stock"]), rtol=1e-3, atol=1e-4
    )
    assert not torch.equal(classifier_weights(runs["ours"]), classifier_weights(runs["plain"]))


def test_a_hook_on_the_whole_classifier_is_named_where_a_method_cannot_do_with_it(trainer):
    run = trainer(method="r_drop", max_steps=1)
    run.model.classifier.register_forward_hook(lambda module, inputs, output: output)
    with pytest.raises(MaskTuneError, match="BertForSequenceClassification with its forward hook makes a forward pass"):
        run.train()
