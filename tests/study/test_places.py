from pathlib import Path

from masktune.study import places


def test_results_lie_beside_the_studies_also_for_a_kernel_that_works_in_the_notebooks_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("MASKTUNE_RESULTS", raising=False)
    own = tmp_path / "own"
    (own / "studies").mkdir(parents=True)
    monkeypatch.chdir(own)
    assert places.results_root() == Path("results")
    monkeypatch.chdir(tmp_path)
    assert places.results_root() == places.PROJECT / "results"
    monkeypatch.setenv("MASKTUNE_RESULTS", "elsewhere")
    assert places.results_root() == Path("elsewhere")
