"""The lessons of notebooks/course: the common frame, their copies, and every exercise, in a training of two steps.

That each lesson shows what it says, in the time that it says, takes minutes: tests/course_whole.py, `make lessons`.
"""

import math
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
import synthetic_study
import transformers
from lessons import COURSE, SOURCES, exercises, read, source, walk
from repository.conftest import committed_files, committed_text
from transformers import TrainingArguments

from masktune.course import copies, training
from masktune.own import seed, starts
from masktune.pretraining import small_models

EXERCISE = re.compile(r"^##+ (?:Exercise \d|Your ten)[^\n]*\((easy|medium|hard), (\d+) minutes\)$", re.MULTILINE)
ANCHORS = set(re.findall(r'<a id="([a-z0-9-]+)">', (COURSE.parent / "glossary.md").read_text(encoding="utf-8")))


def text_of(path):
    return "\n\n".join(source(cell) for cell in read(path)["cells"] if cell["cell_type"] == "markdown")


def test_the_copies_are_as_generated():
    repository = copies.address(COURSE.parents[1] / "CITATION.cff")
    made = {path: text for lesson in SOURCES for path, text in copies.copies(lesson, repository).items()}
    there = {path for kind in copies.LEFT_OUT for path in (COURSE / kind).glob("*.ipynb")}
    assert there == set(made)
    assert [path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text] == [], "make course"


def test_lessons_and_copies_are_committed_as_notebooks_without_outputs():
    paths = [path for path in committed_files() if re.fullmatch(r"notebooks/course/\w+/.*\.ipynb", path)]
    assert len(paths) == 3 * len(SOURCES)
    for path in paths:
        notebook = nbformat.reads(committed_text(path), as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
        assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_lesson_has_the_common_frame(path):
    text, about = text_of(path), read(path)["metadata"]["masktune"]
    assert text.startswith(f"# {about['lesson']}: ") and path.stem.startswith(f"{about['lesson']}_")
    assert all(f"| **{row}** |" in text for row in ("Goal", "You need", "Time"))
    assert f"| {about['minutes']} minutes;" in text
    asked = EXERCISE.findall(text)
    assert 3 <= len(asked) <= 6
    assert sum(int(minutes) for _, minutes in asked) <= about["minutes"]
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[-2:] == ["Take-away", "What this does not show"]
    assert re.findall(r"^(\d)\. ", text.partition("## Take-away")[2], re.MULTILINE) == ["1", "2", "3"]
    assert "**The evidence" in text.rpartition("\n\n")[2]
    assert about["surprises"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_each_exercise_has_a_check_and_wrong_answers_and_each_prediction_is_scored_after_it(path):
    cells = read(path)["cells"]
    code = "\n".join(source(cell) for cell in cells)
    predictions = 0
    for stub, solution, wrong, check in exercises(cells).values():
        if check is None:
            asked = [
                re.findall(r'predict\("([^"]+)", (.+?)(?:, choices)?\)', source(cell)) for cell in (stub, solution)
            ]
            assert [question for question, _ in asked[0]] == [question for question, _ in asked[1]]
            assert {answer for _, answer in asked[0]} == {"..."} and "..." not in {answer for _, answer in asked[1]}
            assert "prediction" in copies.tags(stub) & copies.tags(solution)
            predictions += len(asked[0])
        else:
            assert 2 <= len(wrong) <= 4
            named = set(re.findall(r"^(?:def (\w+)|(\w+) = )", source(stub), re.MULTILINE))
            assert named and all(name in code for pair in named for name in pair)
    assert predictions >= 2
    assert code.count("score(") >= 2 and code.index("predict(") < code.index("score(")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_nothing_tells_what_comes_out_before_it_was_run(path):
    """The order is question, prediction, experiment, score; what is said of a result is folded, for a page shows all.

    A text that begins with a heading goes on to something else.
    """
    cells = copies.copy(read(path), "student")["cells"]
    asked = [place for place, cell in enumerate(cells) if "prediction" in copies.tags(cell)]
    assert asked
    for place in asked:
        assert "**Predict before you run" in source(cells[place - 1])
        assert cells[place + 1]["cell_type"] == "code" or source(cells[place + 1]).startswith("## ")
        for question in re.findall(r'predict\("([^"]+)"', source(cells[place])):
            scored = next(at for at, cell in enumerate(cells) if at > place and _scores(source(cell), question))
            after = next(source(cell) for cell in cells[scored + 1 :] if cell["cell_type"] == "markdown")
            assert after.startswith(("<details>\n<summary>", "## ", "### ")), after


def _scores(code, question):
    """Whether a cell scores a prediction: the question, or the pattern of it, stands in a call of `score`."""
    scored = re.findall(r'score\(\s*f?"([^"]+)"', code)
    return any(re.fullmatch(re.sub(r"\\{\w+\\}", ".+", re.escape(each)), question) for each in scored)


@pytest.mark.parametrize("path", [*SOURCES, COURSE / "README.md"], ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8") if path.suffix == ".md" else text_of(path)
    links = re.findall(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)", text)
    assert links
    for target, anchor in links:
        assert target == "" or (path.parent / target).exists(), target
        assert not anchor or not target.endswith("glossary.md") or anchor in ANCHORS, anchor


def test_the_opening_page_has_every_lesson_with_its_minutes():
    page = (COURSE / "README.md").read_text(encoding="utf-8")
    for path in SOURCES:
        about = read(path)["metadata"]["masktune"]
        assert f"| [{about['lesson']}](student/{path.name}) |" in page
        assert re.search(rf"\({re.escape(f'student/{path.name}')}\) \|[^\n]*\| {about['minutes']} \|", page)
    assert f"| {sum(read(path)['metadata']['masktune']['minutes'] for path in SOURCES)} in all |" in page


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Pre-training and fine-tuning of two steps each, and made-up results of the study that a lesson reads."""
    results = tmp_path_factory.mktemp("results")
    named = ("fine-tuning", "Mask-tuning, mean over all tokens", "fine-tuning, cue-free")
    methods = [(label, "fine_tuning", {}, math.nan, math.nan) for label in named]
    made = synthetic_study.make(models=("bert",), tasks=("paraphrase",), methods=methods, seeds=1, examples=24)
    synthetic_study.store(results / "embedded", *made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKTUNE_RESULTS", str(results))
        patch.setenv("MASKTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setitem(small_models.RECIPES, "bert", replace(small_models.RECIPES["bert"], steps=2))
        patch.setattr(starts, "RECIPE", replace(starts.RECIPE, steps=2))
        for module in (training, seed, transformers):
            patch.setattr(module, "TrainingArguments", two_steps)
        yield


def two_steps(*folder, **own):
    return TrainingArguments(*folder, **{**own, "max_steps": 2, "logging_steps": 1})


# C6 and C7 run studies of their own: with the proofs.
LONG = ("C6", "C7")
WALKED = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.proof] if path.stem.startswith(LONG) else [])
    for path in SOURCES
]


@pytest.mark.slow
@pytest.mark.parametrize("path", WALKED)
def test_a_student_is_stopped_at_each_stub_and_helped_past_wrong_answers(path, short, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, _, _ = walk(path)
    assert names["seed"] == 0
    code = "\n".join(source(cell) for cell in read(path)["cells"] if cell["cell_type"] == "code")
    alts = names.get("pictures", [])
    assert len(alts) == len(re.findall(r"^ *(?:return )?picture\($", code, re.MULTILINE))
    assert [alt for alt in alts if len(re.findall(r"\d", alt)) < 2] == [], "a text says what is found, with numbers"
    assert Path("predictions.json").is_file()
