"""The ids of all runs of the declared studies are frozen: whoever changes one orphans stored results.

A study that is changed on purpose, by another row or seed, gets another digest here, in the same commit.
"""

import pytest

from masktune.files import digest
from masktune.study.design import arms
from masktune.study.design.load import load_study
from masktune.study.plan.trials import study_of_trials

RUN_IDS = {
    "ablations": (279, "400a4bff88e3f103de2cd458a033c8319d19139fabe288afb76b7ab0aed281b9"),
    "collapse": (168, "a2736c1a68ff0b7405460148fdc32d1a8e9ad176cefc3d1745f0e91e0a758f67"),
    "convergence": (261, "6d7e27e2716a8f40e128dd7751cf303909d0e3b160568daecad18c0062e6ebb0"),
    "embedded": (192, "9a054fa7b0e1872a006237897dafc8c5b8259f6e0758f01f8e84597d3f3439c8"),
    "laptop": (218, "5f44cfad7bbcd9b9c35eec1be23de8591c3d085066009eb6ea1950bd1bce887c"),
    "methods": (279, "22cf647c6f5efae7b51e418acdb8ced7ae84faf439702cce9f66d1a7b5234b9c"),
    "paper": (668, "bdc5830ea717d1099ac61f1fecf77f83efb88cae48e264defd11dd47499a79c4"),
    "sizes": (240, "24e784edf4bc9e419b784a9747828ca92d2f5f1b0b21c2dd766b300d9dd06c46"),
}
TRIALS = {
    "embedded": (81, "65c917633eb485c6d726fd2256c1b91cb336571b1cd16598cdff26b3a5f48595"),
    "methods": (216, "66dcfa0fc64d5a0c313084f093e7e13c33b773789e729db2c6991cb9ada64ace"),
    "laptop": (51, "df23944eb832110a2bc9b55f3a2ff688271ad62b02cc3aec005e755bd866469f"),
}


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
    assert arms.kept_file(load_study("embedded")).name == "diversity-f45b26241a29af6a.csv"
