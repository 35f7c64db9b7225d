import datasets
import pytest
from transformers import AutoTokenizer, DataCollatorWithPadding

from masktune.data import encode as module
from masktune.data.encode import encode
from masktune.errors import MaskTuneError

SINGLE = {"text": ["word1 word2 word3", "word4"], "label": [1, 0], "group": ["", ""]}
PAIRED = {**SINGLE, "text_pair": ["word5", "word6 word7 word8 word9"]}


@pytest.fixture
def tokenizer(checkpoints, family):
    return AutoTokenizer.from_pretrained(checkpoints[family])


def words(tokenizer, row) -> list[str]:
    return tokenizer.convert_ids_to_tokens(row["input_ids"], skip_special_tokens=True)


def test_only_what_a_model_takes_is_kept_and_nothing_is_padded(tokenizer):
    encoded = encode(datasets.Dataset.from_dict(SINGLE), tokenizer, 16)
    assert set(encoded.column_names) == {*tokenizer.model_input_names, "labels"}
    assert [len(row["input_ids"]) for row in encoded] == [5, 3]
    assert list(encoded["labels"]) == [1, 0]
    assert words(tokenizer, encoded[0]) == ["word1", "word2", "word3"]


def test_a_column_that_is_named_stays_and_one_that_is_not_there_is_no_error(tokenizer):
    encoded = encode(datasets.Dataset.from_dict({**SINGLE, "cue": [-1, 1]}), tokenizer, 16, keep=("cue", "other"))
    assert set(encoded.column_names) == {*tokenizer.model_input_names, "labels", "cue"}
    assert list(encoded["cue"]) == [-1, 1]


def test_it_is_what_the_tokenizer_gives_row_by_row(tokenizer):
    encoded = encode(datasets.Dataset.from_dict(PAIRED), tokenizer, 16)
    for row, text, pair in zip(encoded, PAIRED["text"], PAIRED["text_pair"], strict=True):
        assert {name: row[name] for name in tokenizer.model_input_names} == dict(tokenizer(text, pair))


def test_the_longer_of_two_texts_is_cut_first(tokenizer):
    special = tokenizer.num_special_tokens_to_add(pair=True)
    first, second = encode(datasets.Dataset.from_dict(PAIRED), tokenizer, special + 3)
    assert words(tokenizer, first) == ["word1", "word2", "word5"]
    assert words(tokenizer, second) == ["word4", "word6", "word7"]


def test_more_rows_than_one_batch_keep_their_order(tokenizer, monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_A_TIME", 3)
    texts = [f"word{number}" for number in range(10)]
    encoded = encode(datasets.Dataset.from_dict({"text": texts, "label": list(range(10))}), tokenizer, 16)
    assert [words(tokenizer, row)[0] for row in encoded] == texts
    assert list(encoded["labels"]) == list(range(10))


def test_an_empty_set_is_encoded_to_an_empty_set(tokenizer):
    empty = datasets.Dataset.from_dict(SINGLE).select([])
    encoded = encode(empty, tokenizer, 16)
    assert len(encoded) == 0 and "labels" in encoded.column_names


def test_the_collator_of_transformers_pads_a_batch(tokenizer):
    encoded = encode(datasets.Dataset.from_dict(PAIRED), tokenizer, 16)
    batch = DataCollatorWithPadding(tokenizer)([encoded[0], encoded[1]])
    assert batch["input_ids"].shape == batch["attention_mask"].shape
    assert batch["labels"].tolist() == [1, 0]


def test_a_missing_column_is_an_error_that_lists_those_found(tokenizer):
    with pytest.raises(MaskTuneError, match="no column 'label' to encode; found text"):
        encode(datasets.Dataset.from_dict({"text": ["word1"]}), tokenizer, 16)


def test_a_column_that_is_not_text_is_an_error(tokenizer):
    with pytest.raises(MaskTuneError, match="column 'text' holds int64, expected text"):
        encode(datasets.Dataset.from_dict({"text": [1, 2], "label": [0, 1]}), tokenizer, 16)


def test_a_tokenizer_without_mask_token_is_an_error(tokenizer):
    tokenizer.mask_token = None
    with pytest.raises(MaskTuneError, match="has no mask token; Mask-tuning needs"):
        encode(datasets.Dataset.from_dict(SINGLE), tokenizer, 16)


@pytest.mark.parametrize("max_length", [2, 65, 0])
def test_a_length_that_the_tokenizer_cannot_take_quotes_the_limits(tokenizer, max_length):
    tokenizer.model_max_length = 64
    with pytest.raises(MaskTuneError, match=f"max_length is {max_length}, .*at most 64 tokens; give .* from 3 to 64"):
        encode(datasets.Dataset.from_dict(SINGLE), tokenizer, max_length)
