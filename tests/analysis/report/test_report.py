"""Chapters and report of a synthetic study: executed once, complete, nothing from the network."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from synthetic_study import make, store, with_failures

from masktune import analysis
from masktune.analysis import claims
from masktune.analysis.claims import verdicts
from masktune.analysis.report import chapters
from masktune.errors import MaskTuneError

pytestmark = pytest.mark.slow

TOML = """
name = "toy"
title = "A toy & its study"
question = "Does <it> work?"
data = "embedded"
tasks = ["paraphrase"]
seeds = 6
[models.bert]
checkpoint = "embedded:bert"
[[grid]]
label = "fine-tuning"
method = "fine_tuning"
[[grid]]
label = "Mask-tuning"
method = "mask_tuning"
"""
GLOSSARY = Path(__file__).parents[3] / "notebooks" / "glossary.md"
HOLM = "glossary.md#holm"
LOADING = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "image": "href",
    "use": "href",
}


def chapter(path, *cells, **about):
    """A notebook with a title, a parameters cell and code cells."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel, "masktune": about})
    notebook.cells = [
        nbformat.v4.new_markdown_cell(
            f"# Chapter {path.stem}\n\nIts *first* words.\n\nOthers, as [Holm]({HOLM}); [C1](course/C1.ipynb)."
        ),
        nbformat.v4.new_code_cell('study = "embedded"', metadata={"tags": ["parameters"]}),
        *(nbformat.v4.new_code_cell(cell) for cell in cells),
    ]
    nbformat.write(notebook, path)


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Path:
    """A working folder with a study of paraphrase, two chapters and a gathered result."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path / "results"))
    for name in ("studies", "notebooks"):
        (tmp_path / name).mkdir()
    (tmp_path / "studies" / "toy.toml").write_text(TOML)
    store(tmp_path / "results" / "toy", *with_failures(*make(tasks=("paraphrase",), examples=20)))
    count = "from pathlib import Path\nwith Path('executed.txt').open('a') as file:\n    file.write(study + ' ')"
    chapter(tmp_path / "notebooks" / "01_count.ipynb", count, "from IPython.display import HTML\nHTML('<b>bold</b>')")
    chapter(tmp_path / "notebooks" / "02_elsewhere.ipynb", "1 / 0", studies=["another"])
    return tmp_path


class Loads(HTMLParser):
    """Everything that a page loads, and everything that it links to."""

    def __init__(self):
        super().__init__()
        self.loaded, self.linked, self.tags = [], [], []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        if tag in LOADING and attributes.get(LOADING[tag]):
            self.loaded.append(attributes[LOADING[tag]])
        if tag == "a" and "href" in attributes:
            self.linked.append(attributes["href"])


def test_report(toy):
    index = analysis.write_report("toy")
    assert index == toy / "results" / "toy" / "report" / "index.html"
    pages = {path.name: path.read_text(encoding="utf-8") for path in index.parent.glob("*.html")}
    assert set(pages) == {"index.html", "01_count.html", "glossary.html"}
    for text in pages.values():
        check_self_contained(text, index.parent)
    check_index(pages["index.html"])
    assert "<b>bold</b>" in pages["01_count.html"] and 'href="glossary.html#holm">Holm<' in pages["01_count.html"]
    assert "; C1." in pages["01_count.html"]  # no lesson is next to a report
    assert (toy / "results" / "toy" / "notebooks" / "glossary.md").read_bytes() == GLOSSARY.read_bytes()
    check_nothing_runs_twice(toy, index)


SHOWN = """
import base64, io, sys
import pandas as pd
from IPython.display import HTML, Image, Markdown, display
from tqdm import tqdm
frame = pd.DataFrame({"method": ["a", "b"], "share": [0.5, 1.0]}).set_index("method")
display(frame, frame.style.format("{:.0%}"), Markdown("|a|b|\\n|-|-|\\n|1|2|"))
from masktune.analysis import results
from masktune.analysis.display import tokens
display(tokens(["a", "dull", "film"], ["a", "fine", "film"], [False, True, False]))
display(results.read("toy").main_table, results.read("toy").figures()["main"])
display(Image(base64.b64decode(DOT)))
for _ in tqdm(range(3)):
    pass
print("a word to the reader")
"""
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="


def test_every_page_begins_with_the_index_and_names_its_tables_and_images(toy):
    chapter(toy / "notebooks" / "09_claims.ipynb", f"DOT = {DOT!r}{SHOWN}")
    chapter(toy / "notebooks" / "00_start.ipynb")
    (toy / "studies" / "deviations.md").write_text("# Deviations log\n\n## A world\n\n|a|b|\n|-|-|\n|1|2|\n")
    index = analysis.write_report("toy")
    names = ["index.html", "00_start.html", "01_count.html", "09_claims.html", "glossary.html", "deviations.html"]
    assert {path.name for path in index.parent.glob("*.html")} == set(names)
    for name in names:
        soup = BeautifulSoup((index.parent / name).read_text(encoding="utf-8"), "html.parser")
        links = soup.select("header nav[aria-label] a")
        assert [link["href"] for link in links] == names
        assert [link["href"] for link in links if link.has_attr("aria-current")] == [name]
        check_tables(soup)
        check_images(soup)
    front = BeautifulSoup(index.read_text(encoding="utf-8"), "html.parser")
    assert front.select_one('main a[href="deviations.html"]').get_text() == "deviations log"
    soup = BeautifulSoup((index.parent / "09_claims.html").read_text(encoding="utf-8"), "html.parser")
    text = soup.select_one("main").get_text()
    assert "a word to the reader" in text and "%|" not in text and "it/s" not in text
    assert (len(soup.select("main table")), len(soup.select("main img"))) == (5, 2)


def check_tables(soup):
    assert not soup.select("main style[scoped]"), "browsers apply it to every table of the page"
    for table in soup.select("main table"):
        assert table.find(True).name == "caption" and table.caption.get_text().strip()
        assert all(head.get("scope") == "col" for head in table.select("thead th"))
        assert all(head.get("scope") == "row" for head in table.select("tbody th, tr:not(thead tr) > th"))
        (frame,) = table.find_parents(class_="scroll")
        assert (frame["tabindex"], frame["role"]) == ("0", "region") and frame["aria-label"]
    for table in soup.select("main figure.table table"):
        assert all(row.find(True).name == "th" for row in table.select("tbody tr"))


def check_images(soup):
    for image in soup.select("main img"):
        assert image["alt"] and "No description" not in image["alt"]
        frame = image.find_parent(class_=["picture", "output_png"])
        assert frame["tabindex"] == "0" and frame["aria-label"]


def test_other_studies_results_change_the_page_of_claims_alone(toy):
    chapter(toy / "notebooks" / "09_claims.ipynb", files=["{study}/tables/observations.csv"])
    analysis.write_report("toy")
    claimed, other = (
        chapters.Chapter("toy", toy / "notebooks" / name) for name in ("09_claims.ipynb", "01_count.ipynb")
    )
    assert claimed.is_fresh and other.is_fresh
    observed = toy / "results" / "toy" / "tables" / "observations.csv"
    before = observed.read_bytes()
    made = toy / "results" / "laptop" / "tables"
    made.mkdir(parents=True)
    row = {
        "claim": 1, "test": "estimate", "task": "sentiment", "model": "minilm", "set": "imdb_cad", "seeds": 5,
        "kind": "out_of_distribution", "method": "Mask-tuning", "against": "fine-tuning", "examples": 488,
        "difference": 1.5, "low": -1.0, "high": 4.0, "verdict": verdicts.NOT_TESTABLE, "reason": "an estimate",
    }  # fmt: skip
    pd.DataFrame([row], columns=claims.numbers.COLUMNS).to_csv(made / "claims.csv", index=False)
    analysis.build("toy")
    assert observed.read_bytes() != before
    assert other.is_fresh and not claimed.is_fresh


def check_self_contained(text, folder):
    page = Loads()
    page.feed(text)
    assert "script" not in page.tags
    assert not re.search(r"@import|url\(\s*['\"]?https?:", text)
    for place in page.loaded:
        assert place.startswith("data:") or (folder / place).is_file(), place
    for place, _, anchor in (link.partition("#") for link in page.linked if not link.startswith("#")):
        assert (folder / place).is_file(), place
        assert not anchor or f'id="{anchor}"' in (folder / place).read_text(encoding="utf-8"), anchor


def check_index(text):
    order = ["A toy &amp; its study", "Does &lt;it&gt; work?", "not the paper&#x27;s numbers", 'src="figures/main.svg"',
             'id="main"', 'id="differences"', 'id="failures"', 'href="01_count.html">Chapter 01_count']  # fmt: skip
    places = [text.index(part, text.index("<main>")) for part in order]
    assert places == sorted(places)
    assert "the disk is full" in text and "2 of 12 runs failed or are missing" in text
    assert "Its first words." in text and "Others" not in text


def check_nothing_runs_twice(toy, index):
    before = {path: path.stat().st_mtime_ns for path in index.parents[1].rglob("*") if path.is_file()}
    analysis.write_report("toy")
    assert before == {path: path.stat().st_mtime_ns for path in index.parents[1].rglob("*") if path.is_file()}
    assert (toy / "executed.txt").read_text() == "toy "


def test_executed_notebook_holds_no_path_or_time(toy):
    (found,) = chapters.of("toy")
    assert chapters.execute(found) and not chapters.execute(found)
    text = found.executed.read_text(encoding="utf-8")
    assert str(toy) not in text and "papermill" not in json.loads(text)["metadata"]
    assert nbformat.read(found.executed, 4).cells[-1].outputs


def test_a_chapter_that_is_executed_again_is_the_same_file(toy):
    styled = "import pandas\nfrom IPython.display import display\n" + 2 * "display(pandas.DataFrame([1]).style)\n"
    chapter(toy / "notebooks" / "01_count.ipynb", styled)
    files = []
    for _ in range(2):
        [found] = chapters.of("toy")
        assert chapters.execute(found)
        files.append(found.executed.read_text())
        found.stamp.unlink()
    assert files[0] == files[1] and "T_00000_" in files[0] and "T_00001_" in files[0]


def test_a_changed_notebook_or_result_runs_again(toy):
    (found,) = chapters.of("toy")
    chapters.execute(found)
    chapter(found.source, "2 + 2")
    (changed,) = chapters.of("toy")
    assert chapters.execute(changed)
    store(toy / "results" / "toy", *make(tasks=("paraphrase",), examples=21))
    assert not changed.is_fresh


def test_a_chapter_that_stops_is_one_line_and_leaves_the_old_one(toy):
    (found,) = chapters.of("toy")
    chapters.execute(found)
    before = found.executed.read_bytes()
    chapter(found.source, "raise ValueError('no such thing')")
    with pytest.raises(MaskTuneError) as error:
        chapters.execute(chapters.of("toy")[0])
    assert str(error.value).startswith("01_count.ipynb stopped on study 'toy': ValueError: no such thing; open it")
    assert "\n" not in str(error.value)
    assert found.executed.read_bytes() == before


def test_nothing_gathered_is_one_line(toy):
    (toy / "results" / "toy" / "runs.parquet").unlink()
    with pytest.raises(MaskTuneError, match="runs.parquet does not exist; run: python -m masktune gather toy"):
        analysis.build("toy")


def test_a_changed_glossary_is_in_the_next_report(toy):
    own = toy / "notebooks" / "glossary.md"
    for word in ("old", "new"):
        own.write_text(f'- <a id="holm"></a>**Holm**: {word}.')
        page = analysis.write_report("toy").with_name("glossary.html").read_text(encoding="utf-8")
        assert BeautifulSoup(page, "html.parser").select_one("main li").get_text() == f"Holm: {word}."
    assert (toy / "executed.txt").read_text() == "toy ", "no chapter runs again for that"


def test_where_nothing_is_done_the_report_lists_what_is_missing(toy):
    runs, predictions = make(tasks=("paraphrase",), examples=20)
    store(toy / "results" / "toy", runs.assign(status="missing"), predictions.iloc[:0])
    text = analysis.write_report("toy").read_text(encoding="utf-8")
    assert "None of the 12 runs is finished." in text and "12 of 12 runs failed or are missing." in text


def test_a_report_of_a_cell_without_runs_says_so(toy):
    """A method without finished runs on one of two models."""
    runs, predictions = make(models=("bert", "roberta"), tasks=("paraphrase",), examples=20)
    gone = (runs["label"] == "Mask-tuning") & (runs["model"] == "roberta")
    runs.loc[gone, "status"] = "missing"
    store(toy / "results" / "toy", runs, predictions[~predictions["run_id"].isin(runs.loc[gone, "run_id"])])
    text = analysis.write_report("toy").read_text(encoding="utf-8")
    said = "6 of 24 runs are not finished; no finished runs of Mask-tuning (Paraphrase, RoBERTa)."
    assert text.count(said) == 2, "the words of both figures"
    assert "6 of 24 runs failed or are missing." in text


def test_build_writes_tables_and_figures_and_mends_what_is_gone(toy):
    paths = analysis.build("toy")
    names = {path.name for path in paths}
    assert {"main.csv", "main.md", "main.tex", "differences.csv", "details.csv", "failures.csv", "seeds.csv"} <= names
    assert {"observations.csv", "observations.md", "observations.tex"} <= names
    assert {"main.svg", "main.png", "differences.svg", "differences.png"} <= names
    wanted = next(path for path in paths if path.name == "main.csv")
    before = wanted.read_bytes()
    wanted.unlink()
    analysis.build("toy")
    assert wanted.read_bytes() == before
