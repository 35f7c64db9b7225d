"""The notebooks as they are committed: clean, with the right kernel, and the main results run on any gathered study."""

from pathlib import Path

import nbformat
import pytest
from invented_perturbations import perturbations
from repository.conftest import committed_text
from synthetic_study import ablations, declared, make, store, store_gradients

from masktune import analysis
from masktune.analysis.report import chapters
from masktune.errors import MaskTuneError
from masktune.study.design.load import load_study
from masktune.study.run import diversity as experiment
from masktune.study.run import perturbed
from masktune.study.store import gather

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if path.name[:2].isdigit()]


def test_the_notebooks_are_there():
    present = (
        "00_start_here", "01_main_results", "02_ablations", "03_why", "04_baselines", "05_combinations", "06_mechanism",
        "07_cost", "08_diversity", "09_claims", "10_length",
    )  # fmt: skip
    expected = {"cell.ipynb", *(f"{name}.ipynb" for name in present)}
    assert expected <= {path.name for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_committed_without_outputs(path):
    notebook = nbformat.reads(committed_text(f"notebooks/{path.name}"), as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
            compile(cell.source, path.name, "exec")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_a_chapter_opens_with_its_title_and_has_parameters(path):
    notebook = nbformat.read(path, as_version=4)
    assert notebook.cells[0].source.startswith("# ")
    assert sum("parameters" in cell.metadata.get("tags", ()) for cell in notebook.cells) == 1
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "## Exercises" in text and "<summary>Solutions</summary>" in text
    assert "$" not in text, "formulas are written in plain text: the report loads no typesetter"


def test_chapters_belong_to_the_studies_that_they_read():
    named = {
        study: [chapter.source.name for chapter in chapters.of(study, ROOT / "notebooks")]
        for study in ("embedded", "methods", "laptop")
    }
    assert named["embedded"][0] == "00_start_here.ipynb"
    assert "00_start_here.ipynb" not in named["laptop"]
    beside_one_another = {"04_baselines.ipynb", "05_combinations.ipynb", "06_mechanism.ipynb"}
    assert beside_one_another <= set(named["methods"]) and not beside_one_another & set(named["embedded"])
    assert all("cell.ipynb" not in names for names in named.values())


def test_main_results_runs_on_a_small_study(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    store(tmp_path / "embedded", *make(tasks=("sentiment", "paraphrase"), seeds=5, examples=24))
    chapter = chapters.Chapter("embedded", ROOT / "notebooks" / "01_main_results.ipynb")
    chapters.execute(chapter)
    outputs = [output for cell in nbformat.read(chapter.executed, 4).cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    assert not [output for output in outputs if output.output_type in ("error", "stream")]
    text = "".join(str(output.get("data", {})) for output in outputs)
    assert "20 of 20 runs are in; 5 seeds for each number" in text
    assert "cannot go below 0.0625" in text and "predicted +3.6 points" in text


def test_the_page_of_claims_runs_on_a_small_study(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    store(tmp_path / "embedded", *make(models=("bert",), tasks=("sentiment", "paraphrase"), seeds=6, examples=24))
    analysis.build("embedded")
    chapter = chapters.Chapter("embedded", ROOT / "notebooks" / "09_claims.ipynb")
    assert chapter.title == "Claims against observations"
    chapters.execute(chapter)
    outputs = [output for cell in nbformat.read(chapter.executed, 4).cells for output in cell.get("outputs", ())]
    assert not [output for output in outputs if output.output_type in ("error", "stream")]
    text = "".join(str(output.get("data", {})) for output in outputs)
    assert "HANS: predicted reproduced in this setting, found not run." in text
    assert "the positive control of the set has not run" in text
    assert "single pairs of runs" in text


@pytest.mark.parametrize("name", ["02_ablations", "03_why"])
def test_the_ablations_run_on_a_small_study(tmp_path, monkeypatch, name):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    runs, predictions = ablations()
    store(tmp_path / "ablations", runs, predictions)
    store_gradients(tmp_path / "ablations", runs)
    chapter = chapters.Chapter("ablations", ROOT / "notebooks" / f"{name}.ipynb")
    chapters.execute(chapter)
    outputs = [output for cell in nbformat.read(chapter.executed, 4).cells for output in cell.get("outputs", ())]
    assert not [output for output in outputs if output.output_type in ("error", "stream")]
    text = "".join(str(output.get("data", {})) for output in outputs)
    assert "along the masking rate, from " in text or "6.0 times as long" in text
    assert "image/png" in text and "widget" not in text
    if name == "02_ablations":
        assert "alpha (weight of the MLM loss) at each masking rate" in "".join(
            str(output.metadata) for output in outputs
        )


@pytest.mark.parametrize(
    ("name", "part", "said"),
    [
        ("04_baselines", "baseline", "**Product of Experts** \N{MINUS SIGN} fine-tuning: accuracy out of distribution"),
        ("05_combinations", "combination", "both together"),
        ("06_mechanism", "control", "**Mask-tuning** \N{MINUS SIGN} separate networks: accuracy out of distribution"),
    ],
)
def test_the_methods_beside_one_another_run_on_a_small_study(tmp_path, monkeypatch, name, part, said):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    study = load_study("methods")
    parts = (part, *(["baseline"] if part == "combination" else []))
    runs, predictions = declared(study, *parts, tasks=("sentiment", "inference"), seeds=2, examples=24)
    store(tmp_path / "methods", runs, predictions)
    chapter = chapters.Chapter("methods", ROOT / "notebooks" / f"{name}.ipynb")
    chapters.execute(chapter)
    outputs = [output for cell in nbformat.read(chapter.executed, 4).cells for output in cell.get("outputs", ())]
    assert not [output for output in outputs if output.output_type in ("error", "stream")]
    text = "".join(output.get("data", {}).get("text/markdown", "") for output in outputs)
    assert said in text
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_cost_runs_on_a_small_study_and_again_when_a_benchmark_is_stored(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    store(tmp_path / "embedded", *make(tasks=("sentiment", "paraphrase"), seeds=2, examples=24))
    chapter = chapters.Chapter("embedded", ROOT / "notebooks" / "07_cost.ipynb")
    chapters.execute(chapter)
    outputs = [output for cell in nbformat.read(chapter.executed, 4).cells for output in cell.get("outputs", ())]
    assert not [output for output in outputs if output.output_type in ("error", "stream")]
    text = "".join(str(output.get("data", {})) for output in outputs)
    assert "Mask-tuning takes 1.00 times the training time of fine-tuning" in text
    assert "energy was not measured: no counter" in text and "make bench" in text
    assert chapter.is_fresh
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "grid.csv").write_text("work,unit,asked,value,met\n")
    assert not chapters.Chapter("embedded", chapter.source).is_fresh


def test_diversity_runs_on_what_the_experiment_kept_and_says_where_there_is_nothing(tmp_path, monkeypatch):
    """The training itself is tested on a tiny model in tests/study/run/test_perturbed.py."""
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    chapter = chapters.Chapter("embedded", ROOT / "notebooks" / "08_diversity.ipynb")
    sources = [cell.source for cell in nbformat.read(chapter.source, 4).cells if cell.cell_type == "code"]
    names = {}
    with pytest.raises(MaskTuneError, match="run: python -m masktune run embedded, then gather"):
        exec("\n".join(sources[:2]), names)
    monkeypatch.setattr(perturbed, "collect", lambda arms: perturbations())
    experiment.make("embedded")
    study = load_study("embedded")
    gather.gather(study)
    for source in sources:
        exec(compile(source, chapter.source.name, "exec"), names)
    assert len(names["measured"]) == len(perturbations().snapshots)
