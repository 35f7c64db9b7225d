"""The lines of README and CONTRIBUTING run as they stand, on a small checkpoint and a file of one's own."""

import csv
import random
import re
import shlex
import tomllib
from pathlib import Path
from textwrap import dedent

import pytest
from methods.conftest import batch_of, gradients_by_hand, inputs_of, load, same_gradients, total, train
from tiny_models import WORDS
from torch.nn.functional import cross_entropy
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from masktune import MaskTuneError, MaskTuningModel, methods
from masktune.__main__ import parser
from masktune.own.commands import settings_of
from masktune.streams import Streams
from masktune.study.design.load import parse_study
from masktune.study.plan import listing

ROOT = Path(__file__).parents[1]
TEXT = "\n".join((ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md"))


def block(language, start):
    """A block of README or CONTRIBUTING by its language and first words."""
    return dedent(re.search(rf"^ *```{language}\n( *{start}.*?)```", TEXT, re.DOTALL | re.MULTILINE)[1])


def snippet(start, checkpoints):
    """A block of Python lines, with a small checkpoint in place of BERT."""
    return block("python", start).replace("bert-base-uncased", str(checkpoints["bert"]))


def test_the_lines_for_ones_own_data_run_one_after_the_other(tmp_path, monkeypatch, checkpoints):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path / "cache"))
    chooser = random.Random(0)
    with open("reviews.csv", "w", newline="") as file:
        rows = [(" ".join(chooser.choices(WORDS, k=6)), number % 2) for number in range(16)]
        csv.writer(file).writerows([("text", "label"), *rows])
    lines, names = snippet("from datasets", checkpoints), {}
    assert len(lines.splitlines()) <= 12
    exec(lines, names)
    model = AutoModelForSequenceClassification.from_pretrained("mask-tuned")
    assert model.config.num_labels == 2
    exec(snippet("from masktune import methods, prepare", checkpoints), names)
    assert "prepared_bias" in names["data"].column_names
    for kind in (AutoModel, AutoTokenizer):  # an encoder without head, as sentence encoders are published
        kind.from_pretrained(checkpoints["bert"]).save_pretrained("sentence-transformers/all-MiniLM-L6-v2")
    exec(snippet("from masktune import adapt", checkpoints).replace("steps=600", "steps=2"), names)
    assert MaskTuningModel.from_classifier(names["model"]).encoder == "shared"


def test_every_make_target_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"make ([a-z]+)", TEXT)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"


@pytest.fixture
def new_method(monkeypatch):
    """The method of the how-to, in the registry as its second step says."""
    names = {}
    exec(block("python", '"""Label smoothing'), names)
    monkeypatch.setitem(methods.METHODS, "label_smoothing", names["LabelSmoothing"])


def test_the_method_of_the_how_to_is_its_formula_and_without_smoothing_fine_tuning(checkpoints, family, new_method):
    batch, _ = batch_of(checkpoints[family])
    model, streams = load(checkpoints[family], None), Streams(1).at(2)
    for smoothing in (0, 0.3):
        losses, found = train(methods.build("label_smoothing", smoothing=smoothing), model, batch, streams)
        loss = cross_entropy(model(**inputs_of(batch)).logits, batch["labels"], label_smoothing=smoothing)
        assert total(losses) == pytest.approx(loss.item(), rel=1e-5)
        same_gradients(found, gradients_by_hand(model, loss))
    assert methods.card("mask_tuning+label_smoothing")["label"] == "Mask-tuning + label smoothing"
    with pytest.raises(MaskTuneError, match="smoothing 1 is outside"):
        methods.build("label_smoothing", smoothing=1)


def test_the_study_of_the_how_to_can_decide_what_it_claims(new_method, tmp_path, monkeypatch):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    study = parse_study(tomllib.loads(block("toml", "name")))
    assert {cell.label for cell in study.cells} == {"fine-tuning", "label smoothing"}
    assert [claim.test for claim in study.claims] == ["superiority"]
    plan = listing.plan(study, select=lambda cell: True)
    assert "p can reach" in plan and "warning" not in plan


def test_every_command_can_be_parsed():
    commands = re.findall(r"`(?:\.venv/bin/)?python -m masktune ([^`]+)`", TEXT)
    assert len(commands) > 4
    for command in commands:
        assert callable(parser().parse_args(command.split()).command)


def test_the_commands_for_ones_own_file_can_be_parsed_and_are_all_of_them():
    lines = block("sh", "masktune check").replace("\\\n", "").splitlines()
    assert [line.split()[1] for line in lines] == ["check", "train", "evaluate", "predict"]
    for line in lines:
        options = parser().parse_args(shlex.split(line)[1:])
        assert callable(options.command)
    assert settings_of(parser().parse_args(shlex.split(lines[1])[1:])).command().split()[:3] == lines[1].split()[:3]


def test_every_test_file_that_is_to_be_run_is_there():
    runs = re.findall(r"`pytest ([^`]+)`", TEXT)
    assert len(runs) > 3
    for run in runs:
        paths = run.partition(" -k ")[0].split()
        assert paths and all((ROOT / path).exists() for path in paths), run
