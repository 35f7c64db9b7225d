"""What language models make of the same train examples, epoch by epoch, when they are trained in different ways.

perturbations = perturbed.collect(arms.cells_of(load_study("embedded")))

At the start and after each epoch the same sources are masked and filled as the method does it in training: by the
language model as it is then, with dropout. One seed masks the same tokens in every arm, so that arms differ in what is
put into the gaps and in nothing else. All texts are then read by one encoder: the checkpoint before fine-tuning, the
mean of its last hidden states.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from masktune import methods
from masktune.errors import MaskTuneError
from masktune.methods.base import Batch
from masktune.models.joint import MaskTuningModel
from masktune.models.masked_lm import load_masked_lm
from masktune.perturb import Vocabulary, maskable
from masktune.streams import Streams, derive
from masktune.study.design.arms import DRAWS, REFERENCES, SOURCES
from masktune.study.design.cells import Cell, build_method
from masktune.study.run import training
from masktune.study.run.training import CellInputs
from masktune.training.collate import InMemory, Padding
from masktune.training.perturbed import perturb


@dataclass(frozen=True)
class Snapshot:
    """What one arm makes of n sources at one moment, D texts of each.

    positions   what was masked, bool [D, n, L]
    texts       the perturbed texts, token ids [D, n, L]
    embeddings  of the perturbed texts, [D, n, H]
    """

    label: str
    seed: int
    epoch: int
    positions: numpy.ndarray
    texts: numpy.ndarray
    embeddings: numpy.ndarray


@dataclass(frozen=True)
class Perturbations:
    """The snapshots of all arms, and what they are held against.

    sources     token ids of the n sources, [n, L]
    words       where a source has a token that is neither special nor padding, bool [n, L]
    references  embeddings of other train examples, [r, H]
    """

    sources: numpy.ndarray
    words: numpy.ndarray
    references: numpy.ndarray
    snapshots: tuple[Snapshot, ...]


def collect(
    arms: Sequence[Cell], sources: int = SOURCES, references: int = REFERENCES, draws: int = DRAWS
) -> Perturbations:
    """Train every arm with every seed, and perturb the same train examples as it goes.

    Nothing is trained where the fills do not depend on it: those of a frozen language model, and random tokens.
    """
    inputs = training.load_inputs(arms[0])
    batch, others = _choose(inputs, sources, references)
    words = maskable(batch["input_ids"], batch["attention_mask"], Vocabulary.of(inputs.tokenizer))
    encoder = load_masked_lm(inputs.checkpoint, inputs.cell.model.revision).model.base_model.eval()
    snapshots = [
        Snapshot(cell.label, seed, epoch, positions.numpy(), texts.numpy(), embed(encoder, batch, texts).numpy())
        for cell in arms
        for seed in cell.seeds
        for epoch, positions, texts in _follow(_with_arm(inputs, cell), seed, batch, draws)
    ]
    far = embed(encoder, others, others["input_ids"][None])[0]
    return Perturbations(batch["input_ids"].numpy(), words.numpy(), far.numpy(), tuple(snapshots))


def _with_arm(inputs: CellInputs, cell: Cell) -> CellInputs:
    return replace(inputs, cell=cell, method=build_method(cell.method, cell.options))


def _choose(inputs: CellInputs, sources: int, references: int) -> tuple[Batch, Batch]:
    """Train examples at random, the same for every arm and seed: those to perturb, and others."""
    rows = torch.randperm(len(inputs.train), generator=Streams(0)["sources"]).tolist()
    train, pad = InMemory(inputs.train.remove_columns("labels")), Padding(inputs.tokenizer)
    first, second = rows[:sources], rows[sources : sources + references]
    return pad([train[row] for row in first]), pad([train[row] for row in second])


def _follow(inputs: CellInputs, seed: int, batch: Batch, draws: int) -> list[tuple[int, torch.Tensor, torch.Tensor]]:
    """(epoch, positions, texts) before training and after each epoch."""
    seen: list[tuple[int, torch.Tensor, torch.Tensor]] = []
    inputs = inputs.of(seed)
    method = inputs.method
    if not isinstance(method, methods.MaskTuning):
        raise MaskTuneError(f"{inputs.cell.label!r} is {method.name!r}; an arm is 'mask_tuning' with its options")
    if method.fill == "soft":
        raise MaskTuneError(
            f"{inputs.cell.label!r}: a soft fill is no text whose diversity could be counted; choose fill 'sample'"
        )

    def look(model: MaskTuningModel, epoch: int) -> None:
        seen.append((epoch, *perturb(model, method, batch, Streams(derive(seed, "diversity"), epoch), draws)))

    if method.encoder != "frozen" and method.fill != "random":
        with tempfile.TemporaryDirectory(prefix="masktune-") as scratch:
            trainer = training.build_trainer(inputs, seed, None, 1, scratch)
            trainer.add_callback(Each(look))
            trainer.train()
    else:
        model = MaskTuningModel.from_pretrained(
            inputs.checkpoint, inputs.task.label_names, seed, inputs.cell.model.revision, method.encoder
        )
        model.vocabulary = Vocabulary.of(inputs.tokenizer)
        for epoch in range(int(inputs.cell.training.epochs) + 1):
            look(model, epoch)
    return seen


class Each(TrainerCallback):
    """Calls `look(model, epoch)` before training, as epoch 0, and after each epoch."""

    def __init__(self, look: Callable[[MaskTuningModel, int], None]):
        self.look = look

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **rest: Any
    ) -> None:
        self.look(model, 0)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **rest: Any
    ) -> None:
        self.look(model, round(state.epoch))


@torch.no_grad()
def embed(encoder: Any, batch: Batch, texts: torch.Tensor) -> torch.Tensor:
    """Texts [D, n, L] in the space of an encoder: its last hidden states, mean over the tokens. -> [D, n, H].

    `batch` has the attention mask (and token types) [n, L] that they share.
    """
    inputs = {name: values for name, values in batch.items() if name != "input_ids"}
    mask = inputs["attention_mask"][..., None]
    states = (encoder(input_ids=ids, **inputs).last_hidden_state for ids in texts)
    return torch.stack([(hidden * mask).sum(1) / mask.sum(1) for hidden in states])
