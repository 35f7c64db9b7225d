"""How long cells will take, from the stored costs of finished runs."""

from study.conftest import predictions, records

from masktune.study.plan.durations import Estimate
from masktune.study.store import runs


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
