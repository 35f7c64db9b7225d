"""Sphinx makes pages of what the writers write: with its real configuration, on a few pages."""

import subprocess
import sys

import pytest
from bs4 import BeautifulSoup
from matplotlib.colors import to_hex

from masktune.errors import MaskTuneError
from masktune.site import build, pictures

pytest.importorskip("furo", reason="Sphinx and its theme come with `make site`")
pytest.importorskip("myst_parser")
pytestmark = pytest.mark.slow

HOME = """# Home

A word to find: zebra. See [the place](b.html#there).

| rate | points |
| --- | --- |
| 5 % | 1 |

```{toctree}
:hidden:
:caption: Learn

First </a>
/b
```
"""
SECOND = """# B

[**there**]{#there}

``````{py:function} f(x: int = 1, y: int = 2, z: tuple[int, int] = (1, 2), another: str = "one") -> int
:module: masktune.x

Text.
``````
"""
RUN = "from pathlib import Path; from masktune.site.build import _run_sphinx; _run_sphinx(*map(Path, {!r}))"


def run(folder, **pages):
    """Sphinx in a process of its own: it can be started once in each."""
    (folder / "pages").mkdir()
    for name, text in pages.items():
        (folder / "pages" / f"{name}.md").write_text(text)
    (folder / "extra").mkdir()
    (folder / "extra" / "x.svg").write_text("<svg/>")
    folders = [str(folder / name) for name in ("pages", "site", "trees", "extra")]
    return subprocess.run([sys.executable, "-c", RUN.format(folders)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    ended = run(folder, index=HOME, a="# A\n\nText.\n", b=SECOND)
    assert ended.returncode == 0, ended.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site):
    return {path.stem: BeautifulSoup(path.read_text(), "html.parser") for path in site.glob("*.html")}


def test_tables_have_heads_and_scroll(pages):
    table = pages["index"].select_one("article table")
    assert [head["scope"] for head in table.select("th")] == ["col", "col"]
    assert table.caption and table.find_parent(class_="scroll")


def test_a_reader_goes_on_and_back(pages):
    assert [link["href"] for link in pages["a"].select(".related-pages a")] == ["b.html", "index.html"]
    assert [link.get_text() for link in pages["a"].select(".sidebar-tree a")] == ["First", "B"]


def test_nothing_comes_from_elsewhere_and_the_search_needs_no_server(pages, site):
    assert "zebra" in (site / "searchindex.js").read_text()
    scripts = [script["src"] for script in pages["search"].select("script[src]")]
    assert any("search.js" in script for script in scripts)
    for page in pages.values():
        loaded = [tag.get("src") or tag.get("href") for tag in page.select("script[src], link[href], img[src]")]
        assert loaded and not [address for address in loaded if "//" in address]


def test_figures_and_tables_lie_beside_the_pages(site):
    assert (site / "x.svg").is_file()


def test_the_reference_can_be_linked_to(pages):
    assert pages["b"].select_one("#there") and pages["b"].find(id="masktune.x.f")
    assert len(pages["b"].select("dt .sig-param")) == 4
    assert pages["b"].select("dt dl") == []


def test_dark_pages_have_the_ground_that_figures_are_drawn_for(pages):
    styles = " ".join(style.get_text() for style in pages["a"].select("style"))
    assert f"--color-background-primary: {to_hex(pictures.PAPER)}" in styles


def test_what_sphinx_warns_of_is_an_error(tmp_path):
    ended = run(tmp_path, index=HOME.replace("/b\n", "/gone\n"), a="# A\n")
    assert ended.returncode == 1
    assert "Sphinx warned once, see above; mend the pages" in ended.stderr


def test_without_a_checkout_there_is_no_site(tmp_path):
    with pytest.raises(MaskTuneError, match="is no checkout of masktune"):
        build.build(tmp_path, tmp_path / "build")
