"""The instructor's page: a plan of three hours that adds up, a part for each lesson of it, and the declared figures."""

import re

import course_expected
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
        assert sum(int(minutes) for minutes in re.findall(r"\b(\d+) min\b", steps)) == dict(planned)[lesson]


def test_the_table_has_the_figures_that_the_lessons_declare_and_a_range_of_each():
    declared = [(lesson, said) for lesson, path in LESSONS.items() for said in course_expected.expected(path)]
    stated = course_expected.stated()
    assert list(stated) == declared
    assert all(low <= high for low, high in stated.values())
