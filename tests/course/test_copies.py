import json

import pytest

from masktune.course import copies
from masktune.course.__main__ import main
from masktune.errors import MaskTuneError

TAGS = ([], ["stub"], ["solution"], ["wrong"], ["check"], ["prediction", "stub"], ["prediction", "solution"])


def cell(number, tags):
    metadata = {"tags": tags} if tags else {}
    return {"cell_type": "code", "id": f"x-{number}", "metadata": metadata, "outputs": [], "source": [f"{number}"]}


@pytest.fixture
def course(tmp_path):
    folder = tmp_path / "notebooks" / "course"
    (folder / "source").mkdir(parents=True)
    lesson = {"cells": [cell(*each) for each in enumerate(TAGS)], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "source" / "C1_one.ipynb").write_text(json.dumps(lesson))
    return folder


def ids(path):
    return [each["id"] for each in json.loads(path.read_text())["cells"]]


def test_each_copy_has_its_own_cells_and_a_lesson_that_is_gone_has_none(course, capsys):
    (course / "student").mkdir()
    (course / "student" / "C9_gone.ipynb").write_text("{}")
    assert main([str(course)]) == 0
    assert capsys.readouterr().out == "2 copies written\n"
    assert ids(course / "student" / "C1_one.ipynb") == ["x-0", "x-1", "x-4", "x-5"]
    assert ids(course / "teacher" / "C1_one.ipynb") == ["x-0", "x-2", "x-4", "x-6"]
    assert [path.name for path in (course / "student").iterdir()] == ["C1_one.ipynb"]


@pytest.mark.parametrize(
    "url", ["https://github.com/some-one/mask.tune", '"https://github.com/some-one/mask.tune.git"']
)
def test_with_an_address_a_copy_begins_with_links_to_where_it_lies_and_installs_the_package(course, tmp_path, url):
    (tmp_path / "CITATION.cff").write_text(f"title: x\nrepository-code: {url}\n")
    copies.write(course)
    cells = json.loads((course / "student" / "C1_one.ipynb").read_text())["cells"]
    links, install = "".join(cells[1]["source"]), "".join(cells[2]["source"])
    assert "github/some-one/mask.tune/blob/main/notebooks/course/student/C1_one.ipynb)" in links
    assert "gh/some-one/mask.tune/HEAD?labpath=notebooks%2Fcourse%2Fstudent%2FC1_one.ipynb)" in links
    assert "git+https://github.com/some-one/mask.tune" in install
    assert cells[0]["id"] == "x-0" and len({each["id"] for each in cells}) == len(cells)


def test_without_an_address_there_are_no_links(course, tmp_path):
    (tmp_path / "CITATION.cff").write_text("url: https://example.org\n")
    assert copies.address(tmp_path / "CITATION.cff") is None
    assert copies.address(tmp_path / "none.cff") is None


def test_where_there_are_no_lessons_it_says_so(tmp_path, capsys):
    with pytest.raises(MaskTuneError, match="run this in a checkout"):
        copies.lessons(tmp_path)
    assert main([str(tmp_path)]) == 2
    assert "masktune: no lessons" in capsys.readouterr().err
