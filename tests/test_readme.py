"""README's lines run as they stand, on a small checkpoint and a file of one's own."""

import csv
import random
import re
from pathlib import Path

from datasets import Dataset
from tiny_models import WORDS
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainingArguments

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_lines_for_ones_own_data_train_and_save_a_plain_classifier(tmp_path, monkeypatch, checkpoints):
    monkeypatch.chdir(tmp_path)
    chooser = random.Random(0)
    with open("reviews.csv", "w", newline="") as file:
        rows = [(" ".join(chooser.choices(WORDS, k=6)), number % 2) for number in range(16)]
        csv.writer(file).writerows([("text", "label"), *rows])
    lines = re.search(r"```python\n(from datasets.*?)```", README, re.DOTALL)[1]
    assert len(lines.splitlines()) <= 12
    exec(lines.replace("bert-base-uncased", str(checkpoints["bert"])), {})
    model = AutoModelForSequenceClassification.from_pretrained("mask-tuned")
    assert model.config.num_labels == 2


def test_the_lines_that_prepare_a_train_set_run(tmp_path, monkeypatch, checkpoints):
    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path))
    tokenizer = AutoTokenizer.from_pretrained(checkpoints["bert"])
    rows = tokenizer([" ".join(WORDS[start : start + 5]) for start in range(20)])
    names = {
        "data": Dataset.from_dict({**rows, "labels": [0, 1] * 10}),
        "tokenizer": tokenizer,
        "args": TrainingArguments(str(tmp_path), use_cpu=True, report_to="none"),
    }
    lines = re.search(r"```python\n(from masktune import methods, prepare.*?)```", README, re.DOTALL)[1]
    exec(lines, names)
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
