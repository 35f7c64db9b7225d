"""The mean of what training logs: torch's own to the last bit, and no list that grows with the steps."""

import pytest
import torch

from masktune import FineTuning
from masktune.training import means
from masktune.training.means import Mean


def mean_of(numbers):
    mean = Mean()
    for number in numbers:
        mean.add(number)
    return mean


def test_the_mean_is_torchs_own_to_the_last_bit():
    for count in (1, 2, 7, 100, 1471):
        numbers = torch.rand(count, generator=torch.Generator().manual_seed(count))
        assert mean_of(numbers).compute() == torch.stack(list(numbers)).mean().item()


@pytest.mark.parametrize("count", [4, 5, 8, 9, 1001])
def test_of_more_numbers_than_are_kept_it_is_the_mean_too(monkeypatch, count):
    monkeypatch.setattr(means, "KEPT", 4)
    numbers = torch.rand(count, generator=torch.Generator().manual_seed(count))
    mean = mean_of(numbers)
    assert mean.compute() == pytest.approx(numbers.double().mean().item(), rel=1e-6)
    assert len(mean._latest) <= 4


@pytest.mark.slow
def test_training_keeps_no_more_the_longer_it_logs_nothing(trainer, monkeypatch):
    monkeypatch.setattr(means, "KEPT", 2)
    run = trainer(method=FineTuning(), logging_strategy="no", max_steps=9)
    run.train()
    assert [len(mean._latest) for mean in run._means.values()] == [1]
    run.log({"loss": 0.0})
    assert 0.3 < run.state.log_history[-1]["loss_classification"] < 1.5
    assert not run._means
