"""What is prepared for a train set that was padded beforehand is what is prepared for the same set without padding."""

import numpy
import pytest
import torch
from datasets import Dataset
from feature_examples import trainer

from masktune import methods
from masktune.training.reading.padding import without_padding

METHODS = [
    ("masker", {}),
    ("mlm_augmentation", {"copies": 2}),
    ("product_of_experts", {"bias_model": "bag_of_words"}),
    ("confidence_regularisation", {"bias_model": "small"}),
    ("forgettable", {}),
]


def padded(rows, tokenizer, side):
    """As a tokenizer with padding="max_length" makes them."""

    def pad(row):
        own = {name: row[name] for name in tokenizer.model_input_names}
        return tokenizer.pad(own, padding="max_length", max_length=24, padding_side=side)

    return rows.map(pad)


@pytest.mark.slow
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize(("name", "options"), METHODS)
def test_features_do_not_know_of_the_padding(make_builder, name, options, side):
    plain = make_builder("bert")
    method = methods.build(name, **options)
    made = plain.prepare(method)
    other = make_builder("bert")
    given = padded(other.train, other.tokenizer, side)
    other = type(other)(given, other.tokenizer, other.args, other.checkpoint, other.label_names)
    prepared = other.prepare(method)
    assert prepared["input_ids"] == given["input_ids"]
    for feature in method.needs:
        for number in range(len(given)):
            real = numpy.array(given[number]["attention_mask"], dtype=bool)
            here, there = made[number][f"prepared_{feature}"], prepared[number][f"prepared_{feature}"]
            if method.needs[feature].per_token:
                assert len(there) == 24 and not numpy.array(there)[~real].any()
                there = numpy.array(there)[real].tolist()
            assert here == there
    run = trainer(other, method, prepared)
    run.train()
    assert all(0 <= entry["loss"] < 20 for entry in run.state.log_history if "loss" in entry)


def test_a_set_without_padding_stays_what_it_is():
    rows = Dataset.from_dict({"input_ids": [[1, 2], [3]], "attention_mask": [[1, 1], [1]]})
    assert without_padding(rows) == (rows, None)


def test_padding_is_taken_away_and_put_around_again():
    rows = Dataset.from_dict(
        {
            "input_ids": [[1, 2, 0], [0, 0, 3], [0, 0, 0], [4, 5, 6]],
            "attention_mask": [[1, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 1]],
            "labels": [0, 1, 0, 1],
        }
    ).select([3, 0, 1, 2])
    shorter, padding = without_padding(rows)
    assert list(shorter["input_ids"]) == [[4, 5, 6], [1, 2], [3], []]
    assert list(shorter["attention_mask"]) == [[1, 1, 1], [1, 1], [1], []] and list(shorter["labels"]) == [1, 0, 1, 0]
    around = padding.put_around(numpy.array([4, 5, 6, 1, 2, 3]))
    assert torch.from_numpy(around).view(4, 3).tolist() == list(rows["input_ids"])
