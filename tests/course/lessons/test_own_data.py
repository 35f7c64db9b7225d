"""Lesson C8: the file has the faults that the lesson speaks of, commands run in a cell, and pairs are looked at."""

import pandas
import pytest

from masktune.course.grading import NotYetError
from masktune.course.lessons.own_data import (
    CAPITALS,
    EMPTY,
    KNOWN_OPINIONS,
    ROWS,
    TWICE,
    check_pairs,
    in_terminal,
    write_reviews,
)
from masktune.data import world
from masktune.data.world.sentiment import words
from masktune.data.world.words import NEGATIVE, POSITIVE
from masktune.errors import MaskTuneError


def test_the_file_has_every_fault_that_the_lesson_mends(tmp_path, capsys):
    write_reviews(tmp_path / "reviews.csv", 0)
    rows = pandas.read_csv(tmp_path / "reviews.csv")
    assert rows["verdict"].isna().sum() == EMPTY
    assert rows["verdict"].isin(["Praise", "Blame"]).sum() >= CAPITALS  # repeated ones too
    assert len(rows) > ROWS + TWICE and rows.duplicated("review").sum() == len(rows) - ROWS
    in_terminal(f"masktune check {tmp_path}/reviews.csv --text review --label verdict")
    said = capsys.readouterr().out
    assert "have no label" in said and "differ in capitals alone" in said and "it cannot be trained on" in said
    assert "rows repeat the text" in said and "texts have two labels or more" in said


def test_a_seed_decides_the_file(tmp_path):
    files = [tmp_path / name for name in ("one", "same", "other")]
    for file, seed in zip(files, (0, 0, 1), strict=True):
        write_reviews(file, seed)
    assert files[0].read_text() == files[1].read_text() != files[2].read_text()


def test_the_opinion_words_that_pairs_may_have_are_those_of_the_reviews():
    task = world.load("sentiment")
    there = {word for text in task.train["text"] for word in words(text)}
    assert set(KNOWN_OPINIONS) == there & set(POSITIVE + NEGATIVE)


def test_what_a_terminal_would_refuse_stops_the_cell_too(tmp_path, capsys):
    with pytest.raises(MaskTuneError, match="was refused"):
        in_terminal("masktune check nowhere.csv")
    assert "no file 'nowhere.csv'" in capsys.readouterr().out
    with pytest.raises(MaskTuneError, match="expected a command of masktune"):
        in_terminal("rm reviews.csv")


FORMS = (
    ("the {} was superb. it is a {}.", "the {} was dull. it is a {}."),
    ("the {} was never dull. it is a {}.", "the {} was never superb. it is a {}."),
    ("the {} was superb instead of dull. it is a {}.", "the {} was dull instead of superb. it is a {}."),
)
GENRES = ("drama", "comedy")


def pairs_of(forms, genres):
    """Twenty pairs that take turns in their forms and genres."""
    return [
        tuple(text.format(word, genres[place % len(genres)]) for text in forms[place % len(forms)])
        for place, word in enumerate("abcdefghijklmnopqrst")
    ]


GOOD = pairs_of(FORMS, GENRES)


def test_twenty_good_pairs_go_through(capsys):
    check_pairs(GOOD)
    assert capsys.readouterr().out == "Your list of pairs is right.\n"


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ((..., ...), "two texts in quotes are wanted"),
        (("The a was superb. It is a drama.",) * 2, "one text twice"),
        (("It is a drama. The a was superb.", "The a was dull. It is a drama."), "the grammar cannot tell"),
        (("The a was dull. It is a drama.", "The a was superb. It is a drama."), "should be praise"),
        (("The a was superb. It is a drama.", "The a was so superb. It is a drama."), "should be blame"),
        (("The a was superb.", "The a was dull. It is a drama."), "name a genre in both"),
        (("The a was superb. It is a drama.", "The a was dull. It is a comedy."), "'drama' became 'comedy'"),
        (("The a was superb. It is a drama.", "I found the b dull. We saw an old drama."), "words differ"),
        (("The a was elegant. It is a drama.", "The a was dull. It is a drama."), "no review of the file says"),
        (GOOD[1], "pair 2 is pair 1 once more"),
    ],
)
def test_a_pair_that_is_none_is_sent_back_with_a_reason(pair, said):
    with pytest.raises(NotYetError, match=said):
        check_pairs([pair, *GOOD[1:]])


def test_a_list_that_is_not_full_yet_is_read_as_far_as_it_goes():
    with pytest.raises(NotYetError, match="all pairs so far are right, and 15 are still to be written"):
        check_pairs(GOOD[:5])
    with pytest.raises(NotYetError, match="pair 2"):
        check_pairs([GOOD[0], GOOD[1][::-1]])


@pytest.mark.parametrize(
    ("forms", "genres", "said"),
    [
        (FORMS[:1], GENRES, "all are plain; use at least 3 of the kinds"),
        (FORMS, ("drama", "western"), "0 of the films are one of comedy"),
        (FORMS, ("comedy", "romance"), "0 of the films are one of thriller"),
    ],
)
def test_pairs_of_one_kind_or_of_films_of_one_side_are_sent_back(forms, genres, said):
    with pytest.raises(NotYetError, match=said):
        check_pairs(pairs_of(forms, genres))
