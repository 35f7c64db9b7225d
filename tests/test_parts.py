"""Draws and means of a part of a batch, without processes: what the others answer is given."""

import pytest
import torch

from masktune import MaskTuneError, parts
from masktune.losses import classification_loss, mlm_loss, weighted_mean
from masktune.parts import MEAN, TOKENS, Part

SIZES = {"rows": (3, 2), "widths": (4, 6)}


def part(rank, answers=None, left=False, monkeypatch=None, **sizes):
    """The part of process `rank`; `answers` are what each process says in turn, own included."""
    if answers is not None:
        rounds = iter(answers)
        monkeypatch.setattr(parts, "gather", lambda numbers, device: next(rounds))
    return Part(**{**SIZES, **sizes}, rank=rank, left=left, device=torch.device("cpu"))


def generator():
    return torch.Generator().manual_seed(1)


@pytest.mark.parametrize("left", [False, True])
def test_draws_are_those_of_the_whole_batch_where_the_tokens_are(left):
    whole = torch.rand(5, 6, generator=generator())
    for rank, (rows, width) in enumerate([(slice(3), 4), (slice(3, 5), 6)]):
        with parts.hold(part(rank, left=left)):
            drawn = parts.uniform((len(whole[rows]), width), generator())
        assert torch.equal(drawn, whole[rows, -width:] if left else whole[rows, :width])


def test_draws_of_one_number_an_example_and_of_a_vector_a_token():
    numbers, vectors = torch.randint(9, (5,), generator=generator()), torch.rand(5, 6, 2, generator=generator())
    with parts.hold(part(1)):
        assert torch.equal(parts.integers(9, 2, generator()), numbers[3:])
    with parts.hold(part(0)):
        assert torch.equal(parts.uniform((3, 4, 2), generator()), vectors[:3, :4])


def test_draws_of_listed_tokens_and_what_comes_next_from_the_stream(monkeypatch):
    source = generator()
    whole, then = torch.rand(7, generator=source), torch.randint(9, (7,), generator=source)
    source = generator()
    with parts.hold(part(1, [[[TOKENS, 4], [TOKENS, 3]]], monkeypatch=monkeypatch)):
        parts.list_tokens(torch.tensor([[True, True, True]]))
        assert torch.equal(parts.uniform((3,), source, of="tokens"), whole[4:])
        assert torch.equal(parts.integers(9, 3, source, of="tokens"), then[4:])


def test_what_is_no_known_part_has_a_stream_of_its_own_for_each_process_and_draw():
    drawn = []
    for rank in (0, 1):
        source = generator()
        with parts.hold(part(rank)):
            drawn += [parts.uniform((8,), source) for _ in range(2)]
    assert len({tuple(values.tolist()) for values in drawn}) == 4


def test_means_are_those_of_the_whole_batch(monkeypatch):
    """The mean of the processes' losses is the loss of the whole batch."""
    logits, labels = torch.randn(5, 3, generator=generator()), torch.tensor([0, 1, 2, 1, 0])
    weights = torch.tensor([1.0, 0.0, 2.0, 0.5, 3.0])
    rows = (slice(3), slice(3, 5))

    def mean(loss, counts):
        losses = []
        for rank in (0, 1):
            with parts.hold(part(rank, [[[MEAN, count] for count in counts]], monkeypatch=monkeypatch)):
                losses.append(loss(rows[rank]))
        return sum(losses) / 2

    torch.testing.assert_close(
        mean(lambda own: classification_loss(logits[own], labels[own]), (3, 2)), classification_loss(logits, labels)
    )
    torch.testing.assert_close(
        mean(lambda own: classification_loss(logits[own], labels[own], weights[own]), (3, 3.5)),
        classification_loss(logits, labels, weights),
    )
    torch.testing.assert_close(mean(lambda own: weighted_mean(weights[own]), (3, 2)), weights.mean())
    for reduction, counts in (("masked", (3, 2)), ("maskable", (10, 20))):
        torch.testing.assert_close(
            mean(lambda own: mlm_loss(logits[own], labels[own], 99, reduction), counts),  # noqa: B023  # called here
            mlm_loss(logits, labels, 30, reduction),
        )


def test_a_process_that_only_keeps_the_others_company_counts_nothing(monkeypatch):
    said = []
    monkeypatch.setattr(parts, "gather", lambda numbers, device: said.append(numbers) or [[MEAN, 4], numbers])
    with parts.hold(part(1, rows=(4, 0), widths=(4, 0))):
        assert parts.mean_divisor(1) == 2
    assert said == [[MEAN, 0]]


def test_terms_that_only_some_processes_have_are_refused(monkeypatch):
    with (
        parts.hold(part(0, [[[MEAN, 3], [TOKENS, 2]]], monkeypatch=monkeypatch)),
        pytest.raises(MaskTuneError, match="different terms of the loss"),
    ):
        parts.mean_divisor(3)


def test_where_one_process_holds_all_draws_and_counts_are_torchs_own():
    assert torch.equal(parts.uniform((2, 3), generator()), torch.rand(2, 3, generator=generator()))
    assert torch.equal(parts.integers(5, 4, generator()), torch.randint(5, (4,), generator=generator()))
    assert parts.mean_divisor(3) == 3 and not parts.tokens_elsewhere()
    parts.list_tokens(torch.ones(2, 2))
