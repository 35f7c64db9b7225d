import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masktune.data import formats
from masktune.errors import MaskTuneError


def lines(*rows) -> bytes:
    return "\n".join("\t".join(row) for row in rows).encode() + b"\n"


@pytest.mark.parametrize(
    "stored, text",
    [
        ("a plain film", "a plain film"),
        ('"a ""great"" film"', 'a "great" film'),
        ('"""a """"great"""" film"""', 'a "great" film'),
        ('"Heroes" is duller than "Cowards"', '"Heroes" is duller than "Cowards"'),
        ('it is called "Heroes"', 'it is called "Heroes"'),
        ('"', '"'),
    ],
)
def test_csv_quoting_is_undone_as_often_as_it_was_applied(stored, text):
    assert formats.unquote(stored) == text


@given(st.text(st.sampled_from('ab "'), min_size=1).map(lambda text: f"x{text}x"), st.integers(0, 3))
def test_unquoting_inverts_the_csv_writer(text, times):
    stored = text
    for _ in range(times):
        out = io.StringIO()
        csv.writer(out, quoting=csv.QUOTE_ALL).writerow([stored])
        stored = out.getvalue().removesuffix("\r\n")
    assert formats.unquote(stored) == text


def test_row_i_of_both_contrast_files_makes_pair_i():
    original = lines(("Sentiment", "Text"), ("Negative", "dull"), ("Positive", '"so ""fine"""'))
    contrast = lines(("Sentiment", "Text"), ("Positive", "bright"), ("Negative", "so poor"))
    table = formats.read("imdb_contrast", [original, contrast], ["original.tsv", "contrast.tsv"]).to_pydict()
    assert table == {
        "idx": [0, 1, 2, 3],
        "sentence": ["dull", "bright", 'so "fine"', "so poor"],
        "label": [0, 1, 1, 0],
        "pair_id": [0, 0, 1, 1],
        "type": ["original", "contrast", "original", "contrast"],
    }


def test_contrast_files_of_different_length_do_not_fit():
    original = lines(("Sentiment", "Text"), ("Negative", "dull"))
    with pytest.raises(MaskTuneError, match="contrast.tsv: 0 rows, expected 1 as in original.tsv"):
        formats.read("imdb_contrast", [original, lines(("Sentiment", "Text"))], ["original.tsv", "contrast.tsv"])


def test_the_first_row_of_a_batch_is_the_original():
    content = lines(("Sentiment", "Text", "batch_id"), ("Negative", "dull", "8"), ("Positive", "bright", "8"))
    table = formats.read("imdb_counterfactual", [content], ["paired.tsv"]).to_pydict()
    assert table["pair_id"] == [8, 8]
    assert table["type"] == ["original", "revised"]


def test_hans_gives_labels_heuristics_and_sub_cases_by_column_name():
    header = ("gold_label", "sentence1_parse", "sentence1", "sentence2", "pairID", "heuristic", "subcase", "template")
    row = ("non-entailment", "(S)", "The cook saw the baker .", "The baker saw the cook .", "ex0", "lexical_overlap")
    content = lines(header, (*row, "swap", "temp1"))
    assert formats.read("hans", [content], ["hans.txt"]).to_pylist() == [
        {
            "idx": 0,
            "premise": "The cook saw the baker .",
            "hypothesis": "The baker saw the cook .",
            "label": 1,
            "heuristic": "lexical_overlap",
            "subcase": "swap",
            "pair_id": "ex0",
        }
    ]


def test_paws_sentences_written_as_python_bytes_are_decoded():
    header = ("id", "sentence1", "sentence2", "label")
    content = lines(header, ("1", "b'a caf\\xc3\\xa9 ?'", 'b"who \'s there ?"', "0"), ("2", "one ?", "two ?", "1"))
    table = formats.read("paws_qqp", [content], ["paws.tsv"]).to_pydict()
    assert table["question1"] == ["a café ?", "one ?"]
    assert table["question2"] == ["who 's there ?", "two ?"]
    assert table["label"] == [0, 1]


@pytest.mark.parametrize(
    "content, said",
    [
        (lines(("id", "sentence1", "label")), "paws.tsv: no column 'sentence2'"),
        (lines(("id", "sentence1", "sentence2", "label"), ("1", "one", "two", "yes")), "row 0 has the label 'yes'"),
        (lines(("id", "sentence1", "sentence2", "label"), ("1", "one", "two")), "line 2 has 3 fields, expected 4"),
        (lines(("id", "sentence1", "sentence2", "label"), ("1", "b'\\xff'", "two", "1")), "cannot be decoded"),
        (b"\xff\xfe", "byte 0 is not UTF-8"),
    ],
)
def test_a_file_of_another_form_is_an_error_that_says_where(content, said):
    with pytest.raises(MaskTuneError, match=said) as raised:
        formats.read("paws_qqp", [content], ["paws.tsv"])
    assert "\n" not in str(raised.value)


def test_a_batch_that_is_no_number_is_an_error():
    content = lines(("Sentiment", "Text", "batch_id"), ("Negative", "dull", "eight"))
    with pytest.raises(MaskTuneError, match="row 0 has the batch_id 'eight'"):
        formats.read("imdb_counterfactual", [content], ["paired.tsv"])
