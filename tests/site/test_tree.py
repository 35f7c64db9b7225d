"""The pages of this checkout: every file that should be on the site is, and every link of a page leads somewhere."""

import json
from pathlib import Path

import pytest

from masktune.site import build, files, pictures, studies, tree

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True, scope="module")
def committed_results():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKTUNE_RESULTS", str(ROOT / "results"))
        yield


@pytest.fixture(scope="module")
def pages(committed_results):
    return [tree.home(), *(page for part in tree.parts(ROOT) for top in part.pages for page in top.all())]


def test_each_page_has_a_name_of_its_own(pages):
    names = [page.name for page in pages]
    assert len(names) == len(set(names))


def test_what_people_read_is_on_the_site(pages):
    shown = {page.source for page in pages}
    texts = {"README.md", "RESULTS.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md", "studies/deviations.md"}
    texts |= {"notebooks/glossary.md", "masktune/training/ARGUMENTS.md", "notebooks/cell.ipynb"}
    texts |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks/course").glob("*.md")}
    copies = [path for kind in ("student", "teacher") for path in (ROOT / "notebooks/course" / kind).glob("C*.ipynb")]
    lessons = {path.relative_to(ROOT).as_posix() for path in copies}
    executed = {path.relative_to(ROOT).as_posix() for path in (ROOT / "results").glob("*/notebooks/*.ipynb")}
    assert len(lessons) > 9 and len(executed) > 20
    assert texts | lessons | executed <= shown


def test_a_chapter_is_that_of_the_first_study_and_a_module_that_of_the_reference(pages):
    found = tree.places(ROOT, pages).pages
    assert found["notebooks/01_main_results.ipynb"] == "results/embedded/01_main_results"
    assert found["notebooks/04_baselines.ipynb"] == "results/methods/04_baselines"
    assert found["masktune/losses.py"] == "api/losses"
    assert found["results/methods"] == "results/methods/index"


@pytest.mark.slow
def test_every_page_is_written_and_no_link_of_it_leads_nowhere(tmp_path, monkeypatch):
    monkeypatch.setattr(studies, "page", lambda study, name, places, files: f"# {study}\n")
    monkeypatch.setattr(pictures, "dark_png", lambda picture: picture)
    build.write(ROOT, tmp_path / "pages", tmp_path / "files")
    home = (tmp_path / "pages" / "index.md").read_text()
    assert all(f":caption: {part.title}\n" in home for part in tree.parts(ROOT))
    chapter = (tmp_path / "pages" / "results" / "methods" / "01_main_results.md").read_text()
    title = "".join(
        json.loads((ROOT / "notebooks/01_main_results.ipynb").read_text())["cells"][0]["source"]
    ).splitlines()[0]
    assert chapter.startswith(f"{title} (Other methods in the embedded world)\n")
    assert (tmp_path / "pages" / "source" / "masktune" / "losses.py.md").is_file()
    openings = (tmp_path / "files" / "_static" / "openings.js").read_text()
    assert '"glossary": "Terms that the notebooks, tables and figures use' in openings
    assert '"source/' not in openings and "course/answers/" not in openings
    build.write(ROOT, tmp_path / "pages", tmp_path / "files")
    assert chapter == (tmp_path / "pages" / "results" / "methods" / "01_main_results.md").read_text()


def test_without_results_chapters_are_shown_as_they_were_written(monkeypatch, tmp_path):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    work = tree.parts(ROOT)[-1].pages
    assert [page.name for page in work if page.source == "notebooks/03_why.ipynb"] == ["chapters/03_why"]


def test_what_is_no_longer_shown_goes(tmp_path):
    (tmp_path / "old.svg").write_text("x")
    kept = files.Files(ROOT, tmp_path)
    kept.figure("results/embedded/figures/main.svg", "index")
    kept.remove_others()
    assert not (tmp_path / "old.svg").exists()
    assert (tmp_path / "results/embedded/figures/main-dark.svg").is_file()
