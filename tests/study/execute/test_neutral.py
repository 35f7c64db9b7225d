"""Runs that are trained again: a neutral change is recorded, another is named, and what cannot be compared is said."""

import os
from dataclasses import replace

import numpy
import pyarrow
import pytest
from study.conftest import TABLE

from masktune import cache
from masktune.__main__ import main
from masktune.errors import MaskTuneError
from masktune.study.design.load import parse_study
from masktune.study.execute import neutral as checking
from masktune.study.run import environment, training
from masktune.study.store import gather, neutral, runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(checkpoints, tmp_path_factory):
    """A study of two methods on few examples, and what each of its runs stored."""
    chosen = {"epochs": 1, "train_examples": 32, "batch_size": 8, "learning_rate": 1e-3, "precision": "fp32"}
    table = {**TABLE, "tasks": ["sentiment"], "claims": [], "training": chosen}
    study = parse_study({**table, "models": {"bert": {"checkpoint": str(checkpoints["bert"])}}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return study, [
            (cell, seed, *training.train_seed(training.load_inputs(cell), seed))
            for cell in study.cells
            for seed in cell.seeds
        ]


@pytest.fixture(params=["folders", "gathered"])
def stored(request, trained, results):
    """The study with runs by another source, in folders or only gathered; `spoil` changes one logit of one of them."""
    study, made = trained

    def store(spoil=False, source="old"):
        for number, (cell, seed, records, predictions) in enumerate(made):
            if spoil and number == 0:
                predictions = with_another_logit(predictions)
            records = {**records, "environment": {**records["environment"], "source": source}}
            runs.write(study.name, cell.run_id(seed), records, predictions)
        if request.param == "gathered":
            gather.gather(study)
            for folder in runs.runs_folder(study.name).iterdir():
                folder.rename(results / folder.name)
        return study

    return store


def with_another_logit(predictions):
    """The same answers; the last bit of one logit differs."""
    logits = checking.logits_of(predictions).copy()
    logits[7] = numpy.nextafter(logits[7], numpy.float32(9))
    lists = pyarrow.ListArray.from_arrays(numpy.arange(0, len(logits) + 1, 2, dtype=numpy.int32), logits)
    return predictions.set_column(predictions.column_names.index("logits"), "logits", lists)


def test_runs_that_come_out_the_same_make_the_change_neutral_and_nothing_is_left_to_check(stored):
    study = stored()
    kept = os.environ["MASKTUNE_CACHE"]
    [change] = checking.check(study, 3)
    today = training.read_source(study.cells[0])
    assert (change.before, change.after, change.study, change.checkpoints) == ("old", today, "small", "cached")
    assert change.on == f"cpu, {environment.hardware()['processor']}"
    assert neutral.read() == (change,) and len(set(change.checked)) == 3
    labels = [cell.label for cell in study.cells for seed in cell.seeds if cell.run_id(seed) in change.checked]
    assert set(labels) == {"fine-tuning", "Mask-tuning"}
    assert os.environ["MASKTUNE_CACHE"] == kept
    with pytest.raises(MaskTuneError, match="all 4 stored runs of small are by the source of today"):
        checking.check(study, 3)


def test_one_bit_is_a_difference_that_names_the_run_and_records_nothing(stored):
    study = stored(spoil=True)
    cell = study.cells[0]
    with pytest.raises(MaskTuneError, match=r"differs: 1 of [\d,]+ logits, by [\d.e-]+ at most") as error:
        checking.check(study, 4)
    assert f"run {cell.run_id(0)} (fine-tuning, bert, sentiment, seed 0)" in str(error.value)
    assert neutral.read() == ()


def test_a_study_without_stored_runs_or_without_their_source_is_refused(study, stored):
    with pytest.raises(MaskTuneError, match="small has no stored run that says by which source"):
        checking.check(study, 1)
    with pytest.raises(MaskTuneError, match="small has no stored run that says by which source"):
        checking.check(stored(source=None), 1)


def test_another_processor_is_named_where_bits_differ(stored):
    run = next(iter(checking.find_stored(stored())))
    assert checking._elsewhere(run) == ""
    elsewhere = replace(run, made_on={**run.made_on, "processor": "another"})
    assert "processor 'another', here " in checking._elsewhere(elsewhere)


def test_a_label_has_its_turn_before_another_has_two(trained):
    study, made = trained
    all_runs = [checking.StoredRun(cell, seed, "old", {}, lambda: None) for cell, seed, *_ in made]
    drawn = checking.draw(all_runs, 2)
    assert {run.cell.label for run in drawn} == {"fine-tuning", "Mask-tuning"}
    assert checking.draw(reversed(all_runs), 3) == checking.draw(all_runs, 3)
    assert len(checking.draw(all_runs, 100)) == 4


def test_features_are_made_again_and_checkpoints_only_if_asked():
    kept = cache.root() / "checkpoints" / "one"
    kept.mkdir(parents=True, exist_ok=True)
    (cache.root() / "prepared").mkdir(exist_ok=True)
    for again in (False, True):
        with checking._scratch(again):
            assert (cache.root() / "checkpoints" / "one").is_dir() != again
            assert not (cache.root() / "prepared").exists()
    assert kept.is_dir()


@pytest.mark.parametrize("count", ["0", "-1", "x"])
def test_the_number_of_runs_is_a_whole_number(count, capsys):
    with pytest.raises(SystemExit):
        main(["neutral", "embedded", "--runs", count])
    assert "expected a whole number of at least 1" in capsys.readouterr().err


@pytest.mark.parametrize(("threads", "used"), [(2, 2), (1.0, 1), (float("nan"), 0), (None, 0)])
def test_threads_are_read_from_gathered_rows_too(threads, used):
    assert checking.threads_of({"threads": threads}) == used
