"""Perturbing the same examples along training, on a tiny model."""

import dataclasses
import random

import numpy
import pytest
import torch
from datasets import Dataset
from tiny_models import WORDS
from transformers import AutoTokenizer

from masktune.data import encode
from masktune.data.tasks import TaskData
from masktune.errors import MaskTuneError
from masktune.models.masked_lm import load_masked_lm
from masktune.models.spec import ModelSpec
from masktune.study.design import arms
from masktune.study.design.cells import Cell, Training, build_method
from masktune.study.run import perturbed, training

pytestmark = pytest.mark.slow


@pytest.fixture
def inputs(checkpoints, monkeypatch) -> training.CellInputs:
    """40 examples of words, and a model with dropout that trains for two epochs."""
    chooser = random.Random(0)
    texts = [" ".join(chooser.choices(WORDS, k=chooser.randint(3, 20))) for _ in range(40)]
    rows = Dataset.from_dict({"text": texts, "label": [number % 2 for number in range(40)]})
    tokenizer = AutoTokenizer.from_pretrained(checkpoints["bert"])
    train = encode.encode(rows, tokenizer, 32)
    cell = Cell(
        "small", "any", "embedded", "sentiment", ModelSpec("bert", str(checkpoints["bert"])), "mask_tuning",
        training=Training(epochs=2, batch_size=8, learning_rate=1e-2),
    )  # fmt: skip
    task = TaskData("sentiment", ("negative", "positive"), False, rows, (), {})
    method, checkpoint = build_method(cell.method, cell.options), str(checkpoints["bert"])
    inputs = training.CellInputs(cell, method, task, checkpoint, tokenizer, train, train, train, None)
    monkeypatch.setattr(training, "load_inputs", lambda cell: inputs)
    return inputs


def arms_of(inputs, seeds=2):
    shared = {"model": inputs.cell.model, "method": "mask_tuning", "training": inputs.cell.training}
    return [
        Cell("small", label, "embedded", "sentiment", options=options, seeds=tuple(range(seeds)), **shared)
        for label, options in arms.ARMS.items()
    ]


def test_every_arm_is_seen_before_training_and_after_each_epoch_with_the_same_gaps(inputs):
    found = perturbed.collect(arms_of(inputs), sources=10, references=12, draws=3)
    assert found.references.shape == (12, 16)
    shots = {(shot.label, shot.seed, shot.epoch): shot for shot in found.snapshots}
    assert len(shots) == len(arms.ARMS) * 2 * 3
    for (_, seed, epoch), shot in shots.items():
        assert shot.texts.shape == (3, *found.sources.shape) and shot.embeddings.shape == (3, 10, 16)
        assert (shot.positions == shots[arms.FROZEN, seed, epoch].positions).all()
        assert (shot.texts == found.sources)[~shot.positions].all()
        assert not shot.positions[:, ~found.words].any()
    start, end = ([shots[label, 0, epoch].texts for label in arms.ARMS] for epoch in (0, 2))
    assert (start[0] == start[1]).all() and (start[0] == start[2]).all() and (start[0] != start[3]).any()
    assert (end[0] != end[1]).any() and (end[0] != end[2]).any()
    gaps = [shots[arms.FROZEN, seed, epoch].positions for seed in (0, 1) for epoch in (0, 1, 2)]
    assert len({gap.tobytes() for gap in gaps}) == 6


def test_looking_leaves_the_training_as_it_was(inputs, tmp_path):
    def trained(*callbacks):
        trainer = training.build_trainer(inputs, 0, None, 1, str(tmp_path))
        for module in trainer.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.3
        for callback in callbacks:
            trainer.add_callback(callback)
        trainer.train()
        return torch.cat([parameter.flatten() for parameter in trainer.model.parameters()])

    batch, _ = perturbed._choose(inputs, 10, 5)
    method, seen = perturbed.methods.MaskTuning(mask_rate=0.3), []

    def look(model, epoch):
        seen.append(epoch)
        perturbed.perturb(model, method, batch, perturbed.Streams(0, epoch), 2)

    assert torch.equal(trained(), trained(perturbed.Each(look)))
    assert seen == [0, 1, 2]


def test_sources_and_references_are_different_examples(inputs):
    batch, others = perturbed._choose(inputs, 10, 30)
    rows = [
        row[mask.bool()]
        for padded in (batch, others)
        for row, mask in zip(padded["input_ids"], padded["attention_mask"], strict=True)
    ]
    assert sorted(row.tolist() for row in rows) == sorted(list(row) for row in inputs.train["input_ids"])


def test_padding_has_no_part_in_an_embedding(inputs):
    encoder = load_masked_lm(inputs.checkpoint).model.base_model.eval()
    batch, _ = perturbed._choose(inputs, 10, 5)
    found = perturbed.embed(encoder, batch, batch["input_ids"][None])[0]
    short = int(batch["attention_mask"].sum(1).argmin())
    length = int(batch["attention_mask"][short].sum())
    assert length < batch["input_ids"].shape[1]
    with torch.no_grad():
        alone = encoder(input_ids=batch["input_ids"][short : short + 1, :length]).last_hidden_state[0].mean(0)
    numpy.testing.assert_allclose(found[short], alone, atol=1e-5)


def test_a_soft_fill_has_no_text_to_count(inputs):
    arm = dataclasses.replace(arms_of(inputs)[0], label="soft fills", options={"fill": "soft"})
    with pytest.raises(MaskTuneError, match="^'soft fills': a soft fill is no text whose diversity could be counted"):
        perturbed.collect([arm], sources=10, references=12, draws=3)
