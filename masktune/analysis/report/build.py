"""The report of a study: a folder of HTML that opens from a disk, a stick or a server alike.

results/<study>/report/ holds index.html (the question, the main figure, the tables, the chapters), a page for each
executed notebook, the glossary, and copies of figures/ and tables/, so that the folder may be moved as it is. Every
page links to index.html first, then to the chapters by number, then to the glossary and, where there is one, to the log
of deviations from what was declared. The executed notebooks get a copy
of the glossary too, because they link to it.
"""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from masktune.analysis import results, stamps
from masktune.analysis.report import chapters, contents, pages
from masktune.analysis.report.chapters import Chapter
from masktune.study.design.load import load_study
from masktune.study.design.study import Study
from masktune.study.execute import cluster
from masktune.study.paths import deviations, folder, glossary, study_file


def write(study_name: str, preload: Sequence[str] = ()) -> Path:
    """Bring tables, figures and executed chapters up to date and write the report; returns the path of index.html.

    What was made from the same things is not made again. `preload` names modules that kernels find imported. Raises
    MaskTuneError for an unknown study, one that has not been gathered, a notebook that stops, a folder that cannot be
    written.
    """
    study = load_study(study_name)
    results.build(study.name)
    members = chapters.of(study.name)
    _execute([chapter for chapter in members if not chapter.is_fresh], preload)
    target = folder(study.name) / "report"
    inputs = _inputs(study_name, study, members)
    if not stamps.is_fresh(target / "made_from.json", inputs):
        with stamps.whole_folder(target) as new:
            _write_pages(study, members, new)
            stamps.stamp(new / "made_from.json", inputs, [path for path in new.rglob("*") if path.is_file()])
    return target / "index.html"


def _execute(stale: list[Chapter], preload: Sequence[str]) -> None:
    """As many chapters at a time as the machine holds cells."""
    if stale:
        with ThreadPoolExecutor(cluster.default_jobs()) as pool:
            list(pool.map(lambda chapter: chapters.execute(chapter, preload), stale))


def _inputs(study_name: str, study: Study, members: list[Chapter]) -> str:
    """A digest of all that the report shows."""
    made_from = [folder(study.name) / name for name in ("made_from.json", "observed_from.json")]
    texts = [study_file(study_name), glossary(), deviations(study_name)]
    return stamps.digest([*texts, *made_from, *(chapter.executed for chapter in members)])


def _write_pages(study: Study, members: list[Chapter], target: Path) -> None:
    for name in ("figures", "tables"):
        shutil.copytree(folder(study.name) / name, target / name)
    if members:
        shutil.copyfile(glossary(), members[0].executed.with_name("glossary.md"))
    contents = {"index.html": (study.title, _index(study, members))}
    contents |= {chapter.page: (chapter.title, pages.notebook(chapter.executed)) for chapter in members}
    contents["glossary.html"] = ("Glossary", pages.markdown(glossary()))
    if (log := deviations(study.name)).is_file():
        contents["deviations.html"] = ("Deviations", pages.markdown(log))
    links = [(title, name) for name, (title, _) in contents.items()]
    for name, (title, body) in contents.items():
        (target / name).write_text(pages.page(title, body, links, name), encoding="utf-8")


def _index(study: Study, members: list[Chapter]) -> str:
    """The body of the first page: the question, what was done, what came out, and where to read on."""
    parts = [section.html for section in contents.sections(study)]
    return "\n".join([*parts, "<h2>Notebooks</h2>", pages.chapter_list(members)])
