from pathlib import Path
from shutil import copytree

import pytest

from masktune.study import paths as places
from masktune.study.spec.load import load_study


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


@pytest.fixture
def installed(tmp_path, monkeypatch) -> Path:
    """The folder of a package that was installed without its checkout; the working folder is an empty one."""
    package, empty = tmp_path / "site-packages" / "masktune", tmp_path / "empty"
    for name in ("studies", "notebooks"):
        copytree(places.PROJECT / name, package / name)
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.delenv("MASKTUNE_RESULTS", raising=False)
    monkeypatch.setattr(places, "PACKAGE", package)
    monkeypatch.setattr(places, "PROJECT", package)
    return package


def test_an_installed_package_has_its_own_studies_and_writes_into_the_working_folder(installed):
    assert places.study_file("embedded") == installed / "studies" / "embedded.toml"
    assert places.tuned_file("embedded") == installed / "studies" / "tuned" / "embedded.toml"
    assert places.cell_notebook() == installed / "notebooks" / "cell.ipynb"
    assert {path.parent for path in places.chapters()} == {installed / "notebooks"}
    assert places.results_root() == Path("results")
    assert places.tuned_folder("embedded") == Path("studies") / "tuned"


def test_what_the_working_folder_holds_comes_before_what_the_package_holds(installed):
    places.tuned_folder("embedded").mkdir(parents=True)
    choice = places.tuned_folder("embedded") / "embedded.toml"
    choice.write_text("")
    assert places.tuned_file("embedded") == choice
    assert not load_study("embedded").chosen
    Path("notebooks").mkdir()
    own, study = Path("notebooks", "01_own.ipynb"), Path("studies", "embedded.toml")
    own.touch()
    assert own not in places.chapters()  # notebooks of something else: there is no study beside them
    study.touch()
    assert places.chapters() == [own]
    assert places.study_file("embedded") == study
