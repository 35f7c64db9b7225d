"""The order of examples, from lengths and seeds alone."""

import hashlib

import pytest
import torch
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from masktune.features import PREFIX
from masktune.methods import SecondStage
from masktune.training.sampling import SeededSampler, StagePlan, batch_by_length, pool_by_length, pool_size


def batches_of(lengths, batch_size, seed=0):
    return batch_by_length(lengths, batch_size, torch.Generator().manual_seed(seed))


@given(st.lists(st.integers(2, 40), min_size=1, max_size=300), st.integers(1, 9), st.integers(0, 3))
def test_every_example_is_in_one_batch_and_only_the_last_is_short(lengths, batch_size, seed):
    batches = batches_of(lengths, batch_size, seed)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == batch_size for batch in batches[:-1])


@given(st.lists(st.integers(2, 40), min_size=4, max_size=300), st.integers(1, 4))
def test_the_longest_example_of_whole_batches_is_in_the_first(lengths, batch_size):
    whole = batches_of(lengths, batch_size)[: len(lengths) // batch_size]
    assert max(lengths[i] for i in whole[0]) == max(lengths[i] for batch in whole for i in batch)


LENGTHS = [7, 3, 9, 3, 12, 5, 7, 3, 11, 4, 6, 9, 2, 8, 5, 10, 3, 7]


@pytest.mark.parametrize(
    ("batch_size", "seed", "expected"),
    [
        (2, 0, [[4, 8], [0, 17], [6, 5], [9, 7], [10, 14], [11, 13], [15, 2], [16, 12], [3, 1]]),
        (5, 2, [[4, 8, 15, 2, 11], [14, 5, 9, 7, 3], [13, 0, 6, 17, 10], [16, 1, 12]]),
    ],
)
def test_the_order_of_a_seed_is_frozen(batch_size, seed, expected):
    """Runs that are stored were trained in this order."""
    assert batches_of(LENGTHS, batch_size, seed) == expected


@pytest.mark.parametrize(("batch_size", "expected"), [(3, "12b5406dceb9a994"), (16, "54803a05f088dbe0")])
def test_the_order_of_several_pools_is_frozen(batch_size, expected):
    lengths = torch.randint(2, 40, (2003,), generator=torch.Generator().manual_seed(9)).tolist()
    batches = str(batches_of(lengths, batch_size, seed=batch_size))
    assert hashlib.sha256(batches.encode()).hexdigest()[:16] == expected


def test_each_pool_is_sorted_by_itself_and_equal_lengths_keep_their_order():
    order, lengths = [3, 0, 1, 2, 6, 5, 4], [5, 2, 2, 9, 1, 1, 7]
    assert pool_by_length(order, lengths, 2, pool=2) == [[1, 2], [0, 3], [5, 4], [6]]
    assert pool_by_length(order, lengths, 2, pool=2, longest_first=True) == [[3, 0], [1, 2], [6, 5], [4]]


def test_batches_hold_like_lengths_and_are_mixed():
    lengths = torch.randint(3, 60, (4000,), generator=torch.Generator().manual_seed(1)).tolist()
    batches = batches_of(lengths, 16)
    spread = [max(lengths[i] for i in batch) - min(lengths[i] for i in batch) for batch in batches]
    assert sum(spread) / len(spread) < 60 / pool_size(len(batches)) + 3
    # No trend: what comes early in the epoch is as long as what comes late.
    means = torch.tensor([sum(lengths[i] for i in batch) / len(batch) for batch in batches])
    assert abs(torch.corrcoef(torch.stack([means, torch.arange(float(len(means)))]))[0, 1]) < 0.2


def test_pools_are_an_eighth_of_an_epoch_within_bounds():
    assert [pool_size(batches) for batches in (1, 63, 200, 399, 400, 10_000)] == [8, 8, 25, 49, 50, 50]


def test_a_long_epoch_is_hardly_padded_and_no_batch_of_it_comes_again():
    lengths = torch.randint(3, 60, (6400,), generator=torch.Generator().manual_seed(1)).tolist()
    batches = batches_of(lengths, 16)
    padded = sum(max(lengths[i] for i in batch) * len(batch) for batch in batches)
    assert padded < 1.03 * sum(lengths)
    assert not {frozenset(batch) for batch in batches} & {frozenset(batch) for batch in batches_of(lengths, 16, seed=1)}


@pytest.mark.parametrize("grouped", [True, False])
def test_epochs_and_seeds_have_their_own_order(grouped):
    orders = []
    for seed, epoch in ((0, 0), (0, 0), (0, 1), (1, 0)):
        sampler = SeededSampler(list(range(60)), 4, seed, grouped)
        sampler.set_epoch(epoch)
        orders.append(tuple(sampler))
    assert orders[0] == orders[1] and len(set(orders)) == 3
    assert all(sorted(each) == list(range(60)) for each in orders)


def test_a_second_stage_passes_over_its_rows_as_often_as_epochs_take():
    rows = Dataset.from_dict({PREFIX + "rare": [True, False, False, True, False, True]})
    plan = StagePlan.of(SecondStage("rare", 2, 0.5), rows, epochs=1, examples_of_step=2)
    assert (plan.rows, plan.first_steps, plan.steps) == ([0, 3, 5], 3, 6)
    sampler = SeededSampler([1] * 6, 2, 0, False, plan)
    sampler.set_epoch(1)
    second = list(sampler)
    assert sorted(second[:3]) == sorted(second[3:]) == plan.rows
    factors = [plan.extend(lambda step: 1 - step / 3)(step) for step in range(7)]
    assert factors == pytest.approx([1, 2 / 3, 1 / 3, 0.5, 1 / 3, 1 / 6, 0])
