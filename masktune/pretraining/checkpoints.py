"""Checkpoints that a study needs and nobody publishes: the small models of the embedded world, adapted language models.

`prepare(spec, task)` returns what transformers loads: a folder with a tokenizer and a trained masked-LM head, or a hub
id. What has to be made is made once and kept in the cache (masktune.cache).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from masktune import cache, data, files
from masktune.data.sources import mirror_folder
from masktune.errors import MaskTuneError, one_of
from masktune.models.masked_lm import MaskedLM, load_masked_lm_and_missing
from masktune.models.spec import EMBEDDED, Adaptation, ModelSpec, content, folder_of
from masktune.models.weights import loading
from masktune.perturb import Vocabulary
from masktune.pretraining import mlm, small_models
from masktune.pretraining.mlm import Recipe
from masktune.pretraining.storing import RECORD, SEED, train_and_store
from masktune.streams import derive

FORMAT = 2  # counts up when the code that makes a checkpoint changes what it makes


def prepare(spec: ModelSpec, task: str, pretraining: int = SEED) -> str:
    """A folder, or hub id, with tokenizer and trained masked-LM head; made with a progress bar if it is not cached.

    `pretraining` is the seed of what is trained: first weights, order of the texts, masks, a new head. The tokenizer is
    the same for all of them.

    Raises MaskTuneError for an unknown family, a checkpoint that cannot be reached, a model of the hub without its
    revision, a tokenizer without mask token, and a cache that cannot be written.
    """
    source = _pretrain_embedded(spec, pretraining) if spec.is_embedded else _find(spec)
    if spec.adaptation is None:
        return source
    texts = _read_train_texts(task) if spec.is_embedded else data.unlabelled("real", task)
    return str(_adapt(source, spec, spec.adaptation, task, texts, pretraining))


def digests(spec: ModelSpec) -> dict[str, str]:
    """The digest of a model of the mirror, by its path there: a name alone does not say what was loaded."""
    if spec.is_embedded or folder_of(spec.checkpoint):
        return {}
    folder = _find_in_mirror(spec.checkpoint)
    return {} if folder is None else {f"models/{spec.checkpoint}": content(folder)}


def used_fast_dropout(checkpoint: str) -> bool | None:
    """Whether `prepare` trained this checkpoint with fast dropout masks; None where that is not known."""
    return _record_of(checkpoint).get("fast_dropout")


def describe(checkpoint: str) -> dict[str, Any] | None:
    """What a run says of the language model that it starts from, where `prepare` trained it; else None.

    Its recipe, the number of texts it was trained on and measured on, and its held-out curve (pretraining.curve).
    """
    record = _record_of(checkpoint)
    if "curve" not in record:
        return None
    points = [{name: round(value, 4) for name, value in point.items()} for point in record["curve"]]
    kept = {name: record[name] for name in ("pretraining", "texts", "held_out_texts")}
    return {"recipe": record["made_of"]["recipe"], **kept, "curve": points}


def _record_of(checkpoint: str) -> dict[str, Any]:
    path = Path(checkpoint) / RECORD
    return json.loads(path.read_text()) if path.is_file() else {}


def _find(spec: ModelSpec) -> str:
    """Where a named checkpoint is: a folder as it is, else in the mirror, else on the hub at its revision."""
    folder = folder_of(spec.checkpoint) or _find_in_mirror(spec.checkpoint)
    if folder is None and spec.revision is None:
        raise MaskTuneError(
            f"checkpoint {spec.checkpoint!r} is no folder and no model of the mirror (MASKTUNE_MIRROR), and a model of "
            "the hub needs the commit that is meant: revision = ..."
        )
    return spec.checkpoint if folder is None else str(folder)


def _find_in_mirror(checkpoint: str) -> Path | None:
    mirror = mirror_folder()
    folder = None if mirror is None else mirror / "models" / checkpoint
    return folder if folder is not None and folder.is_dir() else None


def _pretrain_embedded(spec: ModelSpec, seed: int) -> str:
    family = spec.checkpoint.removeprefix(EMBEDDED)
    one_of(family, small_models.SMALL_MODELS, "family of the embedded world")
    recipe = small_models.RECIPES[family]
    if spec.pretraining_steps is not None:
        recipe = replace(recipe, steps=spec.pretraining_steps)
    texts = data.unlabelled("embedded", "sentiment")
    made_of = {"family": family, "recipe": recipe.identity(), "text": files.digest("\n".join(texts))}

    def make(folder: Path) -> None:
        small = small_models.SMALL_MODELS[family](texts, seed)
        title = f"pre-training {family}"
        train_and_store(MaskedLM(small.model), small.tokenizer, texts, recipe, seed, title, folder, made_of)

    return str(cache.make_once("checkpoints", f"embedded-{family}", _identity(made_of, seed), make))


def _read_train_texts(task: str) -> list[str]:
    """The texts of a train set of the embedded world, each once: its unlabelled text has been read in pre-training."""
    rows = data.load("embedded", task).train
    columns = [rows[name] for name in ("text", "text_pair") if name in rows.column_names]
    return list(dict.fromkeys(text for column in columns for text in column))


def _adapt(source: str, spec: ModelSpec, adaptation: Adaptation, task: str, texts: Sequence[str], seed: int) -> Path:
    recipe = Recipe.of(adaptation)
    folder = folder_of(source)
    identity = {"checkpoint": source, "revision": spec.revision} if folder is None else {"content": content(folder)}
    made_of = {**identity, "recipe": recipe.identity(), "task": task, "text": files.digest("\n".join(texts))}

    def make(folder: Path) -> None:
        revision = spec.revision or "main"
        with loading(source, spec.revision):
            tokenizer = AutoTokenizer.from_pretrained(source, revision=revision)
        Vocabulary.of(tokenizer)
        torch.manual_seed(derive(seed, "masked-LM head"))  # one that is missing is drawn the same each time
        masked_lm, missing = load_masked_lm_and_missing(source, spec.revision)
        if missing:
            mlm.start_bias_at_unigrams(masked_lm, tokenizer, texts)
        train_and_store(masked_lm, tokenizer, texts, recipe, seed, f"adapting {spec.name} to {task}", folder, made_of)

    return cache.make_once("checkpoints", f"{spec.name}-{task}", _identity(made_of, seed), make)


def _identity(made_of: dict[str, Any], seed: int) -> dict[str, Any]:
    return {**made_of, "format": FORMAT, "seed": seed}
