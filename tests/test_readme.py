"""README's lines run as they stand, on a small checkpoint and a file of one's own."""

import csv
import json
import random
import re
import tomllib
from pathlib import Path
from textwrap import dedent

import pandas
import pytest
from methods.conftest import batch_of, gradients_by_hand, inputs_of, load, same_gradients, total, train
from tiny_models import WORDS
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification

from masktune import MaskTuneError, methods
from masktune.__main__ import parser
from masktune.streams import Streams
from masktune.study import design
from masktune.study.efficiency import PURE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def block(language, start):
    """A block of README by its language and first words."""
    return dedent(re.search(rf"^ *```{language}\n( *{start}.*?)```", README, re.DOTALL | re.MULTILINE)[1])


def snippet(start, checkpoints):
    """A block of README's Python lines, with a small checkpoint in place of BERT."""
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


def test_every_file_that_readme_links_to_is_there():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert len(links) > 5
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing


def test_every_make_target_of_readme_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"make ([a-z]+)", README)):
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


def test_the_study_of_the_how_to_can_decide_what_it_claims(new_method):
    study = design.parse(tomllib.loads(block("toml", "name")))
    assert {cell.label for cell in study.cells} == {"fine-tuning", "label smoothing"}
    assert [claim.test for claim in study.claims] == ["superiority"]


def test_every_file_that_readme_names_is_there_and_holds_what_it_is_said_to():
    paths = set(re.findall(r"`((?:masktune|tests|studies|notebooks|results|benchmarks)/[\w./]+)`", README))
    placeholders = {"studies/NAME.toml", "notebooks/NN_title.ipynb", "results/NAME"}
    assert len(paths) > 15 and not [path for path in paths - placeholders if not (ROOT / path).exists()]
    held = re.findall(r"`(\w+)`(?: and `(\w+)`)?\s+of\s+`([\w/]+\.py)`", README)
    assert len(held) > 10
    for *names, path in held:
        assert not [name for name in names if name and not re.search(rf"\b{name}\b", (ROOT / path).read_text())], path


def test_every_command_of_readme_can_be_parsed():
    commands = re.findall(r"`(?:\.venv/bin/)?python -m masktune ([^`]+)`", README)
    assert len(commands) > 4
    for command in commands:
        assert callable(parser().parse_args(command.split()).command)


def test_every_test_file_that_readme_runs_is_there():
    runs = re.findall(r"`pytest ([^`]+)`", README)
    assert len(runs) > 3
    for run in runs:
        paths = run.partition(" -k ")[0].split()
        assert paths and all((ROOT / path).exists() for path in paths), run


def test_the_benchmark_of_readme_is_the_stored_one():
    assert (ROOT / "results" / "bench" / "headline.md").read_text(encoding="utf-8") in README


@pytest.mark.parametrize("name", ["embedded", "ablations", "laptop", "closeup"])
def test_the_times_of_the_studies_are_those_of_their_stored_runs(name):
    runs = pandas.read_parquet(ROOT / "results" / name / "runs.parquet")
    done = runs[runs["status"] == "done"]
    minutes = done[list(PURE)].sum().sum() / 60
    time = f"{minutes:.0f} minutes" if minutes < 100 else f"{minutes / 60:.1f} hours"
    assert re.search(rf"^\| `{name}` \|.*\| {len(done)} runs, {time} \|$", README, re.MULTILINE)


def test_the_wall_time_of_reproduce_is_that_of_its_stored_runs():
    records = json.loads((ROOT / "results" / "embedded" / "grid.json").read_text())
    runs, minutes = sum(record["runs"] for record in records), sum(record["wall_seconds"] for record in records) / 60
    assert f"The {runs} runs of `make reproduce`" in README and f"take {minutes:.0f} minutes of wall time" in README
