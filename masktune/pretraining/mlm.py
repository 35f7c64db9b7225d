"""Masked-language-model training: of the small models from scratch, and of a real encoder whose head is missing.

One loop serves both; a `Recipe` says what differs. Masking follows masktune.perturb, the pass itself
masktune.models.masked_lm: logits at the masked positions only, and for BART the denoising loss that
masktune.models.families describes.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase, get_linear_schedule_with_warmup

from masktune.errors import MaskTuneError
from masktune.models.masked_lm import MaskedLM
from masktune.models.spec import Adaptation
from masktune.perturb import Vocabulary, choose_positions, mask, maskable
from masktune.pretraining.muon import Muon
from masktune.streams import Streams, derive
from masktune.training import precision
from masktune.training.cpu import dropout
from masktune.training.sampling import pool_by_length

MASKED_TOKENS = 4000  # that a held-out loss is a mean over: its error is about 0.03, that of a difference less
POOL = 20  # batches that are sorted by length together


@dataclass(frozen=True)
class Recipe:
    """How to train a masked language model.

    `packed` concatenates the texts and cuts them into chunks of `max_length` tokens, else every text is an example;
    `dropout` False switches it off, where the training is too short to overfit; `fast_dropout` is whether its masks are
    drawn by masktune.training.cpu.dropout (None: where that pays). `head_learning_rate` (None: as `learning_rate`) is
    for the masked-LM head alone, without the tied embeddings; `matrix_learning_rate` that of the matrices inside the
    layers and the head, which Muon then trains (masktune.pretraining.muon; None: AdamW trains all).
    """

    steps: int
    batch_size: int = 32
    max_length: int = 64
    learning_rate: float = 1.5e-4
    head_learning_rate: float | None = None
    mask_rate: float = 0.15
    symbol: str = "bert"
    warmup_ratio: float = 0.06
    weight_decay: float = 0.01
    dropout: bool = True
    packed: bool = False
    fast_dropout: bool | None = None
    matrix_learning_rate: float | None = None

    @classmethod
    def of(cls, adaptation: Adaptation) -> Recipe:
        """The recipe for adapting a checkpoint: its settings, on text that is concatenated and cut into chunks."""
        return cls(**asdict(adaptation), packed=True)

    def identity(self) -> dict[str, Any]:
        """What differs from the defaults: a setting added later leaves the cached checkpoints valid."""
        values = {item.name: (getattr(self, item.name), item.default) for item in fields(self)}
        return {name: value for name, (value, default) in values.items() if value != default}


def tokenise(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], recipe: Recipe) -> list[Tensor]:
    """The examples as token ids, special tokens included, none longer than `recipe.max_length`."""
    if not recipe.packed:
        encoded = tokenizer(list(texts), truncation=True, max_length=recipe.max_length)["input_ids"]
        return [torch.tensor(ids) for ids in encoded]
    bodies = tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
    joined = torch.tensor([token for ids in bodies for token in ids])
    start, end = _frame(tokenizer, next((text for text, ids in zip(texts, bodies, strict=True) if ids), ""))
    return [torch.cat((start, body, end)) for body in joined.split(recipe.max_length - len(start) - len(end))]


def _frame(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[Tensor, Tensor]:
    """The special tokens that the tokenizer puts before a text and after it."""
    body = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    whole = tokenizer(text, verbose=False)["input_ids"]
    start = next(place for place in range(len(whole)) if whole[place : place + len(body)] == body)
    before, after = whole[:start], whole[start + len(body) :]
    return torch.tensor(before, dtype=torch.long), torch.tensor(after, dtype=torch.long)


def train_mlm(
    masked_lm: MaskedLM,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    recipe: Recipe,
    seed: int,
    title: str = "masked-LM training",
    look: Callable[[int], None] = lambda step: None,
) -> list[float]:
    """Train in place on `texts` with linear decay and a progress bar. Returns the loss of each step.

    `look` is called after each step with the number of steps that are done; it may evaluate the model.
    Raises MaskTuneError for a tokenizer without mask token, for texts that hold no token, and for a recipe with
    `fast_dropout=True` where that cannot be used.
    """
    vocabulary = Vocabulary.of(tokenizer)
    sequences = tokenise(tokenizer, texts, recipe)
    if not any(len(sequence) > 2 for sequence in sequences):
        raise MaskTuneError(f"{title}: {len(texts)} texts without a single token; masked-LM training needs some text")
    optimizers = _optimizers(masked_lm, recipe)
    warmup = round(recipe.warmup_ratio * recipe.steps)
    schedules = [get_linear_schedule_with_warmup(optimizer, warmup, recipe.steps) for optimizer in optimizers]
    fast = dropout.fast_dropout() if uses_fast_dropout(masked_lm, recipe) else nullcontext()
    with torch.random.fork_rng(devices=[]), fast:
        torch.manual_seed(derive(seed, "dropout"))
        losses = []
        for step, ids in zip(
            tqdm(range(recipe.steps), desc=title, unit="step"),
            _batches(sequences, recipe.batch_size, seed),
            strict=False,
        ):
            losses.append(_step(masked_lm, ids, vocabulary, recipe, Streams(seed, step)))
            nn.utils.clip_grad_norm_(masked_lm.parameters(), 1.0)
            for optimizer, schedule in zip(optimizers, schedules, strict=True):
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
            look(step + 1)
    return losses


def uses_fast_dropout(masked_lm: MaskedLM, recipe: Recipe) -> bool:
    """Whether the masks of dropout, if there is any, are drawn by masktune.training.cpu.dropout."""
    return recipe.dropout and dropout.decide(recipe.fast_dropout, masked_lm.model.config, masked_lm.model.device)


def _step(masked_lm: MaskedLM, ids: list[Tensor], vocabulary: Vocabulary, recipe: Recipe, streams: Streams) -> float:
    """Gradients of one batch. A batch in which nothing is masked has none."""
    masked_lm.train(recipe.dropout)
    loss, _, count = _loss(masked_lm, ids, vocabulary, recipe, streams)
    if count:
        loss.backward()
    return loss.item()


def _loss(
    masked_lm: MaskedLM, ids: list[Tensor], vocabulary: Vocabulary, recipe: Recipe, streams: Streams
) -> tuple[Tensor, int, int]:
    """Mean cross-entropy over the masked tokens of a batch, how many of them are right, how many there are."""
    model = masked_lm.model
    padding = model.config.pad_token_id or 0  # never attended to, whatever it is
    input_ids = pad_sequence(ids, batch_first=True, padding_value=padding)
    attention_mask = pad_sequence([torch.ones_like(sequence) for sequence in ids], batch_first=True)
    candidates = maskable(input_ids, attention_mask, vocabulary)
    positions = choose_positions(candidates, recipe.mask_rate, streams["positions"])
    if not positions.any():
        return torch.zeros(()), 0, 0
    masked_ids = mask(input_ids, positions, vocabulary, streams["symbols"], recipe.symbol)
    batch = [tensor.to(model.device) for tensor in (masked_ids, input_ids, positions, attention_mask)]
    with _autocast(model):
        logits = masked_lm.mlm_logits(batch[0], batch[1], positions=batch[2], attention_mask=batch[3])
    targets = batch[1][batch[2]]
    right = int((logits.argmax(-1) == targets).sum())
    return functional.cross_entropy(logits.float(), targets), right, len(targets)


def _autocast(model: PreTrainedModel) -> AbstractContextManager[object]:
    if precision.choose("auto", model.config, model.device) == "fp32":
        return nullcontext()
    return torch.autocast(model.device.type, torch.bfloat16)


def _batches(sequences: list[Tensor], batch_size: int, seed: int) -> Iterator[list[Tensor]]:
    """Batches without end: each pass in a new order, sequences of like length together (less padding)."""
    lengths = [len(sequence) for sequence in sequences]
    for epoch in itertools.count():
        generator = torch.Generator().manual_seed(derive(seed, "batches", epoch))
        order = torch.randperm(len(sequences), generator=generator).tolist()
        batches = pool_by_length(order, lengths, batch_size, POOL)
        for index in torch.randperm(len(batches), generator=generator).tolist():
            yield [sequences[i] for i in batches[index]]


def _optimizers(masked_lm: MaskedLM, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """AdamW, and where the recipe has a rate for them Muon for the matrices that are no embeddings."""
    groups = _group_parameters(masked_lm, recipe)
    if recipe.matrix_learning_rate is None:
        return [torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)]
    embeddings = {
        id(parameter)
        for module in masked_lm.modules()
        if isinstance(module, nn.Embedding)
        for parameter in module.parameters()
    }
    matrices = [each for each in masked_lm.parameters() if each.ndim == 2 and id(each) not in embeddings]
    others = {id(each) for each in masked_lm.parameters()} - {id(each) for each in matrices}
    for group in groups:
        group["params"] = [each for each in group["params"] if id(each) in others]
    rest = torch.optim.AdamW([group for group in groups if group["params"]], lr=recipe.learning_rate, fused=True)
    return [Muon(matrices, recipe.matrix_learning_rate, recipe.weight_decay), rest]


def _group_parameters(masked_lm: MaskedLM, recipe: Recipe) -> list[dict]:
    """Weight decay on matrices alone; the head's own parameters (not the tied embeddings) with their learning rate."""
    shared = {id(parameter) for parameter in masked_lm.model.base_model.parameters()}
    head_rate = recipe.learning_rate if recipe.head_learning_rate is None else recipe.head_learning_rate
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in masked_lm.parameters():
        rate = recipe.learning_rate if id(parameter) in shared else head_rate
        decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": group, "lr": rate, "weight_decay": decay} for (rate, decay), group in groups.items()]


@torch.no_grad()
def evaluate_mlm(
    masked_lm: MaskedLM, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], recipe: Recipe, seed: int
) -> dict[str, float]:
    """Loss and accuracy over masked tokens of `texts`: {"loss", "accuracy", "masked_tokens"}. The same for one seed.

    The texts are read from the first on, and once more with other masks, until MASKED_TOKENS of their tokens have been
    masked: few texts say more that way, and of many some are enough. Draws nothing from torch's own random numbers.
    """
    vocabulary = Vocabulary.of(tokenizer)
    sequences = tokenise(tokenizer, texts, recipe)
    masked_lm.eval()
    total, right, masked = 0.0, 0, 0
    batches = range(0, len(sequences), recipe.batch_size)
    for number, start in itertools.product(range(MASKED_TOKENS), batches):
        streams = Streams(derive(seed, "held out", *([number] if number else [])), start)
        loss, correct, count = _loss(
            masked_lm, sequences[start : start + recipe.batch_size], vocabulary, recipe, streams
        )
        total, right, masked = total + loss.item() * count, right + correct, masked + count
        if masked >= MASKED_TOKENS or (not masked and number):
            break
    return {"loss": total / max(masked, 1), "accuracy": right / max(masked, 1), "masked_tokens": masked}


def start_bias_at_unigrams(masked_lm: MaskedLM, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> None:
    """Set the head's output bias, if it has one, to the log of add-one unigram counts: a new head starts there."""
    counts = Counter(token for ids in tokenizer(list(texts), verbose=False)["input_ids"] for token in ids)
    size = masked_lm.model.config.vocab_size
    frequencies = torch.tensor([counts.get(token, 0) + 1.0 for token in range(size)])
    bias = masked_lm.model.get_output_embeddings().bias
    if bias is None and not hasattr(masked_lm.model, "final_logits_bias"):  # a head without bias learns it
        return
    if bias is None:  # BART keeps it on the model, [1, V]
        bias = masked_lm.model.get_buffer("final_logits_bias")[0]
    with torch.no_grad():
        bias.copy_((frequencies / frequencies.sum()).log())
