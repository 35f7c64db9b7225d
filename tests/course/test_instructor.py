"""The instructor's page: a plan of three hours that adds up, a part for each lesson of it, and the declared figures."""

import re
from dataclasses import replace

import course_clock
import course_expected
import pytest
from lessons import SOURCES, read

PAGE = course_expected.PAGE.read_text(encoding="utf-8")
PLAN = re.findall(r"^(\d):(\d\d) \| (\d+) \| (.+?) \|", PAGE, re.MULTILINE)
LESSONS = {read(path)["metadata"]["masktune"]["lesson"]: path for path in SOURCES}


def test_the_plan_is_three_hours_without_a_gap():
    clock = 0
    for hours, minutes, lasts, _ in PLAN:
        assert 60 * int(hours) + int(minutes) == clock
        clock += int(lasts)
    assert clock == 180


def test_no_lesson_gets_more_time_than_it_says_and_each_of_the_plan_has_its_part():
    planned = [(what[1:3], int(lasts)) for _, _, lasts, what in PLAN if what.startswith("[")]
    assert len(planned) >= 4
    for lesson, lasts in planned:
        assert lasts <= read(LESSONS[lesson])["metadata"]["masktune"]["minutes"]
    for lesson in {lesson for lesson, _ in planned}:
        part = PAGE.partition(f"### {lesson}: ")[2].partition("\n### ")[0]
        assert all(f"- **{what}:**" in part for what in ("Ask", "Expect", "Cut")), lesson
        steps = part.partition("- **Steps:**")[2].partition("\n- ")[0]
        about = read(LESSONS[lesson])["metadata"]["masktune"]["steps"]
        said = "; ".join(f"{step['minutes']} min {step['what']}" for step in about if step["minutes"])
        assert " ".join(steps.split()).startswith(said)
        assert sum(step["minutes"] for step in about) == dict(planned)[lesson]


def test_the_table_has_the_figures_that_the_lessons_declare_and_a_range_of_each():
    declared = [(lesson, said) for lesson, path in LESSONS.items() for said in course_expected.expected(path)]
    stated = course_expected.stated()
    assert list(stated) == declared
    assert all(low <= high for low, high in stated.values())


def test_a_range_that_is_measured_again_may_keep_what_stood_there(monkeypatch):
    path = LESSONS["C1"]
    seeds = iter((10, 20, 30) * 2)
    monkeypatch.setattr(course_expected, "walk", lambda path, seed: ({"value": next(seeds)}, 0, 0))
    monkeypatch.setattr(course_expected, "expected", lambda path: {"a figure": "value"})
    assert list(course_expected.measure(path, {})) == ["| C1 | a figure | 10.0 | 30.0 |"]
    assert list(course_expected.measure(path, {("C1", "a figure"): (5, 25)})) == ["| C1 | a figure | 5.0 | 30.0 |"]


@pytest.mark.parametrize("path", course_clock.planned(), ids=lambda path: path.stem)
def test_each_step_has_the_time_that_machine_reading_and_exercises_take(path):
    stated = course_clock.stated()
    for step in course_clock.steps(path, {}):
        row = stated[f"| {step.lesson}", step.what]
        seconds = int(row.split(" | ")[3])
        assert row == replace(step, seconds=seconds).row(), "run tests/course_clock.py"
        assert replace(step, seconds=seconds).left >= 0 and seconds < 60


def test_the_clock_has_each_step_of_the_lessons_in_the_plan():
    planned = {what[1:3] for _, _, _, what in PLAN if what.startswith("[")}
    assert {course_expected.lesson(path) for path in course_clock.planned()} == planned
    assert len(course_clock.stated()) == sum(len(course_clock.steps(path, {})) for path in course_clock.planned())
