"""Perturbing a batch of token ids: choose positions, mask them, fill them with what the language model predicts.

`perturb_batch` does all of it; each step is a function of its own below. B is the batch size, L the padded length, N
the number of chosen positions in the batch, V the size of the vocabulary. Chosen positions are always listed in
row-major order: example by example, left to right.

The paper (arXiv 2307.10457) masks 5 % of the tokens and lets the predictions fill the gaps; it does not say which
tokens may be masked, which symbol masks them, nor how a prediction becomes a token. Each function states our choice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from masktune import parts
from masktune.errors import MaskTuneError, one_of
from masktune.streams import Streams

POSITIONS = ("bernoulli", "exact", "at_least_one")
SYMBOLS = ("mask", "bert")
FILLS = ("argmax", "sample", "soft", "keep", "random", "original")
# Fills that ask the language model, and in which mode it answers: as it is trained, with dropout, or without.
PREDICTED_FILLS = ("argmax", "sample", "soft")
FILL_MODES = ("training", "evaluation")


@dataclass(frozen=True)
class Vocabulary:
    """What perturbation needs to know of a tokenizer: the mask token, the special tokens, the number of tokens."""

    mask_id: int
    special_ids: tuple[int, ...]
    size: int

    @classmethod
    def of(cls, tokenizer: Any) -> "Vocabulary":
        """Read a transformers tokenizer. Raises MaskTuneError if it has no mask token, or no other tokens."""
        name = getattr(tokenizer, "name_or_path", "") or type(tokenizer).__name__
        if getattr(tokenizer, "mask_token_id", None) is None:
            raise MaskTuneError(
                f"the tokenizer {name!r} has no mask token; Mask-tuning needs a masked language model such as BERT, "
                "ModernBERT or BART"
            )
        special_ids = tuple(sorted(set(tokenizer.all_special_ids)))
        if len(tokenizer) <= len(special_ids):  # what transformers makes where the files are gone
            raise MaskTuneError(
                f"the tokenizer {name!r} knows no word but its special tokens; put its files next to the model, as "
                "tokenizer.save_pretrained writes them"
            )
        return cls(tokenizer.mask_token_id, special_ids, len(tokenizer))

    def is_special(self, token_ids: Tensor) -> Tensor:
        """True where a token is special ([CLS], [SEP], [PAD], [UNK], [MASK] ...). Any shape."""
        return torch.isin(token_ids, torch.tensor(self.special_ids, device=token_ids.device))

    def ordinary_ids(self) -> Tensor:
        """The ids of all tokens that are not special, [V - number of special tokens]."""
        token_ids = torch.arange(self.size)
        return token_ids[~self.is_special(token_ids)]


@dataclass(frozen=True)
class PerturbedBatch:
    """What `perturb_batch` made of a batch of B texts.

    positions       what was masked, bool [B, L]
    masked_ids      the text with masks [B, L]
    filled_ids      the perturbed text [B, L]
    logits          the predictions for the N masked tokens [N, V]; None where nothing is masked
    maskable_count  how many tokens could have been masked
    fill_logits     the predictions that the fills were made of [N, V]: `logits`, unless another pass gave them
    """

    positions: Tensor
    masked_ids: Tensor
    filled_ids: Tensor
    logits: Tensor | None
    maskable_count: int
    fill_logits: Tensor | None = None


def perturb_batch(
    input_ids: Tensor,
    attention_mask: Tensor,
    predict: Callable[[Tensor, Tensor], Tensor],
    vocabulary: Vocabulary,
    streams: Streams,
    mask_rate: float,
    choose_by: str = "bernoulli",
    symbol: str = "mask",
    fill_by: str = "argmax",
    predict_fills: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> PerturbedBatch:
    """Choose tokens, mask them, predict them, fill the gaps. input_ids and attention_mask are [B, L].

    `predict` gives the language model's logits: masked ids [B, L], positions bool [B, L] -> [N, V]. It is not called
    where nothing is masked. The options are those of `choose_positions`, `mask` and `fill`; the choices at random come
    from the streams "positions", "symbols" and "fill". `predict_fills`, where given, is asked as `predict` is, and the
    fills are made of its answer.

    >>> text, ones = torch.tensor([[1, 7, 8, 9, 2]]), torch.ones(1, 5, dtype=torch.long)
    >>> ten_words = Vocabulary(mask_id=3, special_ids=(0, 1, 2, 3), size=10)
    >>> always_six = lambda masked_ids, positions: torch.eye(10)[[6] * int(positions.sum())]
    >>> made = perturb_batch(text, ones, always_six, ten_words, Streams(0).at(0), mask_rate=0.99)
    >>> made.masked_ids.tolist(), made.filled_ids.tolist()
    ([[1, 3, 3, 3, 2]], [[1, 6, 6, 6, 2]])
    """
    candidates = maskable(input_ids, attention_mask, vocabulary)
    positions = choose_positions(candidates, mask_rate, streams["positions"], choose_by)
    parts.list_tokens(positions)
    if not positions.any():
        return PerturbedBatch(positions, input_ids, input_ids, None, int(candidates.sum()))
    masked_ids = mask(input_ids, positions, vocabulary, streams["symbols"], symbol)
    logits = predict(masked_ids, positions)
    fill_logits = logits if predict_fills is None else predict_fills(masked_ids, positions)
    filled_ids = fill(input_ids, positions, fill_logits, vocabulary, streams["fill"], fill_by)
    return PerturbedBatch(positions, masked_ids, filled_ids, logits, int(candidates.sum()), fill_logits)


def check_mask_rate(mask_rate: float) -> float:
    """Return the rate; raise MaskTuneError unless 0 <= mask_rate < 1.

    >>> check_mask_rate(0.05)
    0.05
    """
    if not (isinstance(mask_rate, int | float) and 0 <= mask_rate < 1):
        raise MaskTuneError(f"mask_rate {mask_rate!r} is outside [0, 1); the paper masks 0.05 of the tokens")
    return mask_rate


def maskable(input_ids: Tensor, attention_mask: Tensor, vocabulary: Vocabulary) -> Tensor:
    """Where a token may be masked: everywhere but on padding and special tokens. [B, L] -> bool [B, L].

    >>> specials = Vocabulary(mask_id=3, special_ids=(0, 1, 2, 3), size=10)
    >>> maskable(torch.tensor([[1, 7, 2, 0]]), torch.tensor([[1, 1, 1, 0]]), specials)
    tensor([[False,  True, False, False]])
    """
    return attention_mask.bool() & ~vocabulary.is_special(input_ids)


def choose_positions(candidates: Tensor, mask_rate: float, generator: Generator, how: str = "bernoulli") -> Tensor:
    """Choose which of the candidates [B, L] to mask. Returns bool [B, L].

    "bernoulli"     each candidate on its own with probability `mask_rate` (our primary choice)
    "exact"         rate x candidates of each example, rounded up or down at random so that the mean is exact
    "at_least_one"  as "bernoulli", and one candidate at random in each example that would stay untouched

    >>> candidates = torch.ones(1, 20, dtype=torch.bool)
    >>> choose_positions(candidates, 0.25, Generator().manual_seed(0), "exact").sum()
    tensor(5)
    """
    check_mask_rate(mask_rate)
    one_of(how, POSITIONS, "choice of positions")
    draws = parts.uniform(candidates.shape, generator).to(candidates.device)
    draws = draws.masked_fill(~candidates, 2.0)
    if how == "exact":
        return _lowest(draws, _round_at_random(candidates.sum(1) * mask_rate, generator)) & candidates
    chosen = draws < mask_rate
    if how == "at_least_one" and mask_rate > 0:
        untouched = ~chosen.any(1, keepdim=True)
        chosen |= untouched & _lowest(draws, torch.ones_like(candidates.sum(1))) & candidates
    return chosen


def _round_at_random(expected: Tensor, generator: Generator) -> Tensor:
    """Round real counts [B] to whole ones at random, with the right mean (stochastic rounding)."""
    return (expected + parts.uniform(expected.shape, generator).to(expected.device)).floor().long()


def _lowest(draws: Tensor, counts: Tensor) -> Tensor:
    """Mark the `counts[b]` lowest draws of each row. [B, L], [B] -> bool [B, L]."""
    ranks = draws.argsort(dim=1).argsort(dim=1)
    return ranks < counts[:, None]


def mask(
    input_ids: Tensor, positions: Tensor, vocabulary: Vocabulary, generator: Generator, symbol: str = "mask"
) -> Tensor:
    """Hide the tokens at `positions` from the language model. [B, L] -> [B, L], a copy.

    "mask"  always the mask token (our primary choice)
    "bert"  80 % the mask token, 10 % a random token, 10 % left as it is (Devlin et al. 2019, section 3.1)

    >>> specials = Vocabulary(mask_id=3, special_ids=(0, 1, 2, 3), size=10)
    >>> mask(torch.tensor([[1, 7, 2]]), torch.tensor([[False, True, False]]), specials, Generator())
    tensor([[1, 3, 2]])
    """
    one_of(symbol, SYMBOLS, "mask symbol")
    symbols = torch.full((int(positions.sum()),), vocabulary.mask_id, dtype=input_ids.dtype)
    if symbol == "bert":
        draws = parts.uniform(symbols.shape, generator, of="tokens")
        randoms = random_tokens(len(symbols), vocabulary, generator).to(input_ids.dtype)
        symbols = torch.where(draws < 0.9, torch.where(draws < 0.8, symbols, randoms), input_ids[positions].cpu())
    return put(input_ids, positions, symbols)


def fill(
    input_ids: Tensor,
    positions: Tensor,
    logits: Tensor,
    vocabulary: Vocabulary,
    generator: Generator,
    how: str = "argmax",
) -> Tensor:
    """The perturbed batch: fill the gaps at `positions`. Takes the ORIGINAL ids [B, L] and logits [N, V].

    "argmax"    the most probable ordinary token (our primary choice)
    "sample"    an ordinary token drawn from the predicted distribution
    "soft"      no token: the mean word embedding under the predicted distribution (`expected_words` of the model) is
                read there, and the ids returned, those of "argmax", only hold its place
    "keep"      the mask token stays in
    "random"    a random ordinary token: no language model in the fill
    "original"  the token that was hidden is put back: the classifier sees the clean example

    A special token is never filled in: a predicted [SEP] or </s> would change the structure of the input, and BART
    reads the class at its only </s>. Token ids carry no gradient: but for a soft fill that is taught
    (`fill_gradient` of Mask-tuning), the two losses meet only in shared weights.

    >>> specials, text = Vocabulary(mask_id=3, special_ids=(0, 1, 2, 3), size=10), torch.tensor([[1, 7, 2]])
    >>> where, predicted = torch.tensor([[False, True, False]]), torch.eye(10)[[6]]
    >>> fill(text, where, predicted, specials, Generator()), fill(text, where, predicted, specials, Generator(), "keep")
    (tensor([[1, 6, 2]]), tensor([[1, 3, 2]]))
    """
    one_of(how, FILLS, "fill")
    if how == "original":
        return input_ids.clone()
    if how == "keep":
        return put(input_ids, positions, torch.full((int(positions.sum()),), vocabulary.mask_id))
    if how == "random":
        return put(input_ids, positions, random_tokens(int(positions.sum()), vocabulary, generator))
    logits = ordinary_logits(logits.detach(), vocabulary)
    if how in ("argmax", "soft"):
        return put(input_ids, positions, logits.argmax(-1))
    # The inverse of the cumulative distribution at a uniform draw from the CPU: the same on every device.
    cumulative = logits.softmax(-1).cumsum(-1)
    draws = parts.uniform((len(logits), 1), generator, of="tokens")
    draws = draws.clamp(min=1e-12).to(cumulative) * cumulative[:, -1:]
    return put(input_ids, positions, torch.searchsorted(cumulative, draws).squeeze(-1))


def ordinary_logits(logits: Tensor, vocabulary: Vocabulary) -> Tensor:
    """float32 logits [N, V] in which special tokens, and rows beyond the tokenizer's size, are impossible.

    >>> ordinary_logits(torch.zeros(1, 6), Vocabulary(mask_id=1, special_ids=(0, 1), size=5))
    tensor([[-inf, -inf, 0., 0., 0., -inf]])
    """
    impossible = torch.arange(logits.shape[-1], device=logits.device) >= vocabulary.size
    impossible[list(vocabulary.special_ids)] = True
    return logits.float().masked_fill(impossible, -torch.inf)


def random_tokens(count: int, vocabulary: Vocabulary, generator: Generator) -> Tensor:
    """`count` ordinary tokens, each with equal probability. [count].

    >>> random_tokens(3, Vocabulary(mask_id=1, special_ids=(0, 1), size=3), Generator())
    tensor([2, 2, 2])
    """
    ordinary = vocabulary.ordinary_ids()
    return ordinary[parts.integers(len(ordinary), count, generator, of="tokens")]


def put(input_ids: Tensor, positions: Tensor, token_ids: Tensor) -> Tensor:
    """A copy of `input_ids` [B, L] with `token_ids` [N] at `positions` bool [B, L].

    >>> put(torch.tensor([[1, 7, 2]]), torch.tensor([[False, True, False]]), torch.tensor([5]))
    tensor([[1, 5, 2]])
    """
    return input_ids.masked_scatter(positions, token_ids.to(input_ids))
