import math

import pytest
from tiny_models import word_tokenizer

from masktune.methods.words import bag_of_words, decode_texts, overlap_features


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_words_come_back_from_token_ids_in_one_text_or_two(family):
    tokenizer = word_tokenizer(family)
    single = tokenizer(["word1 word2", "word3"])["input_ids"]
    assert decode_texts(single, tokenizer) == [(["word1", "word2"],), (["word3"],)]
    paired = tokenizer(["word1 word2", "word3"], ["word4", "word5 word3"], padding=True)["input_ids"]
    assert decode_texts(paired, tokenizer) == [(["word1", "word2"], ["word4"]), (["word3"], ["word5", "word3"])]


def test_an_empty_second_text_is_a_text_without_words():
    tokenizer = word_tokenizer("bert")
    rows = [tokenizer("word1", "word2")["input_ids"], tokenizer("word1", "")["input_ids"]]
    assert decode_texts(rows, tokenizer) == [(["word1"], ["word2"]), (["word1"], [])]


def test_a_bag_of_two_texts_says_where_a_word_stands():
    assert bag_of_words((["a", "b"],)) == ["a", "b"]
    assert bag_of_words((["a", "b", "b"], ["b", "c"])) == ["1:a", "1:b", "2:b", "2:c", "both:b"]


@pytest.mark.parametrize(
    "second, expected",
    [
        (["the", "dog", "saw"], [1, 1, 1, 3 / 4, math.log(2)]),
        (["dog", "the", "saw"], [1, 0, 1, 3 / 4, math.log(2)]),
        (["a", "cat"], [0, 0, 1 / 2, 1 / 4, math.log(3)]),
        (["he", "saw", "a", "dog", "and", "ran"], [0, 0, 2 / 6, 2 / 4, 0]),
        (["he", "do"], [0, 0, 0, 0, math.log(3)]),
    ],
)
def test_features_of_overlap(second, expected):
    assert overlap_features((["the", "dog", "saw", "cat", "cat"], second)) == pytest.approx(
        [
            expected[0],
            expected[1],
            expected[2],
            sum(w in second for w in ["the", "dog", "saw", "cat", "cat"]) / 5,
            expected[4],
        ]
    )
