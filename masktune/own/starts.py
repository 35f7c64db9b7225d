"""The checkpoint that a training starts from: a folder, a model of the mirror, of the hub, or a trial made on the spot.

`embedded` needs no network: a small BERT whose vocabulary is learnt from the user's train texts, pre-trained on them
for about a minute. It shows that everything runs and what the report looks like. It knows no language beyond these
texts, and is no model for work.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoTokenizer, BertConfig, PreTrainedConfig, PreTrainedTokenizerBase

from masktune import cache, files
from masktune.data.sources import mirror_folder
from masktune.errors import MaskTuneError
from masktune.models.masked_lm import MaskedLM
from masktune.models.spec import content, folder_of
from masktune.models.weights import loading
from masktune.own.settings import EMBEDDED, Settings
from masktune.pretraining import mlm, small_models
from masktune.pretraining.adapt import adapt, longest_of
from masktune.pretraining.mlm import Recipe
from masktune.streams import derive

FORMAT = 1  # of the trial model: counts up when the code that makes it changes what it makes
SEED = 0
STEPS = 400  # about a minute of one core
VOCABULARY = 4000
LONGEST = 128  # tokens that the trial model can read: each place has to be trained
RECIPE = Recipe(
    steps=STEPS, batch_size=16, max_length=LONGEST, packed=True, learning_rate=3e-3, matrix_learning_rate=5e-3,
    mask_rate=0.2, symbol="mask", dropout=False,
)  # fmt: skip
FEWEST_WORDS = 200
OWN_HEAD = "its masked-LM head is the checkpoint's own"
TRIAL_HEAD = f"its vocabulary and its masked-LM head were made from the train texts, in {STEPS:,} steps"
# Hidden sizes and the learning rate that suits them: wide models are disturbed by what narrow ones need.
LEARNING_RATES = ((512, 2e-5), (256, 5e-5), (128, 3e-4), (0, 3e-3))


class Start:
    """A checkpoint as a training starts from it: where it is, its tokenizer and configuration, what identifies it."""

    def __init__(self, place: str, revision: str | None, identity: dict[str, Any], title: str, note: str = OWN_HEAD):
        self.place, self.revision, self.identity, self.title, self.note = place, revision, identity, title, note
        with loading(place, revision):
            self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(place, revision=revision or "main")
            self.config: PreTrainedConfig = AutoConfig.from_pretrained(place, revision=revision or "main")

    @property
    def trial(self) -> bool:
        """Whether it was made on the spot."""
        return "trial" in self.identity

    @property
    def on_hub(self) -> bool:
        """Whether its title is an id of the hub."""
        return self.place == self.title and "revision" in self.identity

    @property
    def longest(self) -> int:
        """The tokens that the model can read, special tokens included."""
        return longest_of(self.tokenizer, self.config)

    @property
    def learning_rate(self) -> float:
        """The peak rate where the user gives none."""
        size = int(getattr(self.config, "hidden_size", None) or getattr(self.config, "d_model", 0) or 0)
        return next(rate for smallest, rate in LEARNING_RATES if size >= smallest)


def find(settings: Settings, texts: Sequence[tuple[str, ...]]) -> Start:
    """The checkpoint that the settings name; `texts` of the train part are what a trial model is made from.

    Raises MaskTuneError for one that cannot be found or loaded.
    """
    if settings.model == EMBEDDED:
        own = list(dict.fromkeys(text for both in texts for text in both))
        folder = trial_model(own)
        identity = {"trial": files.digest("\n".join(own)), "format": FORMAT}
        return Start(str(folder), None, identity, "a trial model made from the train texts", TRIAL_HEAD)
    start = named(settings.model, settings.revision)
    return adapted(start, settings.adapt, texts) if settings.adapt else start


def adapted(start: Start, steps: int, texts: Sequence[tuple[str, ...]]) -> Start:
    """The same checkpoint, its masked language model trained on `texts` for so many steps; made once."""
    own = list(dict.fromkeys(text for both in texts for text in both))
    made_of = {"checkpoint": start.identity, "steps": steps, "text": files.digest("\n".join(own))}
    name = files.digest(json.dumps(made_of, sort_keys=True))[:12]
    folder = adapt(
        start.place, own, cache.root() / "checkpoints" / f"adapted-{name}", steps=steps, revision=start.revision
    )
    note = f"its masked-LM head was trained on the train texts for {steps:,} steps"
    return Start(str(folder), None, made_of, f"{start.title}, adapted", note)


def named(model: str, revision: str | None = None) -> Start:
    """A folder, a model of the mirror (MASKTUNE_MIRROR) or of the hub."""
    folder = folder_of(model) or _in_mirror(model)
    if folder is None:
        return Start(model, revision, {"checkpoint": model, "revision": revision}, model)
    return Start(str(folder), None, {"checkpoint": content(folder)}, model)


def _in_mirror(model: str) -> Path | None:
    mirror = mirror_folder()
    folder = None if mirror is None else mirror / "models" / model
    return folder if folder is not None and folder.is_dir() else None


def trial_model(texts: Sequence[str], steps: int | None = None) -> Path:
    """The folder of a small BERT with a WordPiece vocabulary of these texts, pre-trained on them; made once.

    Raises MaskTuneError for texts of too few words.
    """
    words = sum(len(text.split()) for text in texts)
    if words < FEWEST_WORDS:
        raise MaskTuneError(
            f"--model embedded: {len(texts)} texts of {words} words are too few to make a trial model from; it needs "
            f"{FEWEST_WORDS} words, or name a pre-trained model"
        )
    recipe = RECIPE if steps is None else Recipe(**{**RECIPE.identity(), "steps": steps})
    made_of = {"text": files.digest("\n".join(texts)), "recipe": recipe.identity(), "vocabulary": VOCABULARY}

    def make(folder: Path) -> None:
        tokenizer = small_models.wordpiece(texts, VOCABULARY, LONGEST)
        config = BertConfig(
            vocab_size=len(tokenizer),
            max_position_embeddings=LONGEST,
            pad_token_id=tokenizer.pad_token_id,
            **small_models.ENCODER,
        )
        model = small_models.initialised(tokenizer, config, SEED).model
        masked_lm = MaskedLM(model).to("cuda" if torch.cuda.is_available() else "cpu")
        mlm.train_mlm(masked_lm, tokenizer, texts, recipe, SEED, "pre-training a trial model")
        masked_lm.model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    identity = {**made_of, "format": FORMAT, "seed": derive(SEED, "trial model")}
    return cache.make_once("checkpoints", "trial", identity, make)
