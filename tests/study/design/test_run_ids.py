"""The ids of all runs of the declared studies are frozen: whoever changes one orphans stored results.

A study that is changed on purpose, by another row or seed, gets another digest here, in the same commit.
"""

import pytest

from masktune.files import digest
from masktune.study.design import arms
from masktune.study.design.load import load_study
from masktune.study.plan.trials import study_of_trials

RUN_IDS = {
    "ablations": (189, "942febe90aa4d25d275f94aa06f706731543b1a2ab0f73be5aca0baae9071ac2"),
    "embedded": (291, "9d8eceb6ffef6b077ec14fe542d3e9d067423d3c70ba9ee2e2327020b631eae4"),
    "laptop": (45, "2b711f7f30db5ad7708654733d8d198ed04702e9ccff17d2d265ca16a37e8af0"),
    "paper": (549, "44041c953896fcc6b10a1647a40d02160eab2727c992f47ab4d4570908743934"),
    "sizes": (200, "85ddcf609681de58673c876dc578e341ad233276bf52351c6b0bbe3bc0802b7f"),
}
TRIALS = {"embedded": (264, "d996a511d55dea74bddc8acae798114426104c531e6a8c79cad3775e5f93093c")}


def run_ids(study) -> tuple[int, str]:
    """How many runs a study declares, and the digest of their sorted ids."""
    ids = sorted(cell.run_id(seed) for cell in study.cells for seed in cell.seeds)
    return len(ids), digest("\n".join(ids))


@pytest.mark.parametrize("name", RUN_IDS)
def test_the_runs_of_a_study_have_the_ids_that_their_stored_results_have(name):
    assert run_ids(load_study(name)) == RUN_IDS[name]


@pytest.mark.parametrize("name", TRIALS)
def test_so_have_the_trials_that_it_was_tuned_by(name):
    assert run_ids(study_of_trials(load_study(name))) == TRIALS[name]


def test_and_the_experiment_on_diversity():
    assert arms.kept_file(load_study("embedded")).name == "diversity-98b2bb272c378f21.csv"
