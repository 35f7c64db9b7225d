"""Checkpoints that a study needs and nobody publishes: the small models of the embedded world, adapted language models.

`prepare(spec, task)` returns what transformers loads: a folder with a tokenizer and a trained masked-LM head, or a hub
id. What has to be made is made once and kept in the cache, in a folder named by everything that made it; it is written
beside and renamed, so that a folder in the cache is whole, and of two processes that make the same one, one wins.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from masktune import data, pretraining, small_models
from masktune.data.sources import mirror_folder
from masktune.errors import MaskTuneError, one_of
from masktune.models import MaskedLM, loading, masked_lm_and_missing
from masktune.perturb import Vocabulary
from masktune.pretraining import Recipe
from masktune.streams import derive

EMBEDDED = "embedded:"
SEED = 0  # of every preparation: a study varies the fine-tuning, not the checkpoint
FORMAT = 1  # counts up when the code that makes a checkpoint changes what it makes
HELD_OUT = 0.02


@dataclass(frozen=True)
class Adaptation:
    """MLM training of a checkpoint on the unlabelled text of the real task, head and encoder.

    For an encoder without a trained masked-LM head (a sentence encoder, say), or to bring one nearer to the task's
    text (Gururangan et al. 2020). Text is concatenated and cut into chunks of `max_length` tokens; the new head learns
    at its own rate and begins at the log frequencies of the tokens.
    """

    steps: int = 600
    batch_size: int = 32
    max_length: int = 64
    learning_rate: float = 1.5e-4
    head_learning_rate: float = 1e-3
    mask_rate: float = 0.15

    def recipe(self) -> Recipe:
        return Recipe(**asdict(self), packed=True)


@dataclass(frozen=True)
class ModelSpec:
    """A model of a study.

    `checkpoint` is "embedded:<family>", a folder, a model of the mirror ($MASKTUNE_MIRROR/models/<name>) or a hub id
    with its pinned `revision`; `adaptation` trains its masked-LM head on the task's text first.
    """

    name: str
    checkpoint: str
    revision: str | None = None
    adaptation: Adaptation | None = None


def prepare(spec: ModelSpec, task: str) -> str:
    """A folder, or hub id, with tokenizer and trained masked-LM head; made with a progress bar if it is not cached.

    Raises MaskTuneError for an unknown family, a checkpoint that cannot be reached, a tokenizer without mask token,
    and a cache that cannot be written.
    """
    if spec.checkpoint.startswith(EMBEDDED):
        return str(_embedded(spec.checkpoint.removeprefix(EMBEDDED)))
    place = _place(spec.checkpoint)
    if spec.adaptation is None:
        return place
    return str(_adapted(place, spec, task))


def cache_folder() -> Path:
    """Where prepared checkpoints are kept: $MASKTUNE_CACHE, else ~/.cache/masktune."""
    return Path(os.environ.get("MASKTUNE_CACHE") or Path.home() / ".cache" / "masktune").expanduser()


def _place(checkpoint: str) -> str:
    """Where a named checkpoint is: a folder as it is, else in the mirror, else on the hub under this name."""
    if Path(checkpoint).is_dir():
        return checkpoint
    mirror = mirror_folder()
    if mirror is not None and (mirror / "models" / checkpoint).is_dir():
        return str(mirror / "models" / checkpoint)
    return checkpoint


def _embedded(family: str) -> Path:
    one_of(family, small_models.SMALL_MODELS, "family of the embedded world")
    recipe = small_models.RECIPES[family]
    texts = data.unlabelled("embedded", "sentiment")
    made_of = {"family": family, "recipe": recipe.identity(), "text": _digest("\n".join(texts))}

    def make(folder: Path) -> None:
        small = small_models.SMALL_MODELS[family](texts, SEED)
        _train(MaskedLM(small.model), small.tokenizer, texts, recipe, f"pre-training {family}", folder, made_of)

    return _cached(f"embedded-{family}", made_of, make)


def _adapted(place: str, spec: ModelSpec, task: str) -> Path:
    texts = data.unlabelled("real", task)
    recipe = spec.adaptation.recipe()
    source = {"checkpoint": spec.checkpoint.rstrip("/").rsplit("/", 1)[-1], "revision": spec.revision}
    made_of = {**source, "recipe": recipe.identity(), "task": task, "text": _digest("\n".join(texts))}

    def make(folder: Path) -> None:
        revision = spec.revision or "main"
        with loading(place, spec.revision):
            tokenizer = AutoTokenizer.from_pretrained(place, revision=revision)
        Vocabulary.of(tokenizer)
        masked_lm, missing = masked_lm_and_missing(place, spec.revision)
        if missing:
            pretraining.start_bias_at_unigrams(masked_lm, tokenizer, texts)
        _train(masked_lm, tokenizer, texts, recipe, f"adapting {spec.name} to {task}", folder, made_of)

    return _cached(f"{spec.name}-{task}", made_of, make)


def _train(
    masked_lm: MaskedLM,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    recipe: Recipe,
    title: str,
    folder: Path,
    made_of: dict[str, Any],
) -> None:
    """Train on all but a held-out part of the texts and store model, tokenizer and what was measured."""
    train, held_out = _split(texts)
    before = pretraining.evaluate_mlm(masked_lm, tokenizer, held_out, recipe, SEED)
    losses = pretraining.train_mlm(masked_lm, tokenizer, train, recipe, SEED, title)
    after = pretraining.evaluate_mlm(masked_lm, tokenizer, held_out, recipe, SEED)
    masked_lm.model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    record = {"made_of": made_of, "held_out_texts": len(held_out), "before": before, "after": after, "losses": losses}
    (folder / "masked_lm.json").write_text(json.dumps(record, indent=1) + "\n")


def _split(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """(train, held out): the texts with the lowest hashes are held out, whatever their order."""
    ranked = sorted(texts, key=lambda text: derive(SEED, "held out", text))
    count = max(1, round(HELD_OUT * len(ranked)))
    held_out = set(ranked[:count])
    return [text for text in texts if text not in held_out], ranked[:count]


def _cached(name: str, made_of: dict[str, Any], make: Callable[[Path], None]) -> Path:
    """The folder of this name and origin in the cache, made if it is not there."""
    key = _digest(json.dumps({**made_of, "format": FORMAT, "seed": SEED}, sort_keys=True))
    folder = cache_folder() / "checkpoints" / f"{name}-{key[:12]}"
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    except OSError as error:
        raise MaskTuneError(
            f"cannot write to the cache {str(folder.parent)!r} ({error.strerror}); set MASKTUNE_CACHE to a folder that "
            "can be written"
        ) from error
    try:
        make(beside)
        beside.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
