"""README's lines run as they stand, on a small checkpoint and a file of one's own."""

import csv
import random
import re
from pathlib import Path

from tiny_models import WORDS
from transformers import AutoModelForSequenceClassification

README = (Path(__file__).parents[1] / "README.md").read_text()


def snippet(start, checkpoints):
    """A block of README's Python lines by its first words, with a small checkpoint in place of BERT."""
    lines = re.search(rf"```python\n({start}.*?)```", README, re.DOTALL)[1]
    return lines.replace("bert-base-uncased", str(checkpoints["bert"]))


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
    missing = [link for link in links if not (Path(__file__).parents[1] / link).exists()]
    assert not missing


def test_every_make_target_of_readme_exists():
    makefile = (Path(__file__).parents[1] / "Makefile").read_text()
    for target in set(re.findall(r"make ([a-z]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
