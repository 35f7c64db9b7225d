"""Links of the finished site, read from its files: each leads to a file that is there, and to a place in it."""

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

_LINKS = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src"}


def all_pages(site: Path) -> list[Path]:
    """Every page of the site, without what the theme keeps for itself."""
    return [page for page in sorted(site.rglob("*.html")) if "_static" not in page.relative_to(site).parts]


def dead_links(site: Path) -> list[str]:
    """A line for each link that leads nowhere; addresses of other sites are looked at, not visited."""
    found = []
    for page in all_pages(site):
        soup = _parsed(page)
        for tag, attribute in _LINKS.items():
            for element in soup.find_all(tag, attrs={attribute: True}):
                if problem := _problem(page, str(element[attribute])):
                    found.append(f"{page.relative_to(site)}: {problem}")
    return found


def _problem(page: Path, address: str) -> str:
    """What is wrong with an address on a page, "" if nothing."""
    parts = urlsplit(address)
    if parts.scheme in ("http", "https"):
        return "" if parts.netloc and " " not in address else f"{address} is no address"
    if parts.scheme:
        return "" if parts.scheme in ("mailto", "data") else f"{address} has a scheme that no page should have"
    target = (page.parent / unquote(parts.path)) if parts.path else page
    if not target.is_file():
        return f"{address} leads to no file"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in _places(target.resolve()):
        return f"{address} leads to no place of that page"
    return ""


@cache
def _places(page: Path) -> frozenset[str]:
    return frozenset(str(element["id"]) for element in _parsed(page).find_all(id=True))


def _parsed(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
