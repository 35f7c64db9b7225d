"""What Sphinx's pages lack: names and heads of tables, frames that scroll, texts of images. An extension of Sphinx."""

from typing import Any

from bs4 import BeautifulSoup

from masktune.analysis.report.pages import make_accessible

_AFTER_THE_THEME = 900
_LONG = 32  # characters that stay on one line of a cell


def setup(app: Any) -> dict[str, Any]:
    """What Sphinx calls. With another value of `finish`, a digest of this code, it writes all pages again."""
    app.add_config_value("finish", "", "html")
    app.connect("html-page-context", _finish, priority=_AFTER_THE_THEME)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _finish(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Change what the theme puts into a page."""
    if "body" in context:
        context["body"] = body(context["body"])
    if "furo_navigation_tree" in context:
        context["furo_navigation_tree"] = navigation(context["furo_navigation_tree"])


def body(html: str) -> str:
    """The body of a page. Code that is wider than a phone scrolls, and the keyboard has to reach it for that."""
    soup = BeautifulSoup(make_accessible(html), "html.parser")
    for code in soup.select("pre"):
        code["tabindex"] = "0"
    for parameters in soup.select("dt.sig dl, dt.sig dd"):  # Sphinx has a list of definitions in a term, which is none
        parameters.name = "span"
    for widths in soup.select("table.docutils colgroup"):  # all the same, whatever a column holds
        widths.decompose()
    for cell in soup.select("table.docutils :is(td, th)"):
        if len(cell.get_text()) > _LONG:
            cell["class"] = " ".join([*cell.get_attribute_list("class"), "long"])
    return str(soup)


def navigation(html: str) -> str:
    """The list of pages, whose headings say how deep they are."""
    return html.replace('role="heading"', 'role="heading" aria-level="2"')
