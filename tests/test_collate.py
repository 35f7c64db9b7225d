import pytest
import torch
from tiny_models import word_tokenizer
from transformers import DataCollatorWithPadding

from masktune.collate import Padding, faster

TEXTS = ["word1 word2 word3", "word4", "word5 word6"]


@pytest.fixture(params=["bert", "roberta"])
def tokenizer(request):
    return word_tokenizer(request.param)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("label", ["label", "labels", "label_ids"])
def test_a_batch_is_what_transformers_makes_of_it(tokenizer, side, label):
    tokenizer.padding_side = side
    examples = [{**tokenizer(text), label: number} for number, text in enumerate(TEXTS)]
    expected, batch = DataCollatorWithPadding(tokenizer)(examples), Padding(tokenizer)(examples)
    assert set(batch) == set(expected)
    for name, values in expected.items():
        assert batch[name].dtype == values.dtype and torch.equal(batch[name], values)


def test_padding_is_masked_where_the_examples_have_no_mask(tokenizer):
    examples = [{"input_ids": tokenizer(text)["input_ids"], "labels": 0} for text in TEXTS]
    assert torch.equal(
        Padding(tokenizer)(examples)["attention_mask"], DataCollatorWithPadding(tokenizer)(examples)["attention_mask"]
    )


def test_a_column_of_lists_is_stacked_not_padded(tokenizer):
    examples = [{**tokenizer(text), "bias": [0.25, 0.75]} for text in TEXTS]
    assert torch.equal(Padding(tokenizer)(examples)["bias"], torch.tensor([[0.25, 0.75]] * 3))


def test_only_a_collator_that_does_the_same_is_replaced(tokenizer):
    class Own(DataCollatorWithPadding):
        pass

    assert isinstance(faster(DataCollatorWithPadding(tokenizer)), Padding)
    for other in (Own(tokenizer), DataCollatorWithPadding(tokenizer, pad_to_multiple_of=8), list):
        assert faster(other) is other
    to_longest = DataCollatorWithPadding(tokenizer, padding="max_length", max_length=9)
    assert faster(to_longest) is to_longest
