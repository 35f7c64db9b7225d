"""The space of settings that is searched, the same for every method."""

import json

import pytest
from study.tuned_study import TOML, parsed

from masktune.errors import MaskTuneError
from masktune.study.design import tuning


def test_trials_are_different_points_of_the_space_and_the_same_every_time():
    study = parsed()
    drawn = tuning.settings_of(study.tuning, study.grid[1])
    assert drawn == tuning.settings_of(study.tuning, study.grid[1])
    assert len({json.dumps(point) for point in drawn}) == 3
    assert all(point["alpha"] in (0.1, 0.6) and point["learning_rate"] in (1e-3, 2e-3, 4e-3) for point in drawn)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("trials = 3", "trials = 4", r"\[tuning\] trials = 4; expected 1 to 3 for \[\[grid\]\] 'fine-tuning'"),
        ("trials = 3", "trails = 3", "'trails'"),
        ("alpha = [0.1, 0.6]", "alpha = [0.1, 1.6]", "1.6"),
        ("alpha = [0.1, 0.6]", "alpha = 0.1", "alpha = 0.1; expected a list of values"),
        ("alpha = [0.1, 0.6]", "alfa = [0.1]", "alfa"),
        ('tuned_as = "ours"', 'tuned_as = "theirs"', "'theirs'"),
        ('fill = "original"', 'fill = ["original", "keep"]\ntuned_as_ = 1', "tuned_as_"),
        ('method = "fine_tuning"', 'method = "fine_tuning"\ntraining = { epochs = [1, 2] }', "no sweep in a row"),
        ("seeds = [100, 101]", "seeds = []", "at least one seed"),
    ],
)
def test_a_space_that_cannot_be_is_an_error_that_quotes_it(old, new, message):
    assert old in TOML
    with pytest.raises(MaskTuneError, match=message):
        parsed(TOML.replace(old, new))
