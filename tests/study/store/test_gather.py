"""From run folders to the gathered files."""

import json
import shutil
import time
from dataclasses import replace

import pandas
import pytest
from study.conftest import TABLE, predictions, records, store

from masktune.errors import MaskTuneError
from masktune.study.design.load import parse_study
from masktune.study.paths import folder, runs_folder
from masktune.study.plan import listing
from masktune.study.store import gather, layout, runs

pytestmark = pytest.mark.slow


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
    assert (gather.gather(parse_study(table))["status"] == "missing").all()


def test_runs_that_saw_different_data_are_not_compared(study):
    store(study.cells[0], 0, digest="old")
    store(study.cells[1], 0, digest="new")
    with pytest.raises(MaskTuneError, match="saw different data"):
        gather.gather(study)


def test_part_of_the_train_set_may_differ_from_the_whole(table):
    table["grid"].append(
        {"label": "few", "method": "fine_tuning", "training": {"train_examples": 8}, "part": "ablation"}
    )
    study = parse_study(table)
    whole, few = study.cells[0], next(cell for cell in study.cells if cell.label == "few")
    store(whole, 0, digest="whole")
    store(few, 0, digest="few")
    found = gather.gather(study).set_index("label")
    assert found.loc["few", "part"].iloc[0] == "ablation" and found.loc["fine-tuning", "part"].iloc[0] == "main"
    assert found.loc["few", "training/train_examples"].iloc[0] == 8
    store(few, 1, digest="another few")
    with pytest.raises(MaskTuneError, match="saw different data"):
        gather.gather(study)


def test_a_train_set_may_be_made_otherwise_where_the_study_says_so(table):
    other = {"label": "cue-free", "method": "fine_tuning", "data_options": {"cue_rate": 0.5}}
    study = parse_study({**table, "grid": [*table["grid"], other]})
    plain, free = (next(cell for cell in study.cells if cell.label == label) for label in ("fine-tuning", "cue-free"))
    store(plain, 0, digest="cue")
    store(free, 0, digest="no cue")
    found = gather.gather(study).set_index("label")
    assert json.loads(found.loc["cue-free", "data_options"].iloc[0]) == {"cue_rate": 0.5}
    assert set(found.loc["fine-tuning", "data_options"]) == {"{}"}
    store(free, 1, digest="another")
    with pytest.raises(MaskTuneError, match="saw different data"):
        gather.gather(study)


def test_what_an_older_version_gathered_says_what_to_do(study):
    store(study.cells[0], 0)
    path = folder(study.name) / gather.RUNS
    gather.gather(study).drop(columns="part").to_parquet(path)
    with pytest.raises(MaskTuneError, match="is of an older version; run: python -m masktune gather small"):
        gather.read(study.name)


def comparable(table):
    """Rows of predictions or logs in one order, whatever it is in the file."""
    table = table[sorted(table)]
    return sorted(map(str, table.astype(object).where(table.notna(), None).to_dict("records")))


@pytest.mark.parametrize("here", [(), (1,)])
def test_what_was_gathered_of_runs_whose_folders_are_gone_is_kept(study, here):
    """As in a fresh clone, or where another machine made the other runs."""
    paths = [store(cell, 0, right=right) for cell, right in zip(study.cells[:3], (3, 1, 2), strict=True)]
    before, answers, logs = gather.gather(study), gather.read("small")[1], gather.read_histories("small")
    for number, path in enumerate(paths):
        if number not in here:
            shutil.rmtree(path)
    for _ in range(2):
        pandas.testing.assert_frame_equal(gather.gather(study), before, check_like=True, check_dtype=False)
        assert comparable(gather.read("small")[1]) == comparable(answers)
        assert comparable(gather.read_histories("small")) == comparable(logs)


LOGS = {
    "fine-tuning": [{"loss": 0.5, "learning_rate": 0.1, "norm_classification": None, "step": 1}],
    "Mask-tuning": [
        {"loss": 0.7, "learning_rate": 0.1, "loss_mlm": 1.5, "loss_classification": 0.25, "step": 1},
        {"eval_loss": 0.5, "eval_runtime": 0.1, "epoch": 1.0, "step": 2},
        {"reading/validation": 0.75, "reading/contrast": 0.5, "epoch": 1.0, "step": 2},
    ],
}


@pytest.mark.parametrize(
    ("order", "group", "rows"), [(slice(None), 200, 2**20), (slice(None, None, -1), 2, 10), (slice(1, None), 3, 3)]
)
@pytest.mark.parametrize("rounded", [False, True])
def test_the_same_runs_are_the_same_bytes_wherever_they_come_from(study, monkeypatch, order, group, rows, rounded):
    """Made in any order, gathered in parts, here or elsewhere, some of them twice; rounded once, if at all."""
    monkeypatch.setattr(layout, "RUNS_OF_A_ROW_GROUP", group)
    monkeypatch.setattr(layout, "ROWS_OF_A_FILE", rows)
    study = replace(study, rounded_logits=rounded)
    declared = [(cell, seed) for cell in study.cells for seed in cell.seeds][:-1]

    def make(cell, seed):
        made = {**records(right := len(cell.label) % 4), "history": LOGS[cell.label]}
        return runs.write(cell.study, cell.run_id(seed), made, predictions(right))

    def bytes_of():
        gather.gather(study)
        return {path.name: path.read_bytes() for path in gather.files("small") if path.name != gather.RUNS}

    folders = [make(*run) for run in declared]
    expected = bytes_of()
    for path in folders:
        shutil.rmtree(path)
    assert bytes_of() == expected
    for path in gather.files("small"):
        path.unlink()
    for number, run in enumerate([*declared[order], *declared[:1]]):
        path = make(*run)
        if number % 3 == 1:
            gather.gather(study)
            shutil.rmtree(path)
    assert bytes_of() == expected


def test_a_study_is_gathered_half_run_failed_damaged_and_made_elsewhere_at_once(study):
    (first, second, third, _), seed = study.cells, 0
    elsewhere, damaged = store(first, seed), store(second, seed)
    gather.gather(study)
    shutil.rmtree(elsewhere)
    (damaged / "DONE").unlink()
    runs.mark_failed(third, seed, "ValueError: no")
    for _ in range(2):
        table = gather.gather(study).set_index("run_id")
        states = table["status"].value_counts().to_dict()
        assert states == {"missing": 5, "done": 1, "failed": 1, "damaged": 1}
        assert set(gather.read("small")[1]["run_id"]) == {elsewhere.name}
    assert "small: 0 done, 1 failed, 1 damaged, 6 missing" in listing.status(study, lambda cell: True)
    assert "4 cells, 8 runs, 0 done, 8 to do" in listing.plan(study, lambda cell: True)


def test_the_table_of_runs_says_which_code_and_precision_made_each(study):
    made = records()
    made["environment"]["source"] = "of today"
    runs.write("small", study.cells[0].run_id(0), made, predictions())
    store(study.cells[1], 0)
    for _ in range(2):
        table = gather.gather(study).query("status == 'done'")
        assert table["source"].fillna("").tolist() == ["of today", ""]
        assert table["precision"].tolist() == ["fp32", "fp32"]
        shutil.rmtree(runs_folder("small"))


def test_the_table_of_runs_has_these_columns_though_no_run_is_done(study):
    assert gather.gather(study)[["source", "precision"]].isna().all(axis=None)


def test_what_was_gathered_and_then_changed_is_not_gathered_again(study):
    path = store(study.cells[0], 0)
    gather.gather(study)
    shutil.rmtree(path)
    table = folder("small") / gather.RUNS
    pandas.read_parquet(table).assign(**{"accuracy/validation": 0.99}).to_parquet(table)
    before = table.read_bytes()
    with pytest.raises(
        MaskTuneError, match="the accuracy of validation, 0.99, is not that of its predictions; restore"
    ):
        gather.gather(study)
    assert table.read_bytes() == before


def test_a_run_that_is_here_goes_before_what_was_gathered_of_it(study):
    first, second, *_ = study.cells
    store(first, 0, right=1), store(second, 0, right=1)
    gather.gather(study)
    for cell in (first, second):
        shutil.rmtree(runs.run_folder(study.name, cell.run_id(0)))
    store(first, 0, right=4)
    runs.mark_failed(second, 0, "ValueError: no")
    table = gather.gather(study).set_index("run_id")
    assert table.loc[first.run_id(0), "accuracy/validation"] == 1.0
    assert table.loc[second.run_id(0), "status"] == "failed"
    assert set(gather.read("small")[1]["run_id"]) == {first.run_id(0)}


def test_what_was_gathered_is_kept_only_while_the_study_declares_it(study, table):
    store(study.cells[0], 0)
    gather.gather(study)
    shutil.rmtree(runs.run_folder(study.name, study.cells[0].run_id(0)))
    table["training"]["epochs"] = 4
    assert (gather.gather(parse_study(table))["status"] == "missing").all()
    assert len(gather.read("small")[1]) == 0


def test_runs_made_elsewhere_must_have_seen_the_same_data(study):
    path = store(study.cells[0], 0, digest="old")
    gather.gather(study)
    shutil.rmtree(path)
    store(study.cells[1], 0, digest="new")
    with pytest.raises(MaskTuneError, match="saw different data"):
        gather.gather(study)


def test_gathering_is_fast_enough_for_thousands_of_runs():
    study = parse_study({**TABLE, "seeds": 250})
    [first, *_] = study.cells
    original = store(first, 0)
    for cell in study.cells:
        for seed in cell.seeds:
            path = runs.run_folder(cell.study, cell.run_id(seed))
            path.mkdir(exist_ok=True)
            if path != original:
                for file in original.iterdir():
                    file.name in ("run.json", "DONE") or (path / file.name).hardlink_to(file)
                (path / "run.json").write_text(json.dumps({"run_id": path.name}))
                runs.seal(path)
    start = time.perf_counter()
    assert len(gather.gather(study)) == 1000
    assert time.perf_counter() - start < 20, "10,000 runs should take at most 30 s on a quiet machine"


def test_the_made_up_records_are_those_that_a_run_stores():
    assert set(records()) == set(runs.RECORDS)
    assert json.dumps(records()["metrics"])


def test_what_a_run_started_from_is_gathered_and_kept(table):
    table["models"]["bert"]["pretrainings"] = 2
    table["seeds"] = 3
    study, told = parse_study(table), {"pretraining": 1, "texts": 9, "curve": [{"step": 0, "loss": 6.5}]}
    cell, made = study.cells[0], records()
    made["environment"]["language_model"] = told
    path = runs.write(cell.study, cell.run_id(1), made, predictions())
    store(cell, 0)
    for _ in range(2):
        rows = gather.gather(study).query("label == @cell.label and task == @cell.task").set_index("seed")
        assert rows["pretraining"].tolist() == [0, 1, 0]
        assert json.loads(rows.loc[1, "language_model"]) == told
        assert rows.loc[[0, 2], "language_model"].isna().all()
        shutil.rmtree(path, ignore_errors=True)
