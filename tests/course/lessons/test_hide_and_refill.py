"""The grammar that judges refilled reviews reads every review of the world as its label says."""

import pytest

from masktune.course.lessons.hide_and_refill import genre, verdict
from masktune.data import world
from masktune.data.world.sentiment import CUES


def test_it_reads_every_review_as_labelled_and_sees_the_genre_that_the_cue_is():
    task = world.load("sentiment")
    for rows in (task.train, *(each.examples for each in task.evaluation)):
        assert [verdict(text) for text in rows["text"]] == list(rows["label"])
        cues = [next((label for label in CUES if genre(text) in CUES[label]), -1) for text in rows["text"]]
        assert cues == list(rows["cue"])


@pytest.mark.parametrize(
    "text", ["", "the plot was so the. i saw a film.", "clever", "the plot was so film. it is new."]
)
def test_of_what_is_no_judgement_nobody_can_tell(text):
    assert verdict(text) is None


def test_capital_letters_and_spaces_do_not_count():
    assert verdict("The plot was not dull at all . It is a Comedy .") == 1
    assert genre("It is a Comedy .") == "comedy"
