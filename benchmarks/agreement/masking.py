"""Our masking beside transformers' DataCollatorForLanguageModeling: how many tokens, which, and by which symbol.

Counted over the texts of a train set, read again and again with new draws until enough tokens that may be masked have
been seen. A share is one of independent draws, so that its interval is the exact binomial one.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerBase

from benchmarks.agreement.fine_tuning import OURS
from masktune import perturb
from masktune.errors import MaskTuneError
from masktune.perturb import Vocabulary
from masktune.streams import Streams

COLLATOR = "DataCollatorForLanguageModeling"
RATES = (0.05, 0.15)
TOKENS = 300_000
BATCH = 32
Masked = tuple[Tensor, Tensor]  # the ids with masks [B, L], and where a token was chosen, bool [B, L]


def count(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[Sequence[int]], tokens: int = TOKENS
) -> list[dict[str, Any]]:
    """A row for each side, rate and share: `hits` of `trials`, and what they were drawn from (`expected`, a share).

    `texts` are token ids with their special tokens.
    """
    vocabulary = Vocabulary.of(tokenizer)
    if not any(token not in vocabulary.special_ids for text in texts for token in text):
        raise MaskTuneError(f"none of the {len(texts)} texts has a token that may be masked; give the tokenizer's own")
    specials = len(vocabulary.special_ids) / len(tokenizer)
    rows = []
    for rate in RATES:
        for side, expected in ((OURS, 0.0), (COLLATOR, specials)):
            rows += [
                {"side": side, "mask_rate": rate, **row}
                for row in _count(_masker(side, tokenizer, rate), vocabulary, tokenizer, texts, tokens, rate, expected)
            ]
    return rows


def _masker(side: str, tokenizer: PreTrainedTokenizerBase, rate: float) -> Callable[[Tensor, Tensor, int], Masked]:
    if side == COLLATOR:
        collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=rate)

        def theirs(input_ids: Tensor, attention_mask: Tensor, step: int) -> Masked:
            torch.manual_seed(step)
            masked, labels = collator.torch_mask_tokens(input_ids.clone())
            return masked, labels != -100

        return theirs
    vocabulary = Vocabulary.of(tokenizer)

    def ours(input_ids: Tensor, attention_mask: Tensor, step: int) -> Masked:
        streams = Streams(0, step)
        candidates = perturb.maskable(input_ids, attention_mask, vocabulary)
        positions = perturb.choose_positions(candidates, rate, streams["positions"])
        return perturb.mask(input_ids, positions, vocabulary, streams["symbols"], "bert"), positions

    return ours


def _count(
    mask: Callable[[Tensor, Tensor, int], Masked],
    vocabulary: Vocabulary,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[Sequence[int]],
    tokens: int,
    rate: float,
    special_share: float,
) -> Iterator[dict[str, Any]]:
    seen = dict.fromkeys(("ordinary", "special", "chosen", "chosen_special", "mask", "same", "other_special"), 0)
    for step, (ids, attention_mask) in enumerate(_batches(tokenizer, texts)):
        masked, chosen = mask(ids, attention_mask, step)
        special = vocabulary.is_special(ids)
        now, before = masked[chosen], ids[chosen]
        other = (now != vocabulary.mask_id) & (now != before)
        found = {
            "ordinary": ~special, "special": special, "chosen": chosen & ~special, "chosen_special": chosen & special,
            "mask": now == vocabulary.mask_id, "same": now == before,
            "other_special": other & vocabulary.is_special(now),
        }  # fmt: skip
        seen = {name: number + int(found[name].sum()) for name, number in seen.items()}
        if seen["ordinary"] >= tokens:
            break
    chosen_all = seen["chosen"] + seen["chosen_special"]
    others = chosen_all - seen["mask"] - seen["same"]
    of_vocabulary = 1 / (len(tokenizer) - (0 if special_share else len(vocabulary.special_ids)))
    # A token drawn at random is now and then the mask token or the one that was there.
    drawn_as_mask = of_vocabulary if special_share else 0.0
    shares = {
        "ordinary tokens that are chosen": (seen["chosen"], seen["ordinary"], rate),
        "special tokens and padding that are chosen": (seen["chosen_special"], seen["special"], 0.0),
        "chosen tokens that become the mask token": (seen["mask"], chosen_all, 0.8 + 0.1 * drawn_as_mask),
        "chosen tokens that become another one": (others, chosen_all, 0.1 * (1 - of_vocabulary - drawn_as_mask)),
        "chosen tokens that stay as they are": (seen["same"], chosen_all, 0.1 + 0.1 * of_vocabulary),
        "of the other ones, special tokens": (
            seen["other_special"],
            others,
            max(special_share - drawn_as_mask, 0.0) / (1 - of_vocabulary - drawn_as_mask),
        ),
    }
    for name, (hits, trials, expected) in shares.items():
        yield {"share": name, "hits": hits, "trials": trials, "expected": expected}


def _batches(tokenizer: PreTrainedTokenizerBase, texts: Sequence[Sequence[int]]) -> Iterator[tuple[Tensor, Tensor]]:
    """Padded ids and attention mask [B, L] without end."""
    while True:
        for start in range(0, len(texts), BATCH):
            rows = [{"input_ids": list(row)} for row in texts[start : start + BATCH]]
            batch = tokenizer.pad(rows, return_tensors="pt")
            yield batch["input_ids"], batch["attention_mask"]
