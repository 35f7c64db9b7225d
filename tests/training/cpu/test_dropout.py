"""Dropout masks that are drawn faster: the right shares, from torch's own generator, and only within the block."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from masktune import MaskTuneError
from masktune.training.cpu import dropout
from masktune.training.cpu.dropout import bernoulli_, fast_dropout

CPU = torch.device("cpu")
SMALL, LARGE = (SimpleNamespace(hidden_size=size) for size in (64, 768))


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 0.99999, 1.0])
def test_the_share_of_ones_is_the_probability(p):
    torch.manual_seed(0)
    values = bernoulli_(torch.empty(400_001), p)
    assert set(values.unique().tolist()) <= {0.0, 1.0}
    assert values.mean().item() == pytest.approx(p, abs=4 * (p * (1 - p) / len(values)) ** 0.5 + 2**-16)


def test_neighbours_that_share_a_draw_are_independent():
    torch.manual_seed(0)
    values = bernoulli_(torch.empty(100_000, 4), 0.3)
    assert (torch.corrcoef(values.T) - torch.eye(4)).abs().max() < 0.02


@pytest.mark.parametrize("values", [torch.empty(3, 5), torch.empty(7, dtype=torch.bfloat16), torch.empty(6, 4).T])
def test_any_tensor_is_filled_in_place(values):
    torch.manual_seed(0)
    assert bernoulli_(values, 0.5) is values
    assert 0 < values.float().mean() < 1


def test_a_probability_outside_its_range_is_refused_as_torch_refuses_it():
    with pytest.raises(RuntimeError, match=r"p to be in \[0, 1\], but got p=1.5"):
        bernoulli_(torch.empty(2), 1.5)


def test_a_state_of_the_generator_gives_the_same_mask_again():
    with fast_dropout():
        torch.manual_seed(3)
        state = torch.get_rng_state()
        first, second = (nn.functional.dropout(torch.ones(1000), 0.2) for _ in range(2))
        torch.set_rng_state(state)
        assert torch.equal(nn.functional.dropout(torch.ones(1000), 0.2), first) and not torch.equal(first, second)
        own = [torch.empty(1000).bernoulli_(0.2, generator=torch.Generator().manual_seed(5)) for _ in range(2)]
    assert torch.equal(*own)


def test_every_dropout_within_the_block_draws_so_and_none_after_it():
    heads = torch.ones(1, 2, 8, 8)

    def masks():
        torch.manual_seed(0)
        by_module, by_function = nn.Dropout(0.5)(torch.ones(64)), nn.functional.dropout(torch.ones(64), 0.5)
        return by_module, by_function, scaled_dot_product_attention(heads, heads, heads, dropout_p=0.5)

    usual = masks()
    with fast_dropout():
        drawn = masks()
        torch.manual_seed(0)
        assert torch.equal(drawn[0], 2 * bernoulli_(torch.empty(64), 0.5))
    assert not any(torch.equal(one, other) for one, other in zip(usual, drawn, strict=True))
    assert all(torch.equal(one, other) for one, other in zip(usual, masks(), strict=True))


def test_blocks_nest_and_an_error_ends_them():
    torch.manual_seed(0)
    usual = torch.empty(64).bernoulli_(0.5)
    with pytest.raises(ValueError, match="within"), fast_dropout():
        with fast_dropout():
            pass
        torch.manual_seed(0)
        assert not torch.equal(torch.empty(64).bernoulli_(0.5), usual)
        raise ValueError("within")
    torch.manual_seed(0)
    assert torch.equal(torch.empty(64).bernoulli_(0.5), usual)


@pytest.fixture
def tried_anew():
    """What torch can do is tried once in a process; here again, before the test and after it."""
    dropout.available.cache_clear()
    yield
    dropout.available.cache_clear()


def test_torch_can_do_it_here_and_trying_it_draws_nothing(tried_anew):
    before = torch.get_rng_state()
    assert dropout.available()
    assert torch.equal(torch.get_rng_state(), before)


def lacks_the_function(monkeypatch):
    monkeypatch.delattr(torch.library, "_scoped_library")


def refuses_the_kernel(monkeypatch):
    def refuse(*given):
        raise RuntimeError("no schema of that name")

    monkeypatch.setattr(torch.library.Library, "impl", refuse)


def takes_another_kernel(monkeypatch):
    monkeypatch.setattr(dropout, "fast_dropout", nullcontext)


@pytest.mark.parametrize("torch_of_another_day", [lacks_the_function, refuses_the_kernel, takes_another_kernel])
def test_where_torch_lacks_what_it_needs_it_is_off_and_asking_for_it_is_refused(
    monkeypatch, tried_anew, torch_of_another_day
):
    torch_of_another_day(monkeypatch)
    assert not dropout.available()
    assert dropout.decide(None, LARGE, CPU) is False
    with pytest.raises(MaskTuneError, match=r"^fast_dropout=True: torch .* does not let its kernel .* be exchanged; "):
        dropout.decide(True, LARGE, CPU)


def test_it_is_used_for_all_but_small_models_on_a_cpu():
    assert [dropout.decide(asked, LARGE, CPU) for asked in (None, True, False)] == [True, True, False]
    assert [dropout.decide(asked, SMALL, CPU) for asked in (None, True, False)] == [False, True, False]
    assert dropout.decide(None, LARGE, torch.device("cuda")) is False
    with pytest.raises(MaskTuneError, match="fast_dropout=True: the model is trained on cuda"):
        dropout.decide(True, LARGE, torch.device("cuda"))
