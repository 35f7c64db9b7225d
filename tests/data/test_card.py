import re

import pytest

from masktune import data
from masktune.data import catalogue, formats
from masktune.data.card import DataCard, HubFile, NamedFile, PinnedFiles
from masktune.data.real import TASKS
from masktune.errors import MaskTuneError

CARDS = data.cards("real")


def test_a_card_says_which_columns_are_read_each_once():
    card = catalogue.card("imdb-contrast/test")
    assert card.needed == ("pair_id", "sentence", "label", "type")
    assert card.cluster == "pair_id"
    assert not card.paired
    assert catalogue.card("hans/validation").needed == (
        "pair_id", "premise", "hypothesis", "label", "subcase", "heuristic"
    )  # fmt: skip


def test_a_card_as_a_table_row_holds_what_a_reader_asks_for():
    row = catalogue.card("anli/r1/validation").row()
    assert row["set"] == "anli/r1/validation"
    assert row["rows"] == 1000
    assert "facebook/anli" in row["source"]
    assert "CC BY-NC" in row["licence"]
    assert row["may be passed on"] is False
    assert {tuple(card.row()) for card in CARDS} == {tuple(row)}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_source_is_pinned_and_every_card_complete(card: DataCard):
    assert card.licence and card.citation and card.title and card.rows > 0
    match card.source:
        case HubFile() as file:
            assert re.fullmatch("[0-9a-f]{40}", file.revision)
            assert file.path.endswith(".parquet")
        case PinnedFiles() as files:
            assert all(re.search("/[0-9a-f]{40}/", url) for url in files.urls)
            assert files.reader in formats.READERS
        case NamedFile() as file:
            assert file.variable.startswith("MASKTUNE_")
            assert file.reader in formats.READERS
        case _:
            pytest.fail(f"{card.name} has no source that can be read")


def test_every_set_of_a_task_has_a_card_with_fitting_labels():
    for task in TASKS.values():
        assert catalogue.card(task.train).label_names == task.label_names
        for selection in task.evaluation:
            card = catalogue.card(selection.card)
            assert selection.side is None or selection.side in card.pairs.sides
            assert selection.fold is not None or card.label_names == task.label_names


def test_sets_of_non_commercial_or_unclear_licence_are_marked():
    kept = {card.name for card in CARDS if not card.redistributable}
    assert {"anli/r1/validation", "glue/qqp/train", "glue/qqp/validation", "paws-qqp/dev_and_test"} <= kept


def test_an_unknown_set_is_an_error_that_names_the_nearest():
    with pytest.raises(MaskTuneError, match="unknown data set 'glue/sst2/trian'.*glue/sst2/train"):
        catalogue.card("glue/sst2/trian")


def test_notes_tell_of_the_sets_read_in_part_only():
    (note,) = data.notes({"glue/mnli/train_subset": "a digest", "hans/validation": "another"})
    assert note.startswith("subset of MNLI, train (GLUE): 32,069 of 392,702 rows (")
    assert data.notes({"glue/mnli/train": "a digest"}) == ()
