import json
from pathlib import Path

import pytest

from masktune.course import predict, score
from masktune.course.grading import NotYetError
from masktune.course.predictions import FILE
from masktune.errors import MaskTuneError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_prediction_is_stored_before_it_is_scored_and_stays_once_the_result_is_known(capsys):
    predict("gain", 10)
    predict("gain", 20)  # nothing has been seen yet
    score("gain", 12.345)
    predict("gain", 12.3)
    score("gain", 30)
    assert json.loads(Path(FILE).read_text()) == {"gain": {"predicted": 20, "found": 30.0}}
    said = capsys.readouterr().out.splitlines()
    assert said[2] == "gain: you predicted 20, found 12.3: 7.7 too high."
    assert said[3] == "You have seen the result: your prediction 20 stays."
    assert said[4] == "gain: you predicted 20, found 30.0: 10 too low."


@pytest.mark.parametrize(
    ("predicted", "found", "said"),
    [
        (5, 5.004, "found 5.0: exact"),
        (0.9, 0.97, "found 0.97: 0.07 too low"),
        ("cue", "cue", "found cue: right"),
        ("cue", "label", "found label: not what happened"),
        (0.9, "none of them", "found none of them: not what happened"),
    ],
)
def test_what_is_said_of_a_prediction(predicted, found, said, capsys):
    predict("what", predicted)
    score("what", found)
    assert capsys.readouterr().out.endswith(f"{said}.\n")


@pytest.mark.parametrize("answer", [..., None, True, [1], "20 %", "20", "-3.5 points"])
def test_what_is_no_prediction_is_refused(answer):
    with pytest.raises(NotYetError, match="prediction"):
        predict("gain", answer)
    assert not Path(FILE).exists()


def test_where_there_are_choices_a_prediction_is_one_of_them(capsys):
    with pytest.raises(NotYetError, match="'better' is no prediction here; give one of 'more', 'less'"):
        predict("who", "better", ("more", "less"))
    assert not Path(FILE).exists()
    predict("who", "less", ("more", "less"))
    assert capsys.readouterr().out == "Stored: who: less.\n"


def test_a_result_without_a_prediction_and_a_file_that_cannot_be_read_are_refused():
    with pytest.raises(NotYetError, match="run the cell with predict above first"):
        score("gain", 1)
    Path(FILE).write_text("{")
    with pytest.raises(MaskTuneError, match="move it away"):
        predict("gain", 1)
