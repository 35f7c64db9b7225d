"""Which pages the site has, in which order, and which file each shows."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from masktune.analysis.report import chapters
from masktune.analysis.report.chapters import Chapter
from masktune.analysis.summary.records import ORDER
from masktune.site import markdown, notebook, studies
from masktune.site.files import Files
from masktune.site.links import Places
from masktune.site.reference import modules
from masktune.study import paths
from masktune.study.design.load import load_study

COURSE = "notebooks/course"
CELL = "notebooks/cell.ipynb"
# From the first page: a title, what for, where to.
WAYS = (
    ("Learn", "Lessons that train in seconds: predict, run, check", "course/index.html"),
    ("See the results", "What came out, study by study, with intervals", "results/index.html"),
    ("Use it", "Your own model or file, in one line or one command", "#mask-tune-your-own-model"),
    ("Look it up", "Every method, loss and statistic, with an example", "api/index.html"),
)
REPOSITORY = ("ARCHITECTURE", "CONTRIBUTING", "CHANGELOG")


@dataclass(frozen=True)
class Page:
    """A page: its name, the file that it shows ("" where it shows none), how it is written, what stands below it.

    `short` is its title in the navigation where its own is long.
    """

    name: str
    source: str
    write: Callable[["Page", Places, Files], str]
    below: tuple["Page", ...] = ()
    short: str = ""

    def all(self) -> Iterator["Page"]:
        """This page and all below it."""
        yield self
        for page in self.below:
            yield from page.all()


@dataclass(frozen=True)
class Part:
    """A part of the navigation: a heading and the pages below it."""

    title: str
    pages: tuple[Page, ...]


def home() -> Page:
    """The first page: README, and where to go from it."""

    def write(page: Page, places: Places, files: Files) -> str:
        text = (places.root / page.source).read_text(encoding="utf-8")
        first, _, rest = markdown.page(
            text, page.source, page.name, places, files.figures_of(page.source, "")
        ).partition("\n\n")
        return "\n\n".join([first, markdown.raw(_ways()), rest])

    return Page("index", "README.md", write)


def _ways() -> str:
    links = (f'<a href="{address}"><b>{title}</b>{words}</a>' for title, words, address in WAYS)
    return f'<div class="ways">{"".join(links)}</div>'


def parts(root: Path) -> list[Part]:
    """The parts of the site of a checkout."""
    stored = [study for study in (*ORDER, *sorted(set(paths.studies()) - set(ORDER))) if _is_stored(study)]
    learn = (_course(root), _text("notebooks/glossary.md", "glossary"))
    use = (_reference(), _text("masktune/training/ARGUMENTS.md", "arguments", short="Trainer's arguments"))
    work = (
        *(_text(f"{name}.md", name.lower()) for name in REPOSITORY),
        _notebook(CELL, "cell"),
        *_not_executed(stored),
    )
    return [Part("Learn", learn), Part("Results", _results(stored)), Part("Use", use), Part("Work on it", work)]


def places(root: Path, pages: list[Page]) -> Places:
    """Where each file is shown; a chapter in the study that comes first, a module of the library in the reference."""
    found = {page.source: page.name for page in reversed(pages) if page.source}
    for page in reversed(pages):
        if page.source.startswith("results/") and page.source.endswith(".ipynb"):
            found[f"notebooks/{Path(page.source).name}"] = page.name
    for kind, name in (("student", "course/index"), ("teacher", "course/answers")):
        found[f"{COURSE}/{kind}"] = name
    found |= {"results": "results/index", "notebooks": "results/embedded/index"}
    return Places(root, found)


# ---- pages of files


def _text(source: str, name: str, below: tuple[Page, ...] = (), short: str = "") -> Page:
    def write(page: Page, places: Places, files: Files) -> str:
        text = (places.root / source).read_text(encoding="utf-8")
        return markdown.page(text, source, name, places, files.figures_of(source, name))

    return Page(name, source, write, below, short)


def _notebook(source: str, name: str) -> Page:
    def write(page: Page, places: Places, files: Files) -> str:
        return notebook.page(_read(places.root / source), notebook.Context(source, name, places, files))

    return Page(name, source, write)


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


# ---- the course


def _course(root: Path) -> Page:
    """Where to start, the lessons as students get them, other pages of the course, and the lessons with solutions."""
    folder = root / COURSE
    texts = (path for path in sorted(folder.glob("*.md")) if path.name != "README.md")
    below = (
        *(_notebook(f"{COURSE}/student/{path.name}", f"course/{path.stem}") for path in _lessons(folder / "student")),
        *(_text(f"{COURSE}/{path.name}", f"course/{path.stem.lower()}") for path in texts),
        _answers(folder / "teacher"),
    )
    return _text(f"{COURSE}/README.md", "course/index", below)


def _solved(lesson: Page) -> Page:
    """The page of a lesson with solutions: its title says so, and the search finds the lesson alone."""

    def write(page: Page, places: Places, files: Files) -> str:
        first, _, rest = lesson.write(page, places, files).partition("\n")
        return f"---\nnosearch: true\n---\n\n{first} (solved)\n{rest}"

    return replace(lesson, write=write)


def _answers(folder: Path) -> Page:
    lessons = tuple(
        _solved(_notebook(f"{COURSE}/teacher/{path.name}", f"course/answers/{path.stem}")) for path in _lessons(folder)
    )

    def write(page: Page, places: Places, files: Files) -> str:
        titles = (
            f"- [{_title(_read(places.root / lesson.source))}](answers/{Path(lesson.name).name}.html)"
            for lesson in lessons
        )
        return "\n".join(
            ["# Lessons with solutions", "", "The teacher's copies: each exercise is solved.", "", *titles, ""]
        )

    return Page("course/answers", "", write, lessons)


def _lessons(folder: Path) -> list[Path]:
    return sorted(folder.glob("C*.ipynb"))


def _title(read: dict) -> str:
    """The first heading of a notebook."""
    return "".join(read["cells"][0]["source"]).splitlines()[0].lstrip("# ")


# ---- results


def _results(stored: list[str]) -> tuple[Page, ...]:
    """What holds of all studies, the claims, every study with stored results, and the log of deviations."""
    overall = _text("RESULTS.md", "results/index", short="All studies")
    claims = Page("results/claims", "", lambda page, places, files: studies.claims(stored), short="Claims")
    log = _text("studies/deviations.md", "results/deviations")
    return (overall, claims, *(_study(study) for study in stored), log)


def _not_executed(stored: list[str]) -> list[Page]:
    """Chapters that no stored study has, as their authors wrote them."""
    there = {chapter.source.name for study in stored for chapter in chapters.of(study) if chapter.executed.is_file()}
    names = [path.name for path in paths.chapters() if path.name not in there]
    return [_notebook(f"notebooks/{name}", f"chapters/{Path(name).stem}") for name in names]


def _is_stored(study: str) -> bool:
    return (paths.folder(study) / "runs.parquet").is_file() and (paths.folder(study) / "figures").is_dir()


def _study(study: str) -> Page:
    name = f"results/{study}/index"
    members = tuple(_chapter(chapter) for chapter in chapters.of(study) if chapter.executed.is_file())
    return Page(name, f"results/{study}", lambda page, places, files: studies.page(study, name, places, files), members)


def _chapter(chapter: Chapter) -> Page:
    """A chapter as it was executed on a study. Its title names the study, because other studies have it too."""
    name, title = f"results/{chapter.study}/{chapter.source.stem}", load_study(chapter.study).title

    def write(page: Page, places: Places, files: Files) -> str:
        context = notebook.Context(f"notebooks/{chapter.source.name}", name, places, files)
        text = notebook.page(_read(chapter.executed), context)
        return text.replace(f"# {chapter.title}\n", f"# {chapter.title} ({title})\n", 1)

    return Page(name, f"results/{chapter.study}/notebooks/{chapter.source.name}", write, short=chapter.title)


# ---- the reference


def _reference() -> Page:
    index = modules.Index()
    pages = {module: _module(module, index) for module in modules.names()}
    below = {top: tuple(page for name, page in pages.items() if name.startswith(f"{top}.")) for top in modules.TOP[1:]}
    tops = tuple(
        Page(pages[top].name, pages[top].source, pages[top].write, below.get(top, ()), top) for top in modules.TOP
    )
    return Page("api/index", "", lambda page, places, files: modules.overview(index), tops, "Reference")


def _module(module: str, index: modules.Index) -> Page:
    file = modules.file_of(module)

    def write(page: Page, places: Places, files: Files) -> str:
        return modules.page(module, index, places.source(file, page.name))

    return Page(modules.page_name(module), file, write, short=module.rpartition(".")[2])
