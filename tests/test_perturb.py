import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import word_tokenizer
from torch import Generator, tensor

from masktune import perturb
from masktune.errors import MaskTuneError
from masktune.perturb import FILLS, POSITIONS, SYMBOLS, Vocabulary
from masktune.streams import Streams

VOCABULARY = Vocabulary(mask_id=49, special_ids=(0, 1, 2, 3, 49), size=50)
LOGITS_SIZE = 64  # models may have more rows than the tokenizer has tokens


def generator(seed=0):
    return Generator().manual_seed(seed)


@st.composite
def batches(draw):
    """A padded batch: [CLS]=0 words [SEP]=2 [PAD]=1."""
    lengths = draw(st.lists(st.integers(0, 12), min_size=1, max_size=6))
    width = max(lengths) + 2
    rows = [[0, *draw(st.lists(st.integers(3, 48), min_size=n, max_size=n)), 2] for n in lengths]
    input_ids = tensor([row + [1] * (width - len(row)) for row in rows])
    return input_ids, (input_ids != 1).long()


@given(batches(), st.floats(0, 0.99), st.sampled_from(POSITIONS), st.sampled_from(SYMBOLS), st.sampled_from(FILLS))
@settings(max_examples=200, deadline=None)
def test_special_tokens_padding_and_unmasked_tokens_are_never_touched(batch, rate, how, symbol, fill):
    input_ids, attention_mask = batch
    candidates = perturb.maskable(input_ids, attention_mask, VOCABULARY)
    positions = perturb.choose_positions(candidates, rate, generator(), how)
    untouchable = VOCABULARY.is_special(input_ids) | (attention_mask == 0)
    assert not (positions & untouchable).any()
    masked = perturb.mask(input_ids, positions, VOCABULARY, generator(), symbol)
    logits = torch.randn(int(positions.sum()), LOGITS_SIZE, generator=generator())
    filled = perturb.fill(input_ids, positions, logits, VOCABULARY, generator(), fill)
    for changed in (masked, filled):
        assert torch.equal(changed[~positions], input_ids[~positions])
    if fill != "keep":
        assert not VOCABULARY.is_special(filled[positions]).any()
        assert (filled < VOCABULARY.size).all()


@pytest.mark.parametrize("how", ["bernoulli", "exact"])
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.15, 0.5])
def test_the_masked_fraction_converges_to_the_rate(how, rate):
    candidates = torch.ones(4000, 25, dtype=torch.bool)
    fraction = perturb.choose_positions(candidates, rate, generator(), how).float().mean().item()
    assert fraction == pytest.approx(rate, abs=5 * (rate * (1 - rate) / 100_000) ** 0.5)


def test_exact_differs_from_the_rate_by_less_than_one_token_in_each_example():
    candidates = torch.ones(500, 30, dtype=torch.bool)
    counts = perturb.choose_positions(candidates, 0.05, generator(), "exact").sum(1)
    assert set(counts.tolist()) == {1, 2}


def test_at_least_one_touches_each_example_that_has_a_candidate():
    candidates = torch.ones(300, 8, dtype=torch.bool)
    candidates[0] = False
    chosen = perturb.choose_positions(candidates, 0.05, generator(), "at_least_one")
    assert (chosen[1:].sum(1) >= 1).all() and not chosen[0].any()


def test_the_fractions_of_berts_symbols():
    input_ids = torch.full((1, 100_000), 10)
    positions = torch.ones_like(input_ids, dtype=torch.bool)
    masked = perturb.mask(input_ids, positions, VOCABULARY, generator(), "bert")
    assert (masked == VOCABULARY.mask_id).float().mean().item() == pytest.approx(0.8, abs=0.01)
    assert (masked == 10).float().mean().item() == pytest.approx(0.1 + 0.1 / 45, abs=0.01)


def test_argmax_takes_the_best_ordinary_token_in_row_major_order():
    input_ids = tensor([[0, 5, 6, 2], [0, 7, 8, 2]])
    positions = tensor([[0, 0, 1, 0], [0, 1, 0, 0]]).bool()
    logits = torch.zeros(2, LOGITS_SIZE)
    logits[0, [2, 60, 11]] = tensor([9.0, 8.0, 1.0])  # a special token, a row beyond the tokenizer, an ordinary one
    logits[1, 12] = 1.0
    filled = perturb.fill(input_ids, positions, logits, VOCABULARY, generator(), "argmax")
    assert filled.tolist() == [[0, 5, 11, 2], [0, 12, 8, 2]]


def test_sample_draws_from_the_predicted_distribution():
    count = 50_000
    input_ids = torch.full((1, count), 10)
    positions = torch.ones_like(input_ids, dtype=torch.bool)
    logits = torch.full((count, LOGITS_SIZE), -torch.inf)
    logits[:, 20], logits[:, 30] = torch.log(tensor(0.25)), torch.log(tensor(0.75))
    filled = perturb.fill(input_ids, positions, logits, VOCABULARY, generator(), "sample")
    assert (filled == 30).float().mean().item() == pytest.approx(0.75, abs=0.01)
    assert ((filled == 20) | (filled == 30)).all()


def test_keep_and_original():
    input_ids = tensor([[0, 5, 6, 2]])
    positions = tensor([[0, 1, 0, 0]]).bool()
    logits = torch.zeros(1, LOGITS_SIZE)
    assert perturb.fill(input_ids, positions, logits, VOCABULARY, generator(), "keep").tolist() == [[0, 49, 6, 2]]
    assert torch.equal(perturb.fill(input_ids, positions, logits, VOCABULARY, generator(), "original"), input_ids)


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, "0.05", None, float("nan")])
def test_an_impossible_rate_is_quoted(rate):
    with pytest.raises(MaskTuneError, match="mask_rate") as error:
        perturb.choose_positions(torch.ones(1, 3, dtype=torch.bool), rate, generator())
    assert repr(rate) in str(error.value)


def test_vocabulary_reads_a_tokenizer(family):
    tokenizer = word_tokenizer(family)
    vocabulary = Vocabulary.of(tokenizer)
    assert vocabulary.mask_id == tokenizer.mask_token_id
    assert vocabulary.special_ids == (0, 1, 2, 3, tokenizer.mask_token_id)
    assert len(vocabulary.ordinary_ids()) == len(tokenizer) - 5


def test_a_tokenizer_without_mask_token_is_refused():
    tokenizer = word_tokenizer("bert")
    tokenizer.mask_token = None
    with pytest.raises(MaskTuneError, match="has no mask token"):
        Vocabulary.of(tokenizer)


@pytest.mark.parametrize("options", [("bernoulli", "mask", "argmax"), ("at_least_one", "bert", "sample")])
def test_perturb_batch_is_its_four_steps(options):
    choose_by, symbol, fill_by = options
    input_ids = torch.randint(4, 49, (6, 12), generator=generator())
    attention_mask, streams = torch.ones_like(input_ids), Streams(3).at(1)
    logits = torch.randn(72, LOGITS_SIZE, generator=generator())
    seen = []

    def predict(masked_ids, positions):
        seen.append((masked_ids, positions))
        return logits[: int(positions.sum())]

    perturbed = perturb.perturb_batch(
        input_ids, attention_mask, predict, VOCABULARY, streams, 0.3, choose_by, symbol, fill_by
    )
    candidates = perturb.maskable(input_ids, attention_mask, VOCABULARY)
    positions = perturb.choose_positions(candidates, 0.3, streams["positions"], choose_by)
    masked_ids = perturb.mask(input_ids, positions, VOCABULARY, streams["symbols"], symbol)
    filled_ids = perturb.fill(input_ids, positions, perturbed.logits, VOCABULARY, streams["fill"], fill_by)
    assert positions.any() and perturbed.maskable_count == candidates.sum() == 72
    assert torch.equal(perturbed.positions, positions) and torch.equal(perturbed.masked_ids, masked_ids)
    assert torch.equal(perturbed.filled_ids, filled_ids) and not torch.equal(filled_ids, input_ids)
    assert len(seen) == 1 and torch.equal(seen[0][0], masked_ids) and torch.equal(seen[0][1], positions)


def test_nothing_is_predicted_where_nothing_is_masked():
    input_ids = tensor([[0, 5, 6, 2]])
    perturbed = perturb.perturb_batch(input_ids, torch.ones_like(input_ids), None, VOCABULARY, Streams(0), 0.0)
    assert perturbed.logits is None and perturbed.maskable_count == 2 and not perturbed.positions.any()
    assert torch.equal(perturbed.masked_ids, input_ids) and torch.equal(perturbed.filled_ids, input_ids)
