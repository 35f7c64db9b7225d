"""The glossary: one entry a term, in order, every method in it, and every chapter links to it."""

import json
import re
from pathlib import Path

import pytest

from masktune import methods

FOLDER = Path(__file__).parents[2] / "notebooks"
GLOSSARY = (FOLDER / "glossary.md").read_text(encoding="utf-8")
ENTRIES = re.findall(r'^- <a id="([a-z0-9-]+)"></a>\*\*(.+?)\*\*: (.+?)(?=\n- |\Z)', GLOSSARY, re.DOTALL | re.MULTILINE)
CHAPTERS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))


def test_every_item_is_an_entry_with_an_anchor_of_its_own_in_alphabetical_order():
    anchors, terms = [anchor for anchor, _, _ in ENTRIES], [term for _, term, _ in ENTRIES]
    assert len(ENTRIES) == GLOSSARY.count("\n- ") > 50
    assert len(set(anchors)) == len(anchors)
    assert terms == sorted(terms, key=str.lower)


def test_an_entry_is_short_and_ends_as_a_sentence_does():
    assert [term for _, term, text in ENTRIES if len(text.split()) > 50 or not text.rstrip().endswith(".")] == []


def test_every_method_has_an_entry():
    terms = {term for _, term, _ in ENTRIES}
    assert [method.label for method in methods.METHODS.values() if method.label not in terms] == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_opens_with_links_to_the_lesson_and_the_entries_that_teach_its_terms(path):
    first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
    links = re.findall(r"\]\(([^)]+)\)", "".join(first["source"]))
    lessons = [link for link in links if link.startswith("course/student/")]
    assert "glossary.md" in links and lessons
    assert [link for link in lessons if not (FOLDER / link).is_file()] == []
    anchors = {anchor for anchor, _, _ in ENTRIES}
    others = [link.removeprefix("glossary.md").removeprefix("#") for link in links if link not in lessons]
    assert [link for link in others if link not in {"", *anchors}] == []
