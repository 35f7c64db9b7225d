"""The pages of the report as HTML text. A page holds all it needs: no script, nothing from a network."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from masktune.analysis.report import stylesheet
from masktune.analysis.report.chapters import Chapter
from masktune.analysis.table import Table, html
from masktune.own.report.frame import page as framed
from masktune.own.report.frame import scroll_frame

_FOOTER = "Made by masktune from stored runs. A Mask-tuning study (arXiv 2307.10457)."
# A frame that scrolls on a phone, and that the keyboard has to reach for that.
_REACHED = 'tabindex="0" role="group" aria-label="Figure"'
_NO_ALT = "No description has been provided for this image"  # what nbconvert writes where an image has none


def page(title: str, body: str, links: Iterable[tuple[str, str]], here: str) -> str:
    """A whole page: navigation with (title, file) links, of which `here` is the current one, and the body."""
    navigation = "\n".join(
        f'<a href="{escape(target)}"{" aria-current=page" if target == here else ""}>{escape(name)}</a>'
        for name, target in links
    )
    header = f'<nav aria-label="Pages of the report">\n{navigation}\n</nav>'
    return framed(title, body, stylesheet.css(), header, _FOOTER)


def table(table: Table, files: str = "") -> str:
    """A table with its caption and, where `files` names their folder, links to CSV, Markdown and LaTeX."""
    links = ", ".join(f'<a href="{files}/{table.name}.{suffix}">{suffix}</a>' for suffix in ("csv", "md", "tex"))
    downloads = f'<p class="downloads">Files: {links}</p>' if files else ""
    return html(table) + downloads


def picture(name: str, caption: str, alt: str) -> str:
    """A figure as SVG, from a file next to the page, with links to both files."""
    links = f'<a href="figures/{name}.svg">SVG</a>, <a href="figures/{name}.png">PNG</a>'
    return (
        f'<figure><div class="picture" {_REACHED}><img src="figures/{name}.svg" alt="{escape(alt)}"></div>'
        f"<figcaption>{escape(caption)} {links}.</figcaption></figure>"
    )


def items(sentences: Iterable[str], kind: str = "") -> str:
    """A list of sentences."""
    return f'<ul class="{kind}">' + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"


def chapter_list(chapters: Iterable[Chapter]) -> str:
    """Links to the page of each chapter, with the first words of the notebook."""
    rows = (
        f'<li><a href="{escape(chapter.page)}">{escape(chapter.title)}</a><p>{escape(_opening(chapter))}</p></li>'
        for chapter in chapters
    )
    return f'<ol class="chapters">{"".join(rows)}</ol>'


def _opening(chapter: Chapter) -> str:
    """The first paragraph below the title."""
    text = "".join(chapter.notebook["cells"][0]["source"])
    paragraphs = [lines.strip() for lines in text.split("\n\n") if lines.strip() and not lines.startswith("#")]
    return " ".join(paragraphs[0].split()).replace("*", "").replace("`", "") if paragraphs else ""


def notebook(path: Path) -> str:
    """The body of an executed notebook: text, code and outputs by nbconvert's basic template, made accessible."""
    import nbformat
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic", sanitize_html=False, exclude_input_prompt=True, exclude_output_prompt=True
    )
    body, _ = exporter.from_notebook_node(nbformat.read(path, as_version=4))
    return make_accessible(_within_the_report(body))


def markdown(path: Path) -> str:
    """The body of a Markdown file: the glossary, the deviations log."""
    from nbconvert.filters import markdown2html

    return make_accessible(_within_the_report(markdown2html(path.read_text(encoding="utf-8"))))


def _within_the_report(body: str) -> str:
    """The same HTML; a link to the glossary gets the name of its page, of a link to a lesson its words remain."""
    soup = BeautifulSoup(body, "html.parser")
    for link in soup.select('a[href^="glossary.md"]'):
        link["href"] = str(link["href"]).replace("glossary.md", "glossary.html", 1)
    for lesson in soup.select('a[href^="course/"]'):  # a report has no notebooks next to it
        lesson.unwrap()
    return str(soup)


def make_accessible(body: str) -> str:
    """The same HTML, with a name for every table and image.

    A table gets scopes on its heads, a caption and a frame, an image an alternative text. What has no title takes the
    heading above it: tables of pandas and of Markdown know none.
    """
    soup = BeautifulSoup(body, "html.parser")
    for own in soup.select("a.anchor-link, style[scoped]"):  # links nobody sees, and pandas' style for its own table
        own.decompose()
    heading = ""
    for element in soup.select("h1, h2, h3, h4, table, img"):
        if element.name == "table":
            _name_table(soup, element, heading)
        elif element.name == "img":
            if element.get("alt", "") in ("", _NO_ALT):
                element["alt"] = f"Figure: {heading}"
        else:
            heading = "".join(
                text for text in element.strings if text.parent not in element.select("a.headerlink")
            ).strip()
    for figure in soup.select(".output_png"):
        figure.attrs |= {"tabindex": "0", "role": "group", "aria-label": "Figure"}
    return str(soup)


def _name_table(soup: BeautifulSoup, table: Tag, heading: str) -> None:
    """Heads, caption and frame for one table that lacks them."""
    for head in table.select("th:not([scope])"):
        head["scope"] = "col" if head.find_parent("thead") else "row"
    caption = table.caption
    if caption is None:
        caption = soup.new_tag("caption", string=heading)
        table.insert(0, caption)
    if caption.get_text() == heading:
        caption["class"] = "heard"  # it is seen above
    if table.find_parent(class_="scroll") is None:
        (frame,) = BeautifulSoup(scroll_frame("", heading), "html.parser").find_all("div")
        table.wrap(frame)
