"""From run folders to the gathered files."""

import json
import shutil
import time

import pytest
from study.conftest import TABLE, records, store

from masktune.errors import MaskTuneError
from masktune.study import design, gather, places, runs


def test_done_failed_and_missing_runs_have_a_row_each(study):
    first, second, *_ = study.cells
    store(first, 0, right=3)
    store(second, 1, right=1)
    runs.mark_failed(second, 0, "ValueError: no", seconds=1.5)
    gather.gather(study)
    table, predictions = gather.read("small")
    assert len(table) == 8
    rows = table.set_index(["label", "task", "seed"])
    assert rows["status"].value_counts().to_dict() == {"missing": 5, "done": 2, "failed": 1}
    assert rows.loc[("Mask-tuning", "sentiment", 0), "error"] == "ValueError: no"
    assert rows.loc[("Mask-tuning", "sentiment", 0), "failed_seconds"] == 1.5
    assert rows.loc[("fine-tuning", "sentiment", 0), "accuracy/validation"] == 0.75
    assert rows.loc[("Mask-tuning", "sentiment", 1), ["alpha", "mask_rate"]].tolist() == [0.6, 0.05]
    assert rows.loc["fine-tuning", ["alpha", "mask_rate"]].isna().all(axis=None)
    assert {"model", "method", "options", "data", "train_seconds"} <= set(table.columns)
    assert set(predictions["run_id"]) == {first.run_id(0), second.run_id(1)}
    assert len(predictions) == 8
    assert list(predictions.loc[0, "logits"]) == [0.5, -0.5]
    assert predictions["set"].dtype == "category"


def test_a_study_that_has_not_run_gathers_to_missing_rows(study):
    assert (gather.gather(study)["status"] == "missing").all()
    table, predictions = gather.read("small")
    assert (len(table), len(predictions)) == (8, 0)


def test_reading_what_was_not_gathered_says_what_to_do():
    with pytest.raises(MaskTuneError, match="does not exist; run: python -m masktune gather small"):
        gather.read("small")


def test_stored_runs_that_are_not_declared_are_left_out(study, table):
    store(study.cells[0], 0)
    table["training"]["epochs"] = 4
    assert (gather.gather(design.parse(table))["status"] == "missing").all()


@pytest.mark.parametrize("name", ["metrics.json", "predictions.parquet"])
def test_a_damaged_file_is_a_one_line_error(study, name):
    (store(study.cells[0], 0) / name).write_bytes(b"{")
    with pytest.raises(MaskTuneError, match=f"{name} cannot be read") as caught:
        gather.gather(study)
    assert "\n" not in str(caught.value)


def test_runs_that_saw_different_data_are_not_compared(study):
    store(study.cells[0], 0, digest="old")
    store(study.cells[1], 0, digest="new")
    with pytest.raises(MaskTuneError, match="saw different data"):
        gather.gather(study)


def test_part_of_the_train_set_may_differ_from_the_whole(table):
    table["grid"].append(
        {"label": "few", "method": "fine_tuning", "training": {"train_examples": 8}, "part": "ablation"}
    )
    study = design.parse(table)
    whole, few = study.cells[0], next(cell for cell in study.cells if cell.label == "few")
    store(whole, 0, digest="whole")
    store(few, 0, digest="few")
    found = gather.gather(study).set_index("label")
    assert found.loc["few", "part"].iloc[0] == "ablation" and found.loc["fine-tuning", "part"].iloc[0] == "main"
    assert found.loc["few", "training/train_examples"].iloc[0] == 8
    store(few, 1, digest="another few")
    with pytest.raises(MaskTuneError, match="saw different data"):
        gather.gather(study)


def test_what_an_older_version_gathered_says_what_to_do(study):
    store(study.cells[0], 0)
    path = places.folder(study.name) / gather.RUNS
    gather.gather(study).drop(columns="part").to_parquet(path)
    with pytest.raises(MaskTuneError, match="is of an older version; run: python -m masktune gather small"):
        gather.read(study.name)


def test_gathered_results_are_not_replaced_by_nothing(study):
    path = store(study.cells[0], 0)
    gather.gather(study)
    shutil.rmtree(path)
    with pytest.raises(MaskTuneError, match="holds 1 finished runs and the folder of runs holds none"):
        gather.gather(study)


def test_gathering_is_fast_enough_for_thousands_of_runs():
    study = design.parse({**TABLE, "seeds": 250})
    [first, *_] = study.cells
    original = store(first, 0)
    for cell in study.cells:
        for seed in cell.seeds:
            path = runs.run_folder(cell.study, cell.run_id(seed))
            path.mkdir(exist_ok=True)
            for file in original.iterdir():
                (path / file.name).exists() or (path / file.name).hardlink_to(file)
    start = time.perf_counter()
    assert len(gather.gather(study)) == 1000
    assert time.perf_counter() - start < 20, "10,000 runs should take at most 30 s on a quiet machine"


def test_the_made_up_records_are_those_that_a_run_stores():
    assert set(records()) == set(runs.RECORDS)
    assert json.dumps(records()["metrics"])
