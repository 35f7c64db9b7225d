"""Live training: the same seed trains the same model, and it is the training of the embedded study."""

from dataclasses import replace

import pytest
import torch

from masktune.course import answers, fine_tune, start
from masktune.data import world
from masktune.pretraining import small_models
from masktune.study.design.load import load_study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def two_steps_of_pretraining(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setitem(small_models.RECIPES, "bert", replace(small_models.RECIPES["bert"], steps=2))
        yield


def weights(model):
    return torch.cat([value.flatten() for value in model.classifier.parameters()])


@pytest.mark.parametrize("method", ["fine_tuning", "mask_tuning"])
def test_a_seed_decides_what_is_trained(method):
    train = world.load("sentiment", train_examples=32).train
    one, same, other = (weights(fine_tune(train, method, seed, epochs=1)) for seed in (0, 0, 1))
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_answers_are_one_label_a_text_and_the_head_is_the_seeds():
    texts = world.load("sentiment").train["text"][:5]
    found = answers(start(0), texts)
    assert found.shape == (5,) and set(found.tolist()) <= {0, 1}
    assert not torch.equal(weights(start(0, None)), weights(start(1, None)))


def test_the_settings_are_those_of_the_embedded_study():
    declared = load_study("embedded").training
    epochs, learning_rate = fine_tune.__defaults__
    assert (epochs, learning_rate) == (declared.epochs, declared.learning_rate)
