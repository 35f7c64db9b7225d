"""What is not declared does not run, and a design stays as it was once its first run has begun."""

import json
from pathlib import Path

import pytest

from masktune.course import declare, declared_runs
from masktune.course.declaring import FILE, parse
from masktune.course.grading import NotYetError
from masktune.course.lessons.cure import SAMPLE
from masktune.errors import MaskTuneError

OTHER = SAMPLE.replace("seeds = 7", "seeds = 8")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def stored():
    return json.loads(Path(FILE).read_text())["sample"]


def test_a_design_may_change_until_its_first_run(capsys):
    declare(SAMPLE)
    study = declare(OTHER)
    assert capsys.readouterr().out.splitlines()[1].endswith("24 runs, 2 comparisons.")
    assert stored()["text"] == OTHER and stored()["first run"] is None
    assert [(cell.method, seed) for cell, seed in declared_runs(study, "Mask-tuning")] == [
        ("mask_tuning", seed) for seed in range(8)
    ]
    began = stored()["first run"]
    assert began.startswith("20")
    assert declare(OTHER) == study and stored()["first run"] == began
    with pytest.raises(NotYetError, match="began on 20.* a name of its own"):
        declare(SAMPLE)
    assert stored()["text"] == OTHER


@pytest.mark.parametrize("before", [None, OTHER])
def test_what_is_not_declared_as_it_stands_does_not_run(before):
    if before:
        declare(before)
    with pytest.raises(NotYetError, match="not declared as it stands"):
        next(declared_runs(parse(SAMPLE), "fine-tuning"))


@pytest.mark.parametrize(
    ("text", "said"),
    [("name =", "not valid TOML"), (SAMPLE.replace("seeds = 7", "seeds = 5"), "5 paired seeds"), ("", "name")],
)
def test_what_is_no_design_is_refused(text, said):
    with pytest.raises(MaskTuneError, match=said):
        declare(text)
    assert not Path(FILE).exists()
