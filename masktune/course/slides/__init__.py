"""The slides of the lessons, with what their cells show: `python -m masktune.course.slides [LESSON ...]`.

Which cells are slides stands in the sources, in the metadata that JupyterLab and nbconvert know: `slide_type` is
"slide" for a cell that begins one and "fragment" for one that stands below it; other cells are on none. Of code a
slide shows what came out; a text with several headings is several slides. The teacher's copy is executed for that, in
a folder that goes afterwards.

A deck is one page without a framework, which nothing has to be fetched for: arrows turn it, printing gives a page a
slide. nbconvert's own slides load reveal.js from a network, or from a copy that somebody has to keep.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import Any

from masktune.course import copies
from masktune.course.copies import Cell, Notebook
from masktune.errors import MaskTuneError
from masktune.files import write_file
from masktune.study.execute import execution
from masktune.study.paths import results_root

BEGINS, GOES_ON = "slide", "fragment"
_HEADING = re.compile(r"^(?=#{1,3} )", re.MULTILINE)
_TO_HEADING, _LINK = re.compile(r'<a class="anchor-link".*?</a>'), re.compile(r"</?a\b[^>]*>")
# A lesson folds what it says of a result until that is there; on its slide it is.
_FOLD = re.compile(r"</?details>|<summary>.*?</summary>")
_FORMS = ("text/html", "image/png", "text/markdown", "text/plain")  # of an output, the best first

STYLE = """
:root { color-scheme: light; --ink: #22272e; --quiet: #5d6570; --line: #dfe3e8; --accent: #c2621b; }
* { box-sizing: border-box; }
html { scroll-snap-type: y mandatory; }
body { margin: 0; color: var(--ink); background: #ffffff;
  font: clamp(18px, 2.1vw, 30px)/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
section { font-size: calc(var(--fit, 1) * 1em); min-height: 100vh; padding: 4vh 6vw;
  scroll-snap-align: start; display: flex; flex-direction: column;
  justify-content: center; border-bottom: 1px solid var(--line); overflow-x: auto; }
section > * { max-width: 100%; }
h1, h2, h3 { line-height: 1.2; margin: 0 0 .6em; }
h1 { font-size: 1.9em; } h2 { font-size: 1.5em; } h3 { font-size: 1.2em; }
p, ul, ol { margin: .4em 0; max-width: 46em; }
pre, code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85em; }
pre { white-space: pre-wrap; background: #f5f6f8; padding: .6em .8em; border-radius: 6px; }
img { max-height: calc(var(--fit, 1) * 62vh); width: auto; max-width: 100%; object-fit: contain;
  align-self: flex-start; }
table { border-collapse: collapse; font-size: .8em; margin: .4em 0; }
th, td { text-align: left !important; padding: .25em .8em .25em 0;
  border-bottom: 1px solid var(--line); vertical-align: top; }
.page { position: sticky; bottom: 1vh; align-self: flex-end; color: var(--quiet); font-size: .6em; }
@media print { section { break-after: page; min-height: 0; border: 0; } .page { display: none; } }
"""
# What is too much for the window becomes smaller, down to a size that can still be read from the last row.
TURN = """
const slides = [...document.querySelectorAll("section")];
const fit = () => slides.forEach(slide => {
  for (let size = 100; size >= 60; size -= 4) {
    slide.style.setProperty("--fit", size / 100);
    if (slide.scrollHeight <= innerHeight + 1) break;
  }
});
addEventListener("load", fit);
addEventListener("resize", fit);
const at = () => slides.reduce((best, slide, i) => Math.abs(slide.getBoundingClientRect().top) <
  Math.abs(slides[best].getBoundingClientRect().top) ? i : best, 0);
addEventListener("keydown", event => {
  const step = {ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1}[event.key];
  if (!step) return;
  event.preventDefault();
  slides[Math.max(0, Math.min(slides.length - 1, at() + step))].scrollIntoView();
});
"""


def main(arguments: list[str]) -> int:
    """Write the decks of the named lessons, of all where none is named, below notebooks/course/slides."""
    course = Path("notebooks/course").resolve()
    try:
        for source in _chosen(course, arguments):
            file = course / "slides" / f"{source.stem}.html"
            lesson = json.loads(source.read_text(encoding="utf-8"))
            write_file(file, deck(lesson, outputs(lesson)))
            print(file.relative_to(course.parents[1]), flush=True)
    except MaskTuneError as error:
        print(f"masktune: {error}", file=sys.stderr)
        return 2
    return 0


def _chosen(course: Path, names: list[str]) -> list[Path]:
    there = {source.name.partition("_")[0]: source for source in copies.lessons(course)}
    unknown = [name for name in names if name not in there]
    if unknown:
        raise MaskTuneError(f"there is no lesson {unknown[0]!r}; there are {', '.join(there)}")
    return [there[name] for name in names or there]


def outputs(lesson: Notebook) -> dict[str, list[dict[str, Any]]]:
    """What each code cell of the teacher's copy puts out, by its id: the copy is executed."""
    results = {"MASKTUNE_RESULTS": str(results_root().resolve())}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        copy, executed = Path("teacher.ipynb"), Path("executed.ipynb")
        copy.write_text(json.dumps(copies.copy(lesson, "teacher")), encoding="utf-8")
        execution.execute(copy, executed, {}, environment=results)
        cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: cell["outputs"] for cell in cells if cell["cell_type"] == "code"}


def deck(lesson: Notebook, found: dict[str, list[dict[str, Any]]]) -> str:
    """The page with the slides of a lesson; `found` are the outputs of its code cells by their ids."""
    pages: list[str] = []
    for cell in lesson["cells"]:
        kind = slide_type(cell)
        if kind in (BEGINS, GOES_ON):
            first, *others = _parts(cell, found)
            if kind == BEGINS or not pages:
                pages.append("")
            pages[-1] += first
            pages += others
    if not pages:
        raise MaskTuneError('this lesson has no slides; give cells the metadata {"slideshow": {"slide_type": "slide"}}')
    title = "".join(lesson["cells"][0]["source"]).partition("\n")[0].lstrip("# ")
    return _page(title, pages)


def slide_type(cell: Cell) -> str:
    """Where a cell stands among the slides; "skip" where its metadata says nothing."""
    return str(cell["metadata"].get("slideshow", {}).get("slide_type", "skip"))


def _parts(cell: Cell, found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A cell as HTML: its text in pieces that begin with a heading, or what came out of its code."""
    if cell["cell_type"] == "code":
        return ["".join(map(_shown, found.get(cell["id"], ())))]
    text = "".join(cell["source"])
    return [_html(part) for part in _HEADING.split(text) if part.strip()]


def _html(text: str) -> str:
    from nbconvert.filters import markdown2html

    # A slide leads nowhere: neither to its own heading nor to a notebook that is not next to it.
    return _LINK.sub("", _TO_HEADING.sub("", markdown2html(_FOLD.sub("", text))))


def _shown(output: dict[str, Any]) -> str:
    """An output as HTML; "" for what a terminal would show as an error or a bar."""
    if output["output_type"] == "stream":
        return f"<pre>{escape(_joined(output['text']))}</pre>" if output["name"] == "stdout" else ""
    data = output.get("data", {})
    form = next((form for form in _FORMS if form in data), None)
    content = _joined(data[form]) if form else ""
    if form == "image/png":
        words = escape(output.get("metadata", {}).get("image/png", {}).get("alt", "the figure of this slide"))
        return f'<img alt="{words}" src="data:image/png;base64,{content.strip()}">'
    if form == "text/markdown":
        return _html(content)
    return content if form == "text/html" else f"<pre>{escape(content)}</pre>" if content else ""


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _page(title: str, pages: list[str]) -> str:
    slides = "\n".join(
        f'<section>{page}<span class="page">{number} of {len(pages)}</span></section>'
        for number, page in enumerate(pages, start=1)
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head>\n<body>\n{slides}\n<script>{TURN}</script></body></html>\n"
    )
