from types import SimpleNamespace

import pytest
import torch

from masktune.errors import MaskTuneError
from masktune.training import precision


def model_of(size):
    """The configuration and the device of a model."""
    return SimpleNamespace(hidden_size=size), torch.device("cpu")


def test_a_request_is_followed():
    assert precision.choose("fp32", *model_of(768)) == "fp32"
    assert precision.choose("bf16", *model_of(16)) == "bf16"


def test_small_models_stay_in_fp32_and_large_ones_follow_the_measurement(monkeypatch):
    monkeypatch.setattr(precision, "bf16_speedup", lambda device, size: 2.0)
    assert precision.choose("auto", *model_of(128)) == "fp32"
    assert precision.choose("auto", *model_of(768)) == "bf16"
    monkeypatch.setattr(precision, "bf16_speedup", lambda device, size: 0.9)
    assert precision.choose("auto", *model_of(768)) == "fp32"


def test_the_measurement_leaves_the_random_state_alone_and_works_without_gradients():
    before = torch.random.get_rng_state()
    with torch.no_grad():
        assert precision.bf16_speedup("cpu", 65) > 0
    assert torch.equal(before, torch.random.get_rng_state())


def test_an_unknown_precision_is_quoted():
    with pytest.raises(MaskTuneError, match="unknown precision 'fp8'"):
        precision.choose("fp8", *model_of(128))
