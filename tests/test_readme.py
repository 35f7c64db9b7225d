"""README's lines run as they stand, on a small checkpoint and a file of one's own."""

import csv
import random
import re
from pathlib import Path

from tiny_models import WORDS
from transformers import AutoModelForSequenceClassification

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


def test_every_file_that_readme_links_to_is_there():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert len(links) > 5
    missing = [link for link in links if not (Path(__file__).parents[1] / link).exists()]
    assert not missing


def test_every_make_target_of_readme_exists():
    makefile = (Path(__file__).parents[1] / "Makefile").read_text()
    for target in set(re.findall(r"make ([a-z]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
