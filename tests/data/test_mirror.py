import hashlib
import json
import re
import sys
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from invented_mirror import ROWS, know, rows_for, save

from masktune import data
from masktune.data import mirror as mirrors
from masktune.data.catalogue import CARDS
from masktune.data.sources import RawSet, UnreachableError
from masktune.errors import MaskTuneError


@pytest.fixture
def published(small_cards, monkeypatch):
    """The sources of all sets answer with invented rows; the calls are listed."""
    asked = []

    def answer(card):
        asked.append(card.name)
        columns = {**rows_for(card), "surplus": ["not needed"] * ROWS}
        return RawSet(card.name, card.rows, pa.table(columns), "0" * 64, str(card.source))

    monkeypatch.setattr("masktune.data.sources.from_source", answer)
    return asked


def state(table) -> dict[str, str]:
    return dict(zip(table["set"], table["state"], strict=True))


def test_a_filled_mirror_passes_the_check_and_is_what_load_reads(published, tmp_path, monkeypatch):
    filled = mirrors.fill(tmp_path / "new")
    assert set(state(filled)) == set(CARDS) and set(state(filled).values()) == {"fetched"}
    monkeypatch.setenv("MASKTUNE_MIRROR", str(tmp_path / "new"))
    checked = mirrors.check()
    assert set(state(checked).values()) == {"ok"} and mirrors.good(checked)
    assert list(checked["rows"]) == list(checked["expected"]) == [ROWS] * len(CARDS)
    assert len(data.load("real", "inference").evaluation) == 6


def test_only_the_columns_that_are_needed_are_stored(published, tmp_path):
    mirrors.fill(tmp_path, ["hans/validation"])
    stored = pq.read_table(tmp_path / "data/hans/validation.parquet")
    assert set(stored.column_names) == set(CARDS["hans/validation"].needed)


def test_the_manifest_says_digest_source_licence_and_what_may_be_passed_on(published, tmp_path):
    mirrors.fill(tmp_path, ["anli/r1", "hans"])
    manifest = json.loads((tmp_path / "data/manifest.json").read_text())
    assert list(manifest) == ["anli/r1/validation", "hans/validation"]
    entry = manifest["anli/r1/validation"]
    content = (tmp_path / "data/anli/r1/validation.parquet").read_bytes()
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert entry["rows"] == ROWS and "facebook/anli" in entry["source"] and "CC BY-NC" in entry["licence"]
    assert entry["may_be_passed_on"] is False and manifest["hans/validation"]["may_be_passed_on"] is True


def test_a_set_that_is_there_is_not_fetched_again_unless_it_changed(published, tmp_path):
    mirrors.fill(tmp_path, ["glue/sst2"])
    assert set(state(mirrors.fill(tmp_path, ["glue/sst2"])).values()) == {"present"}
    assert len(published) == 2
    save(tmp_path / "data/glue/sst2/train.parquet", rows_for(CARDS["glue/sst2/train"], 3))
    assert state(mirrors.fill(tmp_path, ["glue/sst2"]))["glue/sst2/train"] == "fetched"
    assert mirrors.check(tmp_path).set_index("set").loc["glue/sst2/train", "state"] == "ok"


def test_a_set_that_cannot_be_had_does_not_stop_the_others(published, tmp_path, monkeypatch):
    def answer(card, known=mirrors.sources.from_source):
        if card.name == "glue/sst2/train":
            raise UnreachableError("the host is down")
        return known(card)

    monkeypatch.setattr("masktune.data.sources.from_source", answer)
    table = mirrors.fill(tmp_path, ["glue/sst2"])
    assert state(table) == {"glue/sst2/train": "not fetched: the host is down", "glue/sst2/validation": "fetched"}
    assert not mirrors.good(table)


def test_a_mirror_for_which_nothing_could_be_had_is_not_left_behind(small_cards, tmp_path, monkeypatch):
    monkeypatch.delenv("MASKTUNE_PAWS_QQP", raising=False)
    table = mirrors.fill(tmp_path / "new", ["paws-qqp"])
    assert state(table) == {"paws-qqp/dev_and_test": "not fetched: MASKTUNE_PAWS_QQP is not set"}
    assert not (tmp_path / "new").exists()


def test_a_source_that_breaks_the_promises_of_the_card_is_not_stored(published, tmp_path, monkeypatch):
    card = replace(CARDS["glue/sst2/train"], rows=ROWS + 1)
    monkeypatch.setitem(CARDS, card.name, card)
    (said,) = state(mirrors.fill(tmp_path, [card.name])).values()
    assert said.startswith("not fetched: hub dataset nyu-mll/glue") and "12 rows, expected 13" in said
    assert not (tmp_path / "data" / f"{card.name}.parquet").exists()


def test_the_check_says_what_is_wrong_with_each_set(mirror, monkeypatch):
    folder = mirror / "data"
    (folder / "hans/validation.parquet").unlink()
    (folder / "glue/qqp/train.parquet").unlink()
    save(folder / "glue/qqp/train_subset.parquet", rows_for(CARDS["glue/qqp/train"], ROWS // 2))
    know(monkeypatch, "glue/qqp/train_subset", "glue/sst2/validation")
    save(folder / "anli/r3/validation.parquet", rows_for(CARDS["anli/r3/validation"], ROWS - 1))
    digest = {"sha256": "f" * 64, "rows": ROWS}
    (folder / "manifest.json").write_text(json.dumps({"anli/r1/validation": digest}))
    table = mirrors.check()
    said = state(table)
    assert said["hans/validation"] == "missing"
    assert said["glue/qqp/train"] == "ok: subset"
    assert said["anli/r3/validation"].endswith("11 rows, expected 12 for anli/r3/validation; replace the file")
    assert (
        "differs from its card: sha256" in said["anli/r1/validation"] and "ffffffffffff" in said["anli/r1/validation"]
    )
    assert said["glue/sst2/validation"] == "ok" and not mirrors.good(table)
    assert said["anli/r2/validation"] == mirrors.UNKNOWN
    assert not any("\n" in entry for entry in said.values())


def test_other_texts_than_those_tested_with_are_told(mirror, monkeypatch):
    know(monkeypatch, "glue/sst2/validation")
    columns = rows_for(CARDS["glue/sst2/validation"])
    save(mirror / "data/glue/sst2/validation.parquet", {**columns, "label": columns["label"][::-1]})
    table = mirrors.check()
    assert "glue/sst2/validation differs from its card: texts and labels" in state(table)["glue/sst2/validation"]
    assert not mirrors.good(table)


@pytest.mark.parametrize("there", [None, "sound", "listed as if it were sound"])
def test_a_set_that_its_source_has_changed_is_not_fetched_and_what_was_there_stays(
    published, tmp_path, monkeypatch, there
):
    know(monkeypatch, "glue/sst2/train")
    columns = rows_for(CARDS["glue/sst2/train"])
    swapped = {**columns, "label": columns["label"][::-1]}
    path = tmp_path / "data/glue/sst2/train.parquet"
    if there is not None:
        save(path, columns if there == "sound" else swapped)
        digest = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "rows": ROWS}
        (tmp_path / "data/manifest.json").write_text(json.dumps({"glue/sst2/train": digest}))
    before = path.read_bytes() if there else None
    answer = RawSet("glue/sst2/train", ROWS, pa.table(swapped), "0" * 64, "the source")
    monkeypatch.setattr("masktune.data.sources.from_source", lambda card: answer)
    (said,) = state(mirrors.fill(tmp_path, ["glue/sst2/train"])).values()
    if there == "sound":
        assert said == "present"
    else:
        assert said.startswith("not fetched: the source: glue/sst2/train differs from its card: texts and labels")
    assert (path.read_bytes() if path.exists() else None) == before


def test_what_is_kept_is_what_was_written(published, tmp_path, monkeypatch):
    know(monkeypatch, "glue/sst2/train")
    write = mirrors._parquet
    monkeypatch.setattr(mirrors, "_parquet", lambda table: write(table.take(list(range(ROWS))[::-1])))
    (said,) = state(mirrors.fill(tmp_path, ["glue/sst2/train"])).values()
    assert said.startswith("not fetched: ") and not (tmp_path / "data/glue/sst2/train.parquet").exists()


def test_a_mirror_without_pandas_says_what_to_install(published, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MaskTuneError, match=re.escape("pip install 'masktune[study]'")):
        mirrors.check(tmp_path)


def test_a_folder_must_be_named_and_be_there(monkeypatch, tmp_path):
    monkeypatch.delenv("MASKTUNE_MIRROR", raising=False)
    with pytest.raises(MaskTuneError, match="no mirror is named; give a folder, or set MASKTUNE_MIRROR"):
        mirrors.check()
    with pytest.raises(MaskTuneError, match="there is no mirror at '.*nothing'"):
        mirrors.check(tmp_path / "nothing")


def test_a_folder_that_cannot_be_written_is_an_error_before_anything_is_fetched(published, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MaskTuneError, match="the mirror '.*file' cannot be written .*; name another folder"):
        mirrors.fill(tmp_path / "file")
    assert published == []


def test_an_unknown_set_is_an_error_before_anything_is_fetched(published, tmp_path):
    with pytest.raises(MaskTuneError, match="unknown data set 'glue/sst3'"):
        mirrors.fill(tmp_path / "new", ["glue/sst2", "glue/sst3"])
    assert published == [] and not (tmp_path / "new").exists()


def test_a_broken_manifest_is_an_error_that_says_what_to_do(mirror):
    (mirror / "data/manifest.json").write_text("{")
    with pytest.raises(MaskTuneError, match="manifest.json: not a readable manifest; remove it"):
        mirrors.check()
