import datasets
import pytest
import torch
from tiny_models import word_tokenizer
from transformers import DataCollatorWithPadding

from masktune import MaskTuneError
from masktune.methods.bias import BiasProbabilities
from masktune.methods.masker import Keywords
from masktune.training.collate import InMemory, Padding, PreparedColumns, replace_padding
from masktune.training.sampling import lengths_of

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

    assert isinstance(replace_padding(DataCollatorWithPadding(tokenizer)), Padding)
    for other in (Own(tokenizer), DataCollatorWithPadding(tokenizer, pad_to_multiple_of=8), list):
        assert replace_padding(other) is other
    to_longest = DataCollatorWithPadding(tokenizer, padding="max_length", max_length=9)
    assert replace_padding(to_longest) is to_longest


def test_rows_in_memory_make_the_batches_that_rows_on_disk_make(tokenizer):
    columns = {
        **{name: [tokenizer(text)[name] for text in TEXTS] for name in ("input_ids", "attention_mask")},
        "labels": [2, 0, 1],
        "prepared_bias": [[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]],
        "prepared_weight": [0.5, 1.0, 0.0],
        "prepared_marked": [True, False, True],
    }
    rows = datasets.concatenate_datasets(
        [datasets.Dataset.from_dict(columns).select([0, 2]), datasets.Dataset.from_dict(columns)]
    )
    kept = InMemory(rows)
    assert (len(kept), kept.column_names, kept["labels"]) == (5, rows.column_names, rows["labels"][:])
    assert lengths_of(kept) == lengths_of(rows)
    collate = Padding(tokenizer)
    from_disk, from_memory = collate([rows[i] for i in range(5)]), collate([kept[i] for i in range(5)])
    assert from_disk.keys() == from_memory.keys()
    for name, values in from_disk.items():
        assert from_memory[name].dtype == values.dtype and torch.equal(from_memory[name], values)


@pytest.mark.parametrize("side", ["left", "right"])
def test_what_was_prepared_for_each_token_stands_at_the_token(side):
    def collate(rows):
        longest = max(len(row["input_ids"]) for row in rows)
        pads = [[0] * (longest - len(row["input_ids"])) for row in rows]
        masks = [[1] * len(row["input_ids"]) for row in rows]
        pairs = zip(pads, masks, strict=True) if side == "left" else zip(masks, pads, strict=True)
        attention_mask = torch.tensor([first + second for first, second in pairs])
        tokens = torch.tensor([token for row in rows for token in row["input_ids"]])
        input_ids = torch.ones_like(attention_mask).masked_scatter(attention_mask.bool(), tokens)
        return {"input_ids": input_ids, "attention_mask": attention_mask}

    features = {"keywords": Keywords(), "bias": BiasProbabilities()}
    rows = [
        {"input_ids": [5, 6, 7], "prepared_keywords": [1, 2, 3], "prepared_bias": [0.1, 0.9]},
        {"input_ids": [8], "prepared_keywords": [4], "prepared_bias": [0.5, 0.5]},
    ]
    batch = PreparedColumns(collate, features)(rows)
    assert batch["prepared_keywords"].tolist() == [[1, 2, 3], [0, 0, 4] if side == "left" else [4, 0, 0]]
    assert torch.equal(batch["prepared_bias"], torch.tensor([[0.1, 0.9], [0.5, 0.5]]))
    assert "prepared_bias" in rows[0]


@pytest.mark.parametrize("side", ["left", "right"])
def test_what_was_prepared_for_a_padded_row_stands_at_its_tokens_too(side, tokenizer):
    """Rows that were padded beforehand, and that the collator pads further."""
    tokenizer.padding_side = side
    pad = tokenizer.pad_token_id
    rows = [
        {"input_ids": [5, 6, 7, pad], "attention_mask": [1, 1, 1, 0], "prepared_keywords": [1, 2, 3, 0]},
        {"input_ids": [8, pad], "attention_mask": [1, 0], "prepared_keywords": [4, 0]},
    ]
    batch = PreparedColumns(DataCollatorWithPadding(tokenizer, pad_to_multiple_of=3), {"keywords": Keywords()})(rows)
    expected = [[1, 2, 3, 0, 0, 0], [4, 0, 0, 0, 0, 0]] if side == "right" else [[0, 0, 1, 2, 3, 0], [0, 0, 0, 0, 4, 0]]
    assert batch["prepared_keywords"].tolist() == expected


def test_a_collator_that_changes_the_tokens_is_refused(tokenizer):
    def cut(rows):
        return {"input_ids": torch.tensor([row["input_ids"][:2] for row in rows])}

    rows = [{"input_ids": [5, 6, 7], "prepared_keywords": [1, 2, 3]}]
    with pytest.raises(MaskTuneError, match="gives other tokens than the examples have.*'prepared_keywords'") as error:
        PreparedColumns(cut, {"keywords": Keywords()})(rows)
    assert "\n" not in str(error.value)
