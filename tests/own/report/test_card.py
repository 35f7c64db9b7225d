"""The card: front matter that the hub accepts, and the words that must be there."""

import pytest
from huggingface_hub import ModelCard

from masktune.own.report import card

FACTS = card.Facts(
    method="Mask-tuning (recommended)", formula="alpha * L_MLM + (1 - alpha) * CE(x', y)", options={"alpha": 0.6},
    reference="Ghanbarzadeh et al. 2023", base="bert-base-uncased", base_is_hub=True, base_note="its own head",
    file='my "odd": #1 reviews.csv', sha256="ab" * 32, rows=100, texts=("review",), label="stars",
    classes={"bad | worse": 30, "good": 50}, sizes={"train": 80, "validation": 10, "test": 10, "imdb": 40},
    settings={"epochs": 3, "longest text, in tokens": 128, "seed": 1}, accuracy=0.9, balanced=0.85,
    classes_scores=[("bad | worse", 4, 0.75, 0.5, 0.6), ("good", 6, 1.0, 0.9, 0.95)], beside={"fine-tuning": 0.8},
    outside={"imdb": (40, 0.7, ("good", 0.5))}, constant=("good", 0.6), command="masktune train x.csv --model b",
)  # fmt: skip


def test_the_front_matter_is_that_of_the_hub():
    data = ModelCard(card.write(FACTS)).data
    assert (data.library_name, data.pipeline_tag, data.base_model) == (
        "transformers",
        "text-classification",
        "bert-base-uncased",
    )
    (result,) = data.eval_results
    assert (result.dataset_name, result.metric_type, result.metric_value) == (FACTS.file, "accuracy", 0.9)


def test_a_folder_is_no_base_model_of_the_hub():
    from dataclasses import replace

    assert ModelCard(card.write(replace(FACTS, base="/home/me/model", base_is_hub=False))).data.base_model is None


@pytest.mark.parametrize(
    "said",
    [
        "| Mask-tuning (recommended) | this model | 90.0 % |", "| fine-tuning | same seed | 80.0 % |",
        "| always `good` | no model | 60.0 % |", "| imdb | 40 | 70.0 % | 50.0 % (`good`) |", "sha256 `" + "ab" * 32,
        "Options: alpha = 0.6", "its own head", "not the authors' code", "What it is not for", "@inproceedings",
        "| bad \\| worse | 4 | 75.0 % | 50.0 % | 60.0 % |", "masktune train x.csv --model b", "max_length=128",
    ],
)  # fmt: skip
def test_what_a_reader_must_know_is_there(said):
    assert said in card.write(FACTS)
    assert "A trial" not in card.write(FACTS)


def test_a_trial_says_so():
    from dataclasses import replace

    assert "A trial, no model for work." in card.write(replace(FACTS, trial=True))
