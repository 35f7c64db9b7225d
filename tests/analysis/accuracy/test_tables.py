import pytest
from synthetic_study import make, with_failures

from masktune.analysis import results


@pytest.fixture(scope="module")
def found(gathered):
    return results.of(*gathered)


def test_captions_say_n_what_varies_and_which_interval(found):
    for table in (found.main_table, found.differences_table, found.details_table):
        assert "6 " in table.caption and "seed" in table.caption and "95 %" in table.caption
        assert "Seeds vary the initialisation of the head" in table.caption
    assert "60 examples a set" in found.main_table.caption
    assert "95 % t interval over paired seeds x clusters" in found.differences_table.caption


def test_few_seeds_are_said():
    few = results.of(*make(tasks=("paraphrase",), seeds=5, examples=20))
    assert "5 seeds: the sign-flip test cannot go below 0.0625" in few.differences_table.caption
    assert set(few.differences_table.shown["p"]) == {"(\u2265 0.0625)"}


def test_a_method_is_a_column(found):
    shown = found.main_table.shown
    assert list(shown)[-4:] == ["fine-tuning", "Mask-tuning", "Constant", "Examples"]
    assert len(shown) == 8


def test_fewer_seeds_show_in_the_cell():
    lost = results.of(*with_failures(*make(tasks=("paraphrase",), examples=20)))
    assert lost.main_table.shown["Mask-tuning"].str.endswith(" (4 seeds)").all()
    assert "2 of 12 runs failed or are missing" in lost.failures_table.caption
    assert set(lost.failures_table.shown["Status"]) == {"failed", "missing"}


def test_no_failure_is_said_too(found):
    assert found.failures_table.caption.startswith("No run failed and none is missing: 36 of 36")
