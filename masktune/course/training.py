"""What the lessons train: the embedded BERT, on reviews, in seconds; and what it then answers.

`fine_tune` is the one place where a lesson's model is trained. Lesson C1 shows its source.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable

import datasets
import numpy
import torch
from transformers import AutoTokenizer, PrinterCallback, TrainingArguments
from transformers.utils import logging

from masktune import methods
from masktune.course.progress import Passes
from masktune.data import encode
from masktune.data.world import MAX_LENGTH
from masktune.methods import Method
from masktune.models.joint import MaskTuningModel
from masktune.models.spec import ModelSpec
from masktune.perturb import Vocabulary
from masktune.pretraining import checkpoints
from masktune.training.collate import InMemory, Padding
from masktune.training.trainer import MaskTuningTrainer

LABELS = ("negative", "positive")


def fine_tune(
    train: datasets.Dataset, method: Method | str, seed: int, epochs: float = 10, learning_rate: float = 2e-3
) -> MaskTuningModel:
    """Train the small BERT on reviews with the columns `text` and `label`, 0 or 1. One thread takes a few seconds.

    `method` is a name such as "fine_tuning", or what `methods.build` made. `seed` decides all that is random: the new
    classification head, the order of the reviews, dropout, what is masked.
    """
    method = methods.build(method) if isinstance(method, str) else method
    tokenizer = AutoTokenizer.from_pretrained(pretrained())
    torch.manual_seed(seed)
    with tempfile.TemporaryDirectory() as folder:
        trainer = MaskTuningTrainer(
            model=start(seed, method.encoder),
            args=TrainingArguments(
                folder,
                seed=seed,
                num_train_epochs=epochs,
                learning_rate=learning_rate,
                warmup_steps=0.1,  # a share of all steps
                per_device_train_batch_size=16,
                use_cpu=True,  # a model this small is not faster on a GPU
                disable_tqdm=True,
                save_strategy="no",
                report_to="none",
            ),
            method=method,
            train_dataset=InMemory(encode.encode(train, tokenizer, MAX_LENGTH)),
            data_collator=Padding(tokenizer),
            processing_class=tokenizer,
            advice=False,  # a lesson is about what happens without it
        )
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(Passes(seed))  # says how far it is
        trainer.train()
    return trainer.model.eval()


def pretrained() -> str:
    """The folder of the small BERT, pre-trained on the world's stories: made in about a minute, once."""
    logging.disable_progress_bar()  # of the file, which is there in no time; the training's own stays
    return checkpoints.prepare(ModelSpec("bert", "embedded:bert"), "sentiment")


def start(seed: int, encoder: str | None = "shared") -> MaskTuningModel:
    """The small BERT as training begins with it: pre-trained, under a new classification head that `seed` draws."""
    logging.set_verbosity_error()
    model = MaskTuningModel.from_pretrained(pretrained(), LABELS, seed, encoder=encoder)
    if encoder is not None:
        model.vocabulary = Vocabulary.of(AutoTokenizer.from_pretrained(pretrained()))
    return model.eval()


@torch.no_grad()
def answers(model: MaskTuningModel, texts: Iterable[str]) -> numpy.ndarray:
    """What a model answers to each text, 0 or 1, as an array."""
    tokenizer = AutoTokenizer.from_pretrained(pretrained())
    batch = tokenizer(list(texts), padding=True, truncation=True, max_length=MAX_LENGTH, return_tensors="pt")
    return model(**batch).logits.argmax(-1).numpy()
