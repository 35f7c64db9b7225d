from pathlib import Path
from shutil import copytree

import pytest

from masktune.study import paths
from masktune.study.design.load import load_study


def test_results_lie_beside_the_studies_also_for_a_kernel_that_works_in_the_notebooks_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("MASKTUNE_RESULTS", raising=False)
    own = tmp_path / "own"
    (own / "studies").mkdir(parents=True)
    monkeypatch.chdir(own)
    assert paths.results_root() == Path("results")
    monkeypatch.chdir(tmp_path)
    assert paths.results_root() == paths.PROJECT / "results"
    monkeypatch.setenv("MASKTUNE_RESULTS", "elsewhere")
    assert paths.results_root() == Path("elsewhere")


@pytest.fixture
def installed(tmp_path, monkeypatch) -> Path:
    """The folder of a package that was installed without its checkout; the working folder is an empty one."""
    package, empty = tmp_path / "site-packages" / "masktune", tmp_path / "empty"
    for name in ("studies", "notebooks"):
        copytree(paths.PROJECT / name, package / name)
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.delenv("MASKTUNE_RESULTS", raising=False)
    monkeypatch.setattr(paths, "PACKAGE", package)
    monkeypatch.setattr(paths, "PROJECT", package)
    return package


def test_an_installed_package_has_its_own_studies_and_writes_into_the_working_folder(installed):
    assert paths.study_file("embedded") == installed / "studies" / "embedded.toml"
    assert paths.tuned_file("embedded") == installed / "studies" / "tuned" / "embedded.toml"
    assert paths.cell_notebook() == installed / "notebooks" / "cell.ipynb"
    assert {path.parent for path in paths.chapters()} == {installed / "notebooks"}
    assert paths.results_root() == Path("results")
    assert paths.tuned_folder("embedded") == Path("studies") / "tuned"


def test_what_the_working_folder_holds_comes_before_what_the_package_holds(installed):
    paths.tuned_folder("embedded").mkdir(parents=True)
    choice = paths.tuned_folder("embedded") / "embedded.toml"
    choice.write_text("")
    assert paths.tuned_file("embedded") == choice
    assert not load_study("embedded").chosen
    Path("notebooks").mkdir()
    own, study = Path("notebooks", "01_own.ipynb"), Path("studies", "embedded.toml")
    own.touch()
    assert own not in paths.chapters()  # notebooks of something else: there is no study beside them
    study.touch()
    assert paths.chapters() == [own]
    assert paths.study_file("embedded") == study
