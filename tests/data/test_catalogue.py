"""The promises of single cards that the study's numbers rest on."""

import pytest

from masktune.data.card import PinnedFiles
from masktune.data.catalogue import CARDS, card
from masktune.data.sources import editions, known_digests

PUBLISHED = {
    "glue/sst2/train": 67_349,
    "glue/sst2/validation": 872,
    "imdb-contrast/test": 976,
    "imdb-cad/test": 976,
    "imdb-cad/train": 3_414,
    "glue/mnli/train": 392_702,
    "glue/mnli/validation_matched": 9_815,
    "glue/mnli/validation_mismatched": 9_832,
    "hans/validation": 30_000,
    "anli/r1/validation": 1_000,
    "anli/r2/validation": 1_000,
    "anli/r3/validation": 1_200,
    "glue/qqp/train": 363_846,
    "glue/qqp/validation": 40_430,
    "paws-qqp/dev_and_test": 677,
}


def test_the_sets_have_their_published_sizes():
    assert {name: entry.rows for name, entry in CARDS.items()} == PUBLISHED


@pytest.mark.parametrize("name", ["glue/mnli/train", "glue/qqp/train", "glue/qqp/validation"])
def test_a_subset_is_smaller_and_looked_for_after_the_full_set(name):
    (full, rows), (subset, fewer) = editions(card(name))
    assert (full, subset) == (name, f"{name}_subset")
    assert fewer < rows


def test_each_set_that_was_ever_read_has_a_digest_under_the_name_it_was_read_by():
    unknown = {name for entry in CARDS.values() for name, _ in editions(entry) if not known_digests(entry, name)}
    assert unknown == {"glue/mnli/train", "glue/qqp/train", "glue/qqp/validation"}


def test_a_file_at_a_pinned_address_is_known_by_its_git_object():
    pinned = [entry.source for entry in CARDS.values() if isinstance(entry.source, PinnedFiles)]
    assert pinned and all(len(source.git_blobs) == len(source.urls) for source in pinned)
