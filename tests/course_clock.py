"""Walk through the instructor's three hours with a clock, and write the table of their steps into the page. Minutes.

    .venv/bin/python tests/course_clock.py [LESSON ...]

A step is declared in the metadata of its lesson, `steps`: its minutes, what it is, and the cells that it, or each part
of it, begins with; one of 0 minutes is left out in class. A step takes what its cells take the machine, one thread of
it; what the words of its texts take to read; and the minutes of its exercises, or those that `exercises` gives in their
place. tests/course/test_instructor.py holds words and minutes against the lessons; it runs no cells.
"""

import contextlib
import io
import os
import re
import resource
import sys
import tempfile
from dataclasses import dataclass

from course_expected import PAGE, lesson
from lessons import SOURCES, execute, look_as_it_was, read, source

from masktune.course import copies, pretrained

WORDS_A_MINUTE = 200
HEAD = "| lesson | step | minutes | machine, s | words | exercises, min | left, min |"
MARK = re.compile(r"(?<=<!-- clock: by tests/course_clock.py -->\n\n).*?(?=\n\n<!-- end of clock -->)", re.DOTALL)
EXERCISE = re.compile(r"^##+ [^\n]*\((?:easy|medium|hard), (\d+) minutes\)$", re.MULTILINE)
# What nobody reads of a text: where a link leads, tags, the rule of a table.
_UNREAD = re.compile(r"\]\([^)]*\)|<[^>]+>|\|?-{3,}\|?")
_WORD = re.compile(r"[^\W_]+(?:['.,-][^\W_]+)*")


@dataclass(frozen=True)
class Step:
    """A step of a lesson in class: minutes as planned, seconds of the machine, words, minutes of its exercises."""

    lesson: str
    what: str
    minutes: int
    seconds: int
    words: int
    exercises: int

    @property
    def left(self):
        """Minutes for talk, for typing and for what goes wrong."""
        return self.minutes - self.exercises - self.words / WORDS_A_MINUTE - self.seconds / 60

    def row(self):
        """The step as a row of the table."""
        cells = (self.lesson, self.what, self.minutes, self.seconds, self.words, self.exercises, f"{self.left:.1f}")
        return f"| {' | '.join(map(str, cells))} |"


def planned():
    """The lessons that are taken in class."""
    return [path for path in SOURCES if "steps" in read(path)["metadata"]["masktune"]]


def steps(path, seconds):
    """The steps of a lesson that are taken in class; `seconds` of the machine by the id of a cell."""
    notebook = read(path)
    declared = notebook["metadata"]["masktune"]["steps"]
    begins = {begin: place for place, step in enumerate(declared) for begin in step["from"]}
    groups, place = [[] for _ in declared], None
    for cell in copies.copy(notebook, "student")["cells"]:
        place = begins.pop(cell["id"], place)
        groups[place].append(cell)
    assert not begins, f"a step begins with a cell that is not there: {begins}"
    pairs = zip(declared, groups, strict=True)
    return [_step(lesson(path), about, cells, seconds) for about, cells in pairs if about["minutes"]]


def _step(name, about, cells, seconds):
    texts = [source(cell) for cell in cells if cell["cell_type"] == "markdown"]
    declared = sum(int(minutes) for text in texts for minutes in EXERCISE.findall(text))
    return Step(
        name,
        about["what"],
        about["minutes"],
        round(sum(seconds.get(cell["id"], 0) for cell in cells)),
        sum(len(words(text)) for text in texts),
        about.get("exercises", declared),
    )


def words(text):
    """The words of a text as one reads it.

    >>> words("See [C1](C1_two_models.ipynb): *one* word, `fine_tune`, 95 %.")
    ['See', 'C1', 'one', 'word', 'fine', 'tune', '95']
    """
    return _WORD.findall(_UNREAD.sub("] ", text))


def clock(path):
    """The seconds that each cell of a teacher's copy takes the processor, one thread, by the id of the cell."""
    seconds, names = {}, {}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), look_as_it_was():
        for cell in copies.copy(read(path), "teacher")["cells"]:
            if cell["cell_type"] == "code":
                start = _processor()
                with contextlib.redirect_stdout(io.StringIO()):
                    execute(source(cell), names)
                seconds[cell["id"]] = _processor() - start
    return seconds


def _processor():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def stated():
    """(lesson, what a step is) -> its row, as the page has it."""
    rows = MARK.search(PAGE.read_text("utf-8"))[0].splitlines()[2:]
    return {tuple(row.split(" | ")[:2]): row for row in rows}


def main(chosen):
    """Clock the chosen lessons, all of the plan where none is; the rows of the others stay."""
    os.environ.setdefault("MASKTUNE_RESULTS", str(PAGE.parents[2] / "results"))
    pretrained()
    known, rows = stated(), []
    for path in planned():
        if not chosen or lesson(path) in chosen:
            rows += [step.row() for step in steps(path, clock(path))]
        else:
            rows += [row for (name, _), row in known.items() if name == f"| {lesson(path)}"]
    table = "\n".join([HEAD, "|---|---|---:|---:|---:|---:|---:|", *rows])
    PAGE.write_text(MARK.sub(lambda _: table, PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
