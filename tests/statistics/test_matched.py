"""One course read where another has a given level."""

import pytest

from masktune.statistics.matched import Reading, read_where

RISING, FALLING = [60.0, 80.0, 90.0], [70.0, 50.0, 40.0]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (80.0, Reading(50.0, 1.0, False)),  # at a reading
        (70.0, Reading(60.0, 0.5, False)),  # half way between two
        (85.0, Reading(45.0, 1.5, False)),
        (90.0, Reading(40.0, 2.0, False)),  # the last one: the plain comparison
        (60.0, Reading(70.0, 0.0, False)),
        (55.0, Reading(70.0, 0.0, True)),  # below all of them
        (99.0, Reading(40.0, 2.0, True)),  # above
    ],
)
def test_where_the_level_is_passed(level, expected):
    assert read_where(RISING, FALLING, level) == expected


def test_of_several_places_the_last_counts():
    assert read_where([60.0, 80.0, 70.0, 90.0], [1.0, 2.0, 3.0, 4.0], 75.0) == Reading(3.25, 2.25, False)
    assert read_where([80.0, 80.0], [1.0, 2.0], 80.0) == Reading(2.0, 1.0, False)
    assert read_where([80.0, 60.0, 80.0], [1.0, 2.0, 3.0], 90.0) == Reading(3.0, 2.0, True), "of two as near the later"


def test_one_reading_alone():
    assert read_where([80.0], [5.0], 80.0) == Reading(5.0, 0.0, False)
    assert read_where([80.0], [5.0], 70.0) == Reading(5.0, 0.0, True)
