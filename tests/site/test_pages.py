import pytest

from masktune.site.check import pages


@pytest.fixture
def site(tmp_path):
    (tmp_path / "index.html").write_text(
        '<a href="b.html#there">1</a><a href="#here">2</a><p id="here"></p><a href="https://a.org/x">3</a>'
        '<img src="data:,"><a href="b.html?q=1">4</a>'
    )
    (tmp_path / "b.html").write_text('<i id="there"></i>')
    return tmp_path


def test_nothing_is_said_of_links_that_lead_somewhere(site):
    assert pages.dead_links(site) == []


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ('<a href="c.html">', "c.html leads to no file"),
        ('<a href="b.html#gone">', "b.html#gone leads to no place"),
        ('<img src="c.svg">', "c.svg leads to no file"),
        ('<a href="#gone">', "#gone leads to no place"),
        ('<a href="https:///x">', "https:///x is no address"),
        ('<a href="file:///tmp/x">', "has a scheme"),
        ('<script src="gone.js"></script>', "gone.js leads to no file"),
    ],
)
def test_a_dead_link_is_named_with_its_page(site, html, problem):
    (site / "bad.html").write_text(html)
    [found] = pages.dead_links(site)
    assert found.startswith("bad.html: ") and problem in found
