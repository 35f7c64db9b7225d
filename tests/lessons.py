"""Walk through a lesson of notebooks/course as a student does: stop at each stub, try wrong answers, then go on.

A source is walked cell by cell in this process. Where it holds an exercise, the stub must stop the student, the check
must turn down each wrong answer with a sentence, and take the solution.
"""

import ast
import json
import time
from contextlib import contextmanager
from pathlib import Path

import matplotlib.pyplot
import pandas

from masktune.course import copies
from masktune.course.grading import NotYetError

COURSE = Path(__file__).parents[1] / "notebooks" / "course"
SOURCES = copies.lessons(COURSE)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


def exercises(cells):
    """(stub, solution, wrong answers, check or None) of each exercise and prediction, by the place of its last cell."""
    found, group = {}, []
    for place, cell in enumerate(cells):
        if copies.tags(cell) & {"stub", "solution", "wrong"}:
            group.append(cell)
        elif group:
            check = cell if "check" in copies.tags(cell) else None
            kinds = {
                kind: [each for each in group if kind in copies.tags(each)] for kind in ("stub", "solution", "wrong")
            }
            (stub,), (solution,) = kinds["stub"], kinds["solution"]
            found[place if check else place - 1] = (stub, solution, kinds["wrong"], check)
            group = []
    return found


def walk(path, seed=0):
    """Walk through a lesson; returns (the names at its end, the seconds of its slowest cell, those of all cells).

    The seconds are those of the processor, one thread: others may use the machine too. Predictions are stored in the
    working folder. `names["pictures"]` holds the alternative text of each figure that was shown.
    """
    cells, names, seconds = read(path)["cells"], {}, [0.0]
    groups = exercises(cells)
    inside = {id(cell) for stub, solution, wrong, check in groups.values() for cell in (stub, solution, *wrong, check)}
    with look_as_it_was():
        for place, cell in enumerate(cells):
            start = time.process_time()
            if place in groups:
                answer(*groups[place], names)
            elif cell["cell_type"] == "code" and id(cell) not in inside:
                execute(source(cell), names)
                if "parameters" in copies.tags(cell):
                    names["seed"] = seed
            seconds.append(time.process_time() - start)
        assert not matplotlib.pyplot.get_fignums(), "a figure is shown without a text: end its cell with picture(...)"
    return names, max(seconds), sum(seconds)


def answer(stub, solution, wrong, check, names):
    """An exercise: the stub stops, wrong answers are turned down, the solution goes through."""
    assert stops([stub, check], names), f"nothing stops at {source(stub)!r}"
    for each in wrong:
        execute(source(each), names)
        assert stops([check], names), f"the check takes {source(each)!r}"
    for each in (solution, check):
        if each is not None:
            execute(source(each), names)


def stops(cells, names):
    """What the first of these cells that does not run raises."""
    for cell in cells:
        if cell is not None:
            try:
                execute(source(cell), names)
            except NotYetError as error:
                return error
    return None


def execute(text, names):
    """Run a cell as a kernel does, and make a picture or a table of the value of its last line."""
    *lines, last = ast.parse(text).body
    shown = isinstance(last, ast.Expr)
    exec(compile(ast.Module(lines if shown else [*lines, last], []), "cell", "exec"), names)
    value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if shown else None
    for form in ("_repr_html_", "_repr_markdown_"):
        if hasattr(value, form):
            getattr(value, form)()
    if hasattr(value, "_repr_png_"):
        names.setdefault("pictures", []).append(value._repr_png_()[1]["alt"])


@contextmanager
def look_as_it_was():
    """Figures need no screen within the block, and what it sets for figures and tables ends with it."""
    matplotlib.use("Agg")
    with matplotlib.rc_context():
        try:
            yield
        finally:
            matplotlib.pyplot.close("all")
            pandas.reset_option("display.max_colwidth")
