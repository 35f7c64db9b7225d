from dataclasses import replace

import pyarrow as pa
import pytest
from invented_mirror import rows_for

from masktune.data import rows
from masktune.data.catalogue import CARDS
from masktune.errors import MaskTuneError

ONE = replace(CARDS["glue/sst2/train"], rows=4, digest="")
TWO = replace(CARDS["glue/qqp/train"], rows=4, blank_rows=1, digest="")
PAIRS = replace(CARDS["imdb-contrast/test"], rows=4, digest="")
GROUPED = replace(CARDS["hans/validation"], rows=4, digest="")


def checked(card, **changes):
    return rows.validate(pa.table({**rows_for(card, 4), **changes}), card, 4, "file.parquet")


def test_sound_rows_come_out_with_the_common_columns():
    assert checked(ONE).slice(1, 1).to_pylist() == [
        {
            "example_id": "1",
            "cluster_id": "1",
            "group": "",
            "text": "sentence of example 1 in glue/sst2/train",
            "label": 1,
        }
    ]
    assert checked(TWO)["text_pair"][2].as_py() == "question2 of example 2 in glue/qqp/train"


def test_examples_of_a_pair_share_a_cluster_and_are_told_apart_by_their_side():
    table = checked(PAIRS)
    assert table["cluster_id"].to_pylist() == ["7", "7", "8", "8"]
    assert table["example_id"].to_pylist() == ["7/original", "7/contrast", "8/original", "8/contrast"]
    assert table[rows.SIDE].to_pylist() == ["original", "contrast"] * 2


def test_groups_join_heuristic_and_label():
    table = checked(GROUPED)
    assert table["group"].to_pylist() == ["lexical_overlap/0", "lexical_overlap/1", "constituent/0", "constituent/1"]
    assert table["cluster_id"].to_pylist() == ["subcase 0"] * 3 + ["subcase 1"]


@pytest.mark.parametrize(
    "card, changes, said",
    [
        (ONE, {"sentence": ["good", None, "bad", "dull"]}, "row 1: no value in column 'sentence'"),
        (ONE, {"sentence": ["good", "fine", " \t", "dull"]}, "row 2: empty text ' \\\\t' in column 'sentence'"),
        (ONE, {"sentence": [3, 1, 4, 1]}, "row 0: 3 in column 'sentence' is not text"),
        (ONE, {"label": [0, 1, 2, 0]}, "row 2: label 2 in column 'label', expected one of 0 .negative., 1 .positive."),
        (ONE, {"label": [0, -1, 1, 0]}, "row 1: label -1"),
        (ONE, {"label": ["0", "1", "1", "0"]}, "row 0: label '0' in column 'label' is not a whole number"),
        (ONE, {"idx": [5, 6, 7, 5]}, "row 3: example '5' occurs in row 0 already"),
        (PAIRS, {"type": ["original", "contrast", "original", "revised"]}, "row 3: type 'revised', expected original"),
        (PAIRS, {"pair_id": [7, 7, 7, 8]}, "row 0: pair 7 has contrast and original and original"),
        (PAIRS, {"pair_id": [7, 7, 8, 9]}, "row 2: pair 8 has original, expected one original and one contrast"),
        (PAIRS, {"label": [0, 1, 1, 1]}, "row 3: both sides of pair 8 have label 1"),
        (TWO, {"question1": ["", "b", "c", "d"], "question2": ["a", "b", "", "d"]}, "row 0: empty text, .* of 2"),
    ],
)
def test_a_fault_is_an_error_that_names_file_row_and_value(card, changes, said):
    with pytest.raises(MaskTuneError, match=f"file.parquet: {said}") as raised:
        checked(card, **changes)
    assert "\n" not in str(raised.value)


def test_a_missing_column_is_an_error_that_lists_those_found():
    table = pa.table(rows_for(ONE, 4)).rename_columns(["idx", "text", "label"])
    with pytest.raises(
        MaskTuneError, match="no column 'sentence', which glue/sst2/train needs; found idx, text, label"
    ):
        rows.validate(table, ONE, 4, "file.parquet")


def test_another_number_of_rows_is_an_error():
    with pytest.raises(MaskTuneError, match="4 rows, expected 67,349 for glue/sst2/train"):
        rows.validate(pa.table(rows_for(ONE, 4)), ONE, 67_349, "file.parquet")


def test_blank_rows_that_the_card_knows_of_are_dropped():
    table = checked(TWO, question2=["a", "", "c", "d"])
    assert table["example_id"].to_pylist() == ["0", "2", "3"]


def test_the_content_digest_sees_texts_and_labels_and_not_how_they_are_stored():
    table = checked(TWO)
    assert rows.digest(table) == rows.digest(pa.concat_tables([table.slice(0, 1), table.slice(1)]))
    assert rows.digest(table) == rows.digest(checked(TWO, idx=[9, 8, 7, 6]))
    assert rows.digest(table) != rows.digest(checked(TWO, label=[1, 1, 0, 1]))
    assert rows.digest(table) != rows.digest(checked(TWO, question1=["a", "b", "c", "d"]))
