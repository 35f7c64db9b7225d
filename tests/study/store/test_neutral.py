"""Which sources count as one: what is recorded of neutral changes, and what follows."""

from dataclasses import replace

import pandas as pd
import pytest

from masktune.analysis import provenance
from masktune.errors import MaskTuneError
from masktune.study.store import neutral
from masktune.study.store.neutral import Neutral

CHANGE = Neutral("a" * 64, "b" * 64, "2026-11-26", "small", "cached", ("run1", "run2"))


def test_what_is_recorded_is_read_again_in_its_order():
    assert neutral.read() == ()
    later = replace(CHANGE, before="b" * 64, after="c" * 64, checkpoints="made again", checked=("run3",))
    assert neutral.add(CHANGE) == neutral.add(later) == neutral.file()
    assert neutral.read() == (CHANGE, later)


def change(before, after):
    return replace(CHANGE, before=before, after=after)


@pytest.mark.parametrize(
    ("pairs", "stands_for"),
    [
        ([], {}),
        ([("a", "b")], {"a": "b", "b": "b"}),
        ([("a", "b"), ("b", "c")], {"a": "c", "b": "c", "c": "c"}),
        ([("a", "b"), ("c", "d")], {"a": "b", "b": "b", "c": "d", "d": "d"}),
        ([("a", "b"), ("c", "d"), ("a", "c")], dict.fromkeys("abcd", "c")),
        ([("a", "c"), ("b", "c")], dict.fromkeys("abc", "c")),
        ([("a", "b"), ("b", "a")], dict.fromkeys("ab", "a")),
    ],
)
def test_sources_that_give_the_same_runs_have_one_that_stands_for_them(pairs, stands_for):
    assert neutral.representatives([change(*pair) for pair in pairs]) == stands_for


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("neutral = [", "cannot be read"),
        ("[[neutrl]]\n", "did you mean 'neutral'"),
        ("[[neutral]]\nbefore = 'a'\n", "'after' is missing"),
        (
            "[[neutral]]\nbefore='a'\nafter='b'\ndate='d'\nstudy='s'\ncheckpoints='cached'\nchecked=[]\n",
            "at least one run",
        ),
    ],
)
def test_a_broken_file_is_an_error_that_names_it(text, message):
    neutral.file().parent.mkdir(parents=True, exist_ok=True)
    neutral.file().write_text(text)
    with pytest.raises(MaskTuneError, match=message) as error:
        neutral.read()
    assert neutral.FILE in str(error.value)


def test_results_of_neutral_changes_are_alike_and_their_costs_are_not():
    runs = pd.DataFrame({"status": "done", "source": ["a" * 64, "b" * 64, "b" * 64], "precision": "fp32"})
    assert "1 by code aaaaaaa, 2 by code bbbbbbb" in provenance.mixed_note(runs)
    assert provenance.neutral_note(runs) == ""
    neutral.add(CHANGE)
    assert provenance.mixed_note(runs) == ""
    assert provenance.neutral_note(runs) == (
        " 2 sources of the package count as 1: 2 runs, trained again, came out the same to the bit (neutral.toml)."
    )
    neutral.add(replace(CHANGE, on="cpu, a processor", checked=("run3",)))
    assert " 3 runs, trained again on cpu, a processor, came out the same to the bit" in provenance.neutral_note(runs)
    assert provenance.complete(runs)["source"].nunique() == 2
    another = pd.concat([runs, runs.assign(source="d" * 64).head(1)])
    assert "3 by code bbbbbbb" in provenance.mixed_note(another)
