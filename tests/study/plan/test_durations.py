"""How long cells will take, from the stored costs of finished runs."""

import shutil

from study.conftest import predictions, records, store

from masktune.study.plan import listing
from masktune.study.plan.durations import Estimate
from masktune.study.store import gather, runs


def test_the_seeds_of_a_cell_share_what_is_prepared_for_them(study):
    plain, mask_tuning, other_task, _ = study.cells
    stored = records()
    stored["cost"]["prepare_seconds"] = 10.0
    run_id = plain.run_id(0)
    runs.write(study.name, run_id, stored, predictions())
    estimate = Estimate(study.cells, {run_id})
    # Model, training, curve and evaluation take 4 seconds together, and the cell has two seeds.
    assert estimate.run_seconds(plain) == estimate.run_seconds(mask_tuning) == 4.0 + 10.0 / 2
    assert estimate.run_seconds(other_task) is None


def test_after_cloning_the_gathered_table_says_what_runs_took(study):
    plain, mask_tuning, *_ = study.cells
    for cell in study.cells:
        store(cell, 0)
    gather.gather(study)
    by_folders = Estimate(study.cells, {cell.run_id(0) for cell in study.cells})
    shutil.rmtree(runs.run_folder(study.name, plain.run_id(0)).parent)
    text = listing.plan(study, lambda cell: True)
    assert "0 done" in text and "unknown" not in text
    seconds = sum(by_folders.run_seconds(cell) * len(cell.seeds) for cell in study.cells)
    assert f"about {seconds:.0f} s with 1 at a time" in text


def test_the_plan_adds_up_what_is_known_and_names_what_is_not(study):
    store(study.cells[0], 0)
    text = listing.plan(study, lambda cell: True)
    assert "about 12 s with 1 at a time, by the runs that have finished; unknown for bert on " in text
