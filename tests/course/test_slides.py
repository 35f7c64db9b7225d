"""Slides of the lessons: which cells are on them, what is shown of each, and a page that needs nothing else."""

import json
import re
import subprocess

import pytest
from lessons import SOURCES, read

from masktune.course import slides
from masktune.errors import MaskTuneError
from masktune.site.check import browser


def cell(kind, place, source, slide=None, **more):
    metadata = {"slideshow": {"slide_type": slide}} if slide else {}
    return {"cell_type": kind, "id": place, "metadata": metadata | more, "source": [source]}


LESSON = {
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
    "cells": [
        cell("markdown", "a", "# C9: A lesson\n\nWhat it is about.", "slide"),
        cell("markdown", "b", "On no slide."),
        cell("markdown", "c", "[First](x.ipynb).\n\n## Second\n\nMore.", "slide"),
        cell("code", "d", "raise NotImplementedError", "slide", tags=["stub"]),
        cell("code", "e", "print(1 < 2)", "fragment"),
    ],
}
OUTPUTS = [
    ({"output_type": "stream", "name": "stdout", "text": "1 < 2"}, "<pre>1 &lt; 2</pre>"),
    ({"output_type": "stream", "name": "stderr", "text": "a bar"}, ""),
    ({"output_type": "display_data", "data": {"image/png": "QUJD\n", "text/plain": "<Figure>"}}, 'base64,QUJD">'),
    ({"output_type": "execute_result", "data": {"text/html": ["<b>", "x</b>"], "text/plain": "x"}}, "<b>x</b>"),
    ({"output_type": "execute_result", "data": {"text/markdown": "*so*"}}, "<em>so</em>"),
    ({"output_type": "execute_result", "data": {"text/plain": "'<x>'"}}, "<pre>&#x27;&lt;x&gt;&#x27;</pre>"),
]


def sections(page):
    return re.findall(r"<section>(.*?)<span", page, re.DOTALL)


def test_marked_cells_are_slides_and_each_heading_begins_one():
    first, second, third, stub = sections(slides.deck(LESSON, {"e": [OUTPUTS[0][0]]}))
    assert "C9: A lesson" in first and "What it is about" in first
    assert "First." in second and "Second" not in second
    assert "More." in third and stub == "<pre>1 &lt; 2</pre>"
    assert "On no slide" not in first + second + third + stub


@pytest.mark.parametrize(("output", "shown"), OUTPUTS)
def test_what_a_slide_shows_of_an_output(output, shown):
    *_, last = sections(slides.deck(LESSON, {"e": [output]}))
    assert (shown in last) if shown else last == ""


def test_what_a_lesson_folds_is_open_on_its_slide():
    text = "<details>\n<summary><b>Once you have run it</b></summary>\n\nIt *fell*.\n\n</details>"
    page = slides.deck({"cells": [cell("markdown", "a", text, "slide")]} | {"metadata": {}}, {})
    (only,) = sections(page)
    assert "It <em>fell</em>." in only and "details" not in only and "Once" not in only


@pytest.mark.slow
def test_what_is_too_much_for_a_window_becomes_smaller_until_it_fits(tmp_path):
    if browser.find() is None:
        pytest.skip("there is no Chromium")
    rows = "".join(f"<tr><td>a row of a long table, {number}</td></tr>" for number in range(16))
    table = {"output_type": "execute_result", "data": {"text/html": f"<table>{rows}</table>"}}
    page = slides.deck(LESSON, {"e": [table]})
    tell = (
        "<script>addEventListener('load', () => document.body.append(slides.map(s => s.offsetHeight).join()))</script>"
    )
    (tmp_path / "deck.html").write_text(page.replace("</body>", f"{tell}</body>"))
    command = [
        browser.find(),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=1280,860",
        "--dump-dom",
    ]
    shown = subprocess.run([*command, (tmp_path / "deck.html").as_uri()], capture_output=True, text=True, timeout=120)
    heights = [int(each) for each in re.search(r"([\d,]+)</body>", shown.stdout)[1].split(",")]
    assert len(set(heights)) == 1, heights


def test_a_page_fetches_nothing():
    assert re.findall(r'(?:src|href)="(?!data:)|url\(|@import|https?:', slides.deck(LESSON, {})) == []


def test_a_lesson_without_slides_and_a_lesson_that_is_not_there_are_refused(capsys):
    with pytest.raises(MaskTuneError, match="has no slides"):
        slides.deck({"cells": [cell("markdown", "a", "# C9")]}, {})
    assert slides.main(["C99"]) == 2
    assert "there is no lesson 'C99'; there are C1, " in capsys.readouterr().err


@pytest.mark.slow
def test_the_teachers_copy_is_executed_for_what_its_cells_put_out():
    assert slides.outputs(json.loads(json.dumps(LESSON)))["e"][0]["text"] in ("True\n", ["True\n"])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_slides_of_a_lesson_begin_with_its_title_and_ask_its_predictions_before_they_answer(path):
    cells = read(path)["cells"]
    kinds = [slides.slide_type(each) for each in cells]
    shown = [each for each, kind in zip(cells, kinds, strict=True) if kind != "skip"]
    if not shown:
        pytest.skip("a lesson that nobody shows on slides")
    assert kinds[0] == slides.BEGINS and set(kinds) <= {slides.BEGINS, slides.GOES_ON, "skip"}
    assert not any(slides.copies.tags(each) for each in shown)
    asked = sum("**Predict before you run" in "".join(each["source"]) for each in shown)
    assert asked >= 1
