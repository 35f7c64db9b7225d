"""Give a checkpoint a trained masked-LM head, or bring its language model nearer to one's own texts.

Mask-tuning needs a language model that can fill gaps. Sentence encoders, discriminators (ELECTRA, DeBERTa-v3) and
classifiers are published without the head that does: `adapt` draws one and trains it, with the encoder, on texts
without labels. For a checkpoint that has a head it is task-adaptive pretraining (Gururangan et al. 2020).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm
from transformers import AutoTokenizer, PreTrainedConfig, PreTrainedTokenizerBase

from masktune import files
from masktune.errors import MaskTuneError
from masktune.models.masked_lm import MaskedLM, load_masked_lm_and_missing
from masktune.models.origin import Origin
from masktune.models.spec import Adaptation, content
from masktune.models.weights import loading
from masktune.perturb import Vocabulary, check_mask_rate
from masktune.pretraining import curve, mlm
from masktune.pretraining.mlm import Recipe
from masktune.pretraining.storing import HELD_OUT, RECORD, train_and_store
from masktune.streams import derive

# Of few texts a larger part is held out, so that there is something to measure.
ENOUGH_HELD_OUT = 200
LARGEST_SHARE = 0.1
# Types whose positions start after the padding id: two fewer tokens than positions.
AFTER_PADDING = ("roberta", "xlm-roberta", "camembert", "longformer", "mpnet")


def adapt(
    checkpoint: str | Path,
    texts: Iterable[str] | str | Path,
    folder: str | Path,
    *,
    steps: int = 600,
    batch_size: int = 32,
    max_length: int = 64,
    learning_rate: float = 1.5e-4,
    head_learning_rate: float = 1e-3,
    mask_rate: float = 0.15,
    seed: int = 0,
    revision: str | None = None,
    subfolder: str = "",
    cache_dir: str | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
    trust_remote_code: bool = False,
) -> Path:
    """Train the masked language model of a checkpoint on texts and write a checkpoint, with tokenizer, to `folder`.

    `texts` are strings, such as `dataset["text"]`, or the path of a text file with one text a line; they need no
    labels. Repeated ones count once, and a part is held out: its loss (nats) is printed, and at the end whether it has
    levelled off. A head that the checkpoint lacks begins at the frequencies of the tokens. Texts are joined and cut
    into pieces of `max_length` tokens; `steps` of `batch_size` pieces are trained, at `learning_rate` and the head's
    own. `masked_lm.json` in the folder records all this.

    The folder appears when it is whole, so after an interruption the same call begins again; where the folder is the
    product of the same call it is returned at once. Returns the folder.

    Raises MaskTuneError for a checkpoint that cannot be loaded or whose type has no masked-LM head, a tokenizer without
    mask token, too few texts, an option that makes no sense, and a folder that holds something else.

    >>> folder = adapt(checkpoint, texts, "adapted", steps=2, max_length=16)
    step 0 of 2: held-out loss ...
    the held-out loss did not fall...
    >>> classifier = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2)
    """
    origin = Origin(str(checkpoint), revision, subfolder, cache_dir, token, local_files_only, trust_remote_code)
    adaptation = Adaptation(steps, batch_size, max_length, learning_rate, head_learning_rate, mask_rate)
    _check(adaptation)
    read = _read(texts)
    recipe = Recipe.of(adaptation)
    made_of = {**_identity(origin), "recipe": recipe.identity(), "text": files.digest("\n".join(read)), "seed": seed}
    folder = Path(os.path.expanduser(folder))
    if _is_made(folder, made_of):
        print(f"{folder} is there already, made of the same checkpoint and texts")
        return folder
    masked_lm, tokenizer = _load(origin, read, max_length, seed)
    share = max(HELD_OUT, min(LARGEST_SHARE, ENOUGH_HELD_OUT / len(read)))
    with _says_if_interrupted(folder), files.replace_folder(folder) as unfinished:
        title = f"adapting {Path(origin.name).name}"
        measured = train_and_store(
            masked_lm, tokenizer, read, recipe, seed, title, unfinished, made_of, share, _Telling(steps)
        )
    print(_verdict(measured))
    return folder


def _load(origin: Origin, texts: list[str], max_length: int, seed: int) -> tuple[MaskedLM, PreTrainedTokenizerBase]:
    """The language model to train, with a head whether the checkpoint has one or not, and its tokenizer."""
    with loading(origin.name, origin.revision):
        tokenizer = AutoTokenizer.from_pretrained(origin.checkpoint, **origin.arguments())
    Vocabulary.of(tokenizer)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "masked-LM head"))  # one that is missing is drawn the same each time
        masked_lm, missing = load_masked_lm_and_missing(origin, dtype=torch.float32)
    _check_length(max_length, tokenizer, masked_lm.model.config)
    if missing:
        mlm.start_bias_at_unigrams(masked_lm, tokenizer, texts)
    return masked_lm, tokenizer


@contextmanager
def _says_if_interrupted(folder: Path) -> Iterator[None]:
    """Within the block an interruption is told what becomes of it, beside the progress bar."""
    try:
        yield
    except KeyboardInterrupt:
        tqdm.write(f"interrupted: nothing of {folder} is kept, and the same call begins again at step 0")
        raise


class _Telling:
    """Prints each measurement of the held-out loss, beside the progress bar."""

    def __init__(self, steps: int):
        self.steps = steps

    def __call__(self, point: dict[str, float]) -> None:
        tqdm.write(
            f"step {point['step']:.0f} of {self.steps}: held-out loss {point['loss']:.2f} nats, "
            f"{100 * point['accuracy']:.0f} % of masked tokens right"
        )


def _verdict(measured: list[dict[str, float]]) -> str:
    if measured[0]["loss"] - measured[-1]["loss"] < curve.STILL:
        return (
            "the held-out loss did not fall: the language model knows texts like these already, or so few steps teach "
            "it nothing"
        )
    gain = curve.last_gain(measured)
    said = f"the held-out loss fell by {gain:.2f} nats in the last quarter of the steps"
    if curve.has_levelled_off(measured):
        return f"{said}: it has levelled off"
    return f"{said}: it has not levelled off, more steps would teach the language model more"


def _check(adaptation: Adaptation) -> None:
    """Raise MaskTuneError for an option that makes no sense."""
    for name, least in (("steps", 1), ("batch_size", 1), ("max_length", 8)):
        value = getattr(adaptation, name)
        if not (isinstance(value, int) and value >= least):
            raise MaskTuneError(f"{name} = {value!r}; expected a whole number of at least {least}")
    for name in ("learning_rate", "head_learning_rate"):
        value = getattr(adaptation, name)
        if not (isinstance(value, int | float) and 0 < value < 1):
            raise MaskTuneError(f"{name} = {value!r}; expected a number between 0 and 1, such as {1e-4}")
    if check_mask_rate(adaptation.mask_rate) == 0:
        raise MaskTuneError("mask_rate = 0: nothing would be predicted; BERT was trained with 0.15")


def longest_of(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig) -> int:
    """The tokens that a model can read, special tokens included."""
    positions = getattr(config, "max_position_embeddings", None) or tokenizer.model_max_length
    reserved = 2 if config.model_type in AFTER_PADDING else 0
    return int(min(tokenizer.model_max_length, positions - reserved))


def _check_length(max_length: int, tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig) -> None:
    longest = longest_of(tokenizer, config)
    if max_length > longest:
        raise MaskTuneError(f"max_length = {max_length}: this model reads at most {longest} tokens; choose fewer")


def _read(texts: Iterable[str] | str | Path) -> list[str]:
    """The texts, each once and none empty. Raises MaskTuneError for what is no text, and for fewer than two."""
    if isinstance(texts, str | Path):
        texts = _lines(Path(os.path.expanduser(texts)))
    elif hasattr(texts, "column_names"):
        raise MaskTuneError(
            f"texts is a {type(texts).__name__} with the columns {texts.column_names}; pass one column, as in "
            'dataset["text"]'
        )
    found: dict[str, None] = {}
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise MaskTuneError(f"text {number} is {text!r}; expected strings: leave out rows without a text")
        if text.strip():
            found[text] = None
    if len(found) < 2:
        raise MaskTuneError(f"{len(found)} different texts; expected some thousands, and at least 2: one is held out")
    return list(found)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise MaskTuneError(
            f"cannot read the texts {str(path)!r} ({reason}); name a text file with one text a line, or pass a list"
        ) from error


def _identity(origin: Origin) -> dict[str, Any]:
    if origin.folder.is_dir():
        return {"content": content(origin.folder)}
    return {"checkpoint": origin.name, "revision": origin.revision}


def _is_made(folder: Path, made_of: dict[str, Any]) -> bool:
    """Whether the folder is what the same call made. Raises MaskTuneError where it holds something else."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    try:
        if json.loads((folder / RECORD).read_text())["made_of"] == made_of:
            return True
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise MaskTuneError(
        f"{str(folder)!r} is there and was not made of this checkpoint, these texts and settings; name a folder that "
        "does not exist"
    )
