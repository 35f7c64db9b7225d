from collections import Counter

import pytest
from invented_mirror import ROWS, rows_for, save

from masktune import data
from masktune.data import real
from masktune.errors import MaskTuneError


def by_name(task):
    return {evaluated.name: evaluated for evaluated in task.evaluation}


def test_sentiment_scores_the_edited_side_and_keeps_the_original_as_companion(mirror):
    sets = by_name(data.load("real", "sentiment"))
    assert {name: (evaluated.kind, evaluated.max_length) for name, evaluated in sets.items()} == {
        "sst2_validation": ("in_distribution", 128),
        "imdb_contrast": ("out_of_distribution", 256),
        "imdb_contrast_original": ("companion", 256),
        "imdb_cad": ("out_of_distribution", 256),
        "imdb_cad_original": ("companion", 256),
    }
    edited, original = sets["imdb_cad"].examples, sets["imdb_cad_original"].examples
    assert list(edited["cluster_id"]) == list(original["cluster_id"])
    assert set(edited["label"]) == {1} and set(original["label"]) == {0}
    assert edited["example_id"][0] == "7/revised"


def test_inference_folds_hans_and_clusters_it_by_sub_case(mirror):
    task = data.load("real", "inference")
    sets = by_name(task)
    assert list(sets) == ["mnli_matched", "mnli_mismatched", "hans", "anli_r1", "anli_r2", "anli_r3"]
    assert sets["hans"].fold == (0, 1, 1)
    assert sets["hans"].label_names == ("entailment", "non-entailment")
    assert len(set(sets["hans"].examples["cluster_id"])) == ROWS // 3
    groups = {"lexical_overlap/0", "lexical_overlap/1", "constituent/0", "constituent/1"}
    assert set(sets["hans"].examples["group"]) == groups
    assert sets["anli_r1"].fold is None and task.paired and task.label_names[1] == "neutral"


def test_paraphrase_reads_qqp_and_paws(mirror):
    sets = by_name(data.load("real", "paraphrase"))
    assert {name: evaluated.kind for name, evaluated in sets.items()} == {
        "qqp_validation": "in_distribution",
        "paws_qqp": "out_of_distribution",
    }


def test_digests_name_what_was_read_and_so_tell_a_subset(mirror):
    (mirror / "data" / "glue/qqp/train.parquet").unlink()
    save(mirror / "data" / "glue/qqp/train_subset.parquet", rows_for(real.card("glue/qqp/train"), ROWS // 2))
    task = data.load("real", "paraphrase")
    assert len(task.train) == ROWS // 2
    assert list(task.digests) == ["glue/qqp/train_subset", "glue/qqp/validation", "paws-qqp/dev_and_test"]
    assert all(len(digest) == 64 for digest in task.digests.values())
    assert data.notes(task.digests)[0].startswith("subset of QQP, train (GLUE): 6 of 12 rows")


def test_a_digest_changes_with_the_file(mirror):
    before = data.load("real", "paraphrase").digests
    columns = rows_for(real.card("paws-qqp/dev_and_test"))
    save(mirror / "data" / "paws-qqp/dev_and_test.parquet", {**columns, "question1": columns["question2"]})
    after = data.load("real", "paraphrase").digests
    assert {name for name in before if before[name] != after[name]} == {"paws-qqp/dev_and_test"}


def test_train_examples_draws_the_same_rows_each_time_and_smaller_draws_lie_in_larger_ones(mirror):
    draws = [list(data.load("real", "inference", train_examples=n).train["example_id"]) for n in (4, 4, 9)]
    assert draws[0] == draws[1]
    assert set(draws[0]) < set(draws[2]) and len(draws[2]) == 9
    assert draws[2] == sorted(draws[2], key=int)


def test_train_examples_are_drawn_from_the_whole_set_and_not_from_its_beginning(mirror):
    counts = Counter(data.load("real", "inference", train_examples=4).train["example_id"])
    assert set(counts) != {"0", "1", "2", "3"}


@pytest.mark.parametrize("count", [0, -3, ROWS + 1, 2.5, True])
def test_an_impossible_number_of_train_examples_quotes_both_numbers(mirror, count):
    said = f"train_examples is {count!r}, .*has 12 rows; give a whole number from 1 to 12"
    with pytest.raises(MaskTuneError, match=said):
        data.load("real", "sentiment", train_examples=count)


def test_unlabelled_sentiment_text_is_train_text_and_original_reviews_of_the_train_split(mirror):
    texts = data.unlabelled("real", "sentiment")
    expected = [f"sentence of example {number} in glue/sst2/train" for number in range(ROWS)]
    expected += [f"sentence of example {number} in imdb-cad/train" for number in range(0, ROWS, 2)]
    assert texts == expected


def test_unlabelled_pairs_give_both_texts_once(mirror):
    columns = rows_for(real.card("glue/qqp/train"))
    columns["question2"] = columns["question1"][::-1]
    save(mirror / "data" / "glue/qqp/train.parquet", columns)
    assert sorted(data.unlabelled("real", "paraphrase")) == sorted(columns["question1"])


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: data.load("realistic", "sentiment"), "unknown data collection 'realistic' .did you mean 'real'"),
        (lambda: data.load("real", "sentimental"), "unknown task 'sentimental' .did you mean 'sentiment'"),
        (lambda: data.unlabelled("real", "parse"), "unknown task 'parse'.*expected one of sentiment, inference"),
        (lambda: data.cards("nothing"), "unknown data collection 'nothing'.*expected one of embedded, real"),
    ],
)
def test_an_unknown_name_is_an_error_that_lists_the_known(call, said):
    with pytest.raises(MaskTuneError, match=said):
        call()


def test_a_fault_in_a_mirror_names_file_row_and_value(mirror):
    columns = rows_for(real.card("hans/validation"))
    columns["label"][5] = 2
    save(mirror / "data" / "hans/validation.parquet", columns)
    with pytest.raises(MaskTuneError, match="hans/validation.parquet: row 5: label 2 in column 'label'"):
        data.load("real", "inference")


def test_more_train_rows_are_those_of_the_other_set_and_nothing_else_changes(mirror):
    alone, both = (data.load("real", "sentiment", **options) for options in ({}, {"also_train": "imdb-cad/train"}))
    assert both.train["text"][: len(alone.train)] == alone.train["text"][:]
    assert "imdb-cad/train" in both.digests and "imdb-cad/train" not in alone.digests
    assert len(both.train) > len(alone.train)
    assert [each.examples["text"][:] for each in both.evaluation] == [
        each.examples["text"][:] for each in alone.evaluation
    ]


@pytest.mark.parametrize("name", ["imdb-cad/test", "glue/mnli/train", "glue/sst2/train", "imdb"])
def test_rows_that_cannot_join_a_train_set_are_refused(mirror, name):
    with pytest.raises(MaskTuneError, match=f"unknown also_train '{name}'"):
        data.load("real", "sentiment", also_train=name)
