import pytest

from masktune.analysis import stamps
from masktune.errors import MaskTuneError
from masktune.study.store import gather


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    error = pytest.raises(MaskTuneError, match="cannot write .*tables.*MASKTUNE_RESULTS")
    with error, stamps.whole_folder(tmp_path / "file" / "tables"):
        pass


def test_a_stamp_knows_its_inputs_and_files(tmp_path):
    made = tmp_path / "table.csv"
    made.write_text("1")
    stamp = tmp_path / "made_from.json"
    assert not stamps.is_fresh(stamp, "inputs")
    stamps.stamp(stamp, "inputs", [made])
    assert stamps.is_fresh(stamp, "inputs") and not stamps.is_fresh(stamp, "others")
    made.write_text("2")
    assert not stamps.is_fresh(stamp, "inputs")
    made.unlink()
    assert not stamps.is_fresh(stamp, "inputs")


def test_tables_depend_on_the_code_of_the_whole_package(tmp_path, monkeypatch):
    monkeypatch.setattr(stamps, "_PACKAGE", tmp_path)
    monkeypatch.setattr(gather, "files", lambda study_name: [])
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "claims.py").write_text("LEVEL = 0.05")
    before = stamps.results_inputs("embedded")
    assert stamps.results_inputs("embedded") == before
    (tmp_path / "study" / "claims.py").write_text("LEVEL = 0.01")
    assert stamps.results_inputs("embedded") != before


def test_digest_sees_content_name_and_order(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("b")
    digests = {stamps.digest([one, two]), stamps.digest([two, one]), stamps.digest([one]), stamps.digest([one], "text")}
    assert len(digests) == 4
    one.write_text("c")
    assert stamps.digest([one, two]) not in digests
