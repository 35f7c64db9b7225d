"""A language model is trained on texts, measured on some that are held out, and stored with what was measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from masktune.models.masked_lm import MaskedLM
from masktune.pretraining import curve, mlm
from masktune.pretraining.mlm import Recipe
from masktune.streams import derive

SEED = 0  # of the first pre-training, and of what all of a model share: which texts are held out, what is masked there
HELD_OUT = 0.02
RECORD = "masked_lm.json"  # in the folder of a checkpoint that was made here: of what, and how well it predicts


def train_and_store(
    masked_lm: MaskedLM,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    recipe: Recipe,
    seed: int,
    title: str,
    folder: Path,
    made_of: dict[str, Any],
    share: float = HELD_OUT,
    tell: Callable[[dict[str, float]], None] = lambda point: None,
) -> list[dict[str, float]]:
    """Train on all but a held-out part of the texts; store model, tokenizer and what was measured on that part.

    `share` is held out; `tell` gets each point of the held-out curve (pretraining.curve) when it has been measured.
    Returns the curve.
    """
    train, held_out = split(texts, share)
    measured: list[dict[str, float]] = []
    wanted = {0} | curve.steps_at(recipe.steps)
    masked_lm.to("cuda" if torch.cuda.is_available() else "cpu")

    def look(step: int) -> None:
        if step in wanted:
            measured.append({"step": step} | mlm.evaluate_mlm(masked_lm, tokenizer, held_out, recipe, SEED))
            tell(measured[-1])

    look(0)
    losses = mlm.train_mlm(masked_lm, tokenizer, train, recipe, seed, title, look)
    masked_lm.model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    record = {
        "made_of": made_of,
        "pretraining": seed,
        "fast_dropout": mlm.uses_fast_dropout(masked_lm, recipe),
        "texts": len(train),
        "held_out_texts": len(held_out),
        "curve": measured,
        "losses": losses,
    }
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n")
    return measured


def split(texts: Sequence[str], share: float = HELD_OUT) -> tuple[list[str], list[str]]:
    """(train, held out): the texts with the lowest hashes are held out, whatever their order."""
    ranked = sorted(texts, key=lambda text: derive(SEED, "held out", text))
    count = max(1, round(share * len(ranked)))
    held_out = set(ranked[:count])
    return [text for text in texts if text not in held_out], ranked[:count]
