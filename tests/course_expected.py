"""Write what each lesson shows, lowest to highest over three seeds, into the instructor's page. Some minutes.

    .venv/bin/python tests/course_expected.py [--wider] [LESSON ...]

With --wider a range still holds what stood there: on a second kind of processor the same seeds give other models.
tests/course_whole.py (`make lessons`) asserts that a lesson shows what stands there; the rows are declared in the
lessons' metadata as `expected`.
"""

import argparse
import os
import re
import tempfile
from contextlib import chdir
from math import inf

from lessons import COURSE, SOURCES, read, walk

PAGE = COURSE / "instructor.md"
SEEDS = range(3)
MARK = re.compile(
    r"(?<=<!-- expected: by tests/course_expected.py -->\n\n).*?(?=\n\n<!-- end of expected -->)", re.DOTALL
)


def expected(path):
    """The declared figures of a lesson: what is said of each -> the expression that gives it at the end."""
    return read(path)["metadata"]["masktune"].get("expected", {})


def stated():
    """(lesson, what is said of a figure) -> (lowest, highest), as the page has them."""
    rows = re.findall(
        r"^\| (C\d) \| (.+?) \| ([-\d.]+) \| ([-\d.]+) \|$", MARK.search(PAGE.read_text("utf-8"))[0], re.M
    )
    return {(lesson, said): (float(low), float(high)) for lesson, said, low, high in rows}


def measure(path, known):
    """A row of the table for each figure of a lesson; its range holds the known one too, where there is one."""
    found = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            names = walk(path, seed)[0]
        found.append([float(eval(expression, names)) for expression in expected(path).values()])
    for said, values in zip(expected(path), zip(*found, strict=True), strict=True):
        low, high = known.get((lesson(path), said), (inf, -inf))
        yield row(path, said, min(low, *values), max(high, *values))


def row(path, said, low, high):
    """A row of the table."""
    return f"| {lesson(path)} | {said} | {low:.1f} | {high:.1f} |"


def lesson(path):
    """What a lesson is called: C1, C2 and so on."""
    return read(path)["metadata"]["masktune"]["lesson"]


def main(chosen, wider=False):
    """Measure the chosen lessons, all where none is; the rows of the others stay."""
    os.environ.setdefault("MASKTUNE_RESULTS", str(COURSE.parents[1] / "results"))
    known, rows = stated(), []
    for path in SOURCES:
        if not chosen or lesson(path) in chosen:
            rows += measure(path, known if wider else {}) if expected(path) else []
        else:
            rows += [row(path, said, *ends) for (name, said), ends in known.items() if name == lesson(path)]
    table = "\n".join(["| lesson | figure | lowest | highest |", "|---|---|---|---|", *rows])
    PAGE.write_text(MARK.sub(lambda _: table, PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--wider", action="store_true")
    parser.add_argument("lessons", nargs="*")
    given = parser.parse_args()
    main(given.lessons, given.wider)
