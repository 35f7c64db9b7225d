"""The report of a study: a folder of HTML that opens from a disk, a stick or a server alike.

results/<study>/report/ holds index.html (the question, the main figure, the tables, the chapters), a page for each
executed notebook, the glossary, and copies of figures/ and tables/, so that the folder may be moved as it is. Every
page links to index.html first, then to the chapters by number, then to the glossary. The executed notebooks get a copy
of the glossary too, because they link to it.
"""

import shutil
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path

from masktune import analysis
from masktune.analysis import stamps as files
from masktune.analysis.report import chapters
from masktune.analysis.report.chapters import Chapter
from masktune.study.execute import cluster
from masktune.study.paths import folder, glossary, study_file
from masktune.study.spec.load import load_study
from masktune.study.spec.study import Study


def write(study_name: str) -> Path:
    """Bring tables, figures and executed chapters up to date and write the report; returns the path of index.html.

    What was made from the same things is not made again. Raises MaskTuneError for an unknown study, one that has not
    been gathered, a notebook that stops, a folder that cannot be written.
    """
    study = load_study(study_name)
    analysis.build(study.name)
    members = chapters.of(study.name)
    _execute([chapter for chapter in members if not chapter.is_fresh])
    target = folder(study.name) / "report"
    inputs = _inputs(study_name, study, members)
    if not files.is_fresh(target / "made_from.json", inputs):
        with files.whole_folder(target) as beside:
            _write_pages(study, members, beside)
            files.stamp(beside / "made_from.json", inputs, [path for path in beside.rglob("*") if path.is_file()])
    return target / "index.html"


def _execute(stale: list[Chapter]) -> None:
    """As many chapters at a time as the machine holds cells."""
    if stale:
        with ThreadPoolExecutor(cluster.default_jobs()) as pool:
            list(pool.map(chapters.execute, stale))


def _inputs(study_name: str, study: Study, members: list[Chapter]) -> str:
    """A digest of all that the report shows."""
    stamps = [folder(study.name) / name for name in ("made_from.json", "observed_from.json")]
    return files.digest([study_file(study_name), glossary(), *stamps, *(chapter.executed for chapter in members)])


def _write_pages(study: Study, members: list[Chapter], target: Path) -> None:
    from masktune.analysis.report import pages

    for part in ("figures", "tables"):
        shutil.copytree(folder(study.name) / part, target / part)
    if members:
        shutil.copyfile(glossary(), members[0].executed.with_name("glossary.md"))
    contents = {"index.html": (study.title, _index(study, members))}
    contents |= {chapter.page: (chapter.title, pages.notebook(chapter.executed)) for chapter in members}
    contents["glossary.html"] = ("Glossary", pages.glossary(glossary()))
    links = [(title, name) for name, (title, _) in contents.items()]
    for name, (title, body) in contents.items():
        (target / name).write_text(pages.page(title, body, links, name), encoding="utf-8")


def _index(study: Study, members: list[Chapter]) -> str:
    """The body of the first page: the question, what was done, what came out, and where to read on."""
    from masktune.analysis import results
    from masktune.analysis.accuracy import text as story
    from masktune.analysis.plotting import panels
    from masktune.analysis.report import pages

    found = results.read(study.name)
    main, *others = found.tables
    drawn = found.figures()
    parts = [
        f"<h1>{escape(study.title)}</h1>",
        f'<p class="question">{escape(study.question)}</p>',
        pages.items(story.what_it_is(study, found.main, found.runs), "facts"),
        pages.picture("main", f"{main.caption} {panels.CONVENTION}", drawn["main"].alt),
        "<h2>What the numbers say</h2>",
        pages.items([*story.sentences(found.differences), *story.lopsided(found.main, found.differences)]),
    ]
    if "differences" in drawn:
        caption = found.differences_table.caption.partition(" p:")[0]
        parts.append(pages.picture("differences", f"{caption} {panels.CONVENTION}", drawn["differences"].alt))
    parts += [pages.table(table, "tables") for table in (main, *others)]
    return "\n".join([*parts, "<h2>Notebooks</h2>", pages.chapter_list(members)])
