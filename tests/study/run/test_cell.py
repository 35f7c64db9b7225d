"""What the cell notebook calls, with the training itself replaced by made-up results; and the notebook as committed."""

import json
import re
import sys
from types import ModuleType, SimpleNamespace

import pytest
from study.conftest import predictions, records, write_notebook

from masktune.errors import MaskTuneError
from masktune.study import paths
from masktune.study.execute import execution
from masktune.study.notebooks import parameters_of
from masktune.study.run import cell
from masktune.study.store import runs

pytestmark = pytest.mark.slow


@pytest.fixture
def trained(monkeypatch) -> list[int]:
    """Replace masktune.study.run.training; the list tells which seeds were trained. Seed 13 fails."""
    seeds: list[int] = []

    def train_seed(inputs, seed, bar=None):
        seeds.append(seed)
        if seed == 13:
            raise ValueError("seed 13\nbrings bad luck")
        return records(), predictions()

    fake = ModuleType("masktune.study.run.training")
    fake.load_inputs = lambda this: SimpleNamespace(cell=this, of=lambda seed: None)
    fake.count_steps = lambda inputs: 3
    fake.train_seed = train_seed
    monkeypatch.setitem(sys.modules, "masktune.study.run.training", fake)
    import masktune.study.run

    monkeypatch.setattr(masktune.study.run, "training", fake, raising=False)
    return seeds


def a_cell(seeds):
    return cell.from_parameters(
        study="small", label="Mask-tuning", data="embedded", task="sentiment", method="mask_tuning", options={},
        model={"name": "bert", "checkpoint": "embedded:bert"}, training={}, seeds=seeds,
    )  # fmt: skip


def test_seeds_that_are_done_are_skipped(trained):
    cell.run(a_cell([0, 1]))
    cell.run(a_cell([0, 1, 2]))
    assert trained == [0, 1, 2]


def test_a_failing_seed_leaves_a_marker_and_the_others_run(trained):
    this = a_cell([0, 13, 1])
    with pytest.raises(MaskTuneError, match="^1 of 3 seeds failed; seed 13: ValueError: seed 13 brings bad luck$"):
        cell.run(this)
    assert trained == [0, 13, 1]
    assert runs.find_done("small", map(this.run_id, this.seeds)) == {this.run_id(0), this.run_id(1)}
    [failure] = runs.read_failures("small").values()
    assert failure["run_id"] == this.run_id(13) and failure["seconds"] >= 0


def test_data_that_cannot_be_loaded_marks_every_seed(trained, monkeypatch):
    def unreachable(this):
        raise MaskTuneError("the hub cannot be reached")

    monkeypatch.setattr(sys.modules["masktune.study.run.training"], "load_inputs", unreachable)
    with pytest.raises(MaskTuneError, match="^the hub cannot be reached$"):
        cell.run(a_cell([0, 1]))
    assert len(runs.read_failures("small")) == 2


def test_an_interrupt_is_no_failure(trained, monkeypatch):
    def interrupted(inputs, seed, bar):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["masktune.study.run.training"], "train_seed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cell.run(a_cell([0]))
    assert runs.read_failures("small") == {}


def test_stored_results_come_back_as_tables(trained):
    this = a_cell([0, 1])
    cell.run(this)
    table = cell.accuracies(this)
    assert table[["seed", "set", "n", "accuracy"]].values.tolist() == [
        [0, "validation", 4, 0.75],
        [1, "validation", 4, 0.75],
    ]
    assert (table["low"] < 0.75).all() and (table["high"] > 0.75).all()
    assert cell.results(this)["accuracy/validation"].tolist() == [0.75, 0.75]
    assert cell.histories(this)[1][1] == {"step": 2, "eval_loss": 0.7, "eval_accuracy": 0.5}
    assert cell.costs(this)["train_seconds"].tolist() == [2.0, 2.0]
    assert cell.describe(this).loc["cell id", "value"] == this.id


def test_the_notebook_has_the_parameters_of_a_cell_and_they_make_one():
    notebook = paths.cell_notebook()
    assert tuple(parameters_of(notebook)) == cell.PARAMETERS
    cells = json.loads(notebook.read_text())["cells"]
    [tagged] = [part for part in cells if "parameters" in part["metadata"].get("tags", [])]
    values = {}
    exec("".join(tagged["source"]), values)
    values.pop("__builtins__")
    assert cell.from_parameters(**values).seeds == (0, 1)


def test_an_injected_parameter_that_no_cell_has_is_an_error_in_the_notebook(tmp_path):
    from papermill.exceptions import PapermillExecutionError

    defaults = "\n".join(f"{name} = None" for name in cell.PARAMETERS)
    checks = "from masktune.study.run import cell\ncell.check_injected()"
    notebook = write_notebook(tmp_path / "check.ipynb", [defaults, checks])
    execution.execute(notebook, None, {"label": "x"})
    with pytest.raises(PapermillExecutionError, match=re.escape("unknown parameter of the cell notebook 'labell'")):
        execution.execute(notebook, tmp_path / "kept.ipynb", {"labell": "x"})
    assert "unknown parameter" in (tmp_path / "kept.ipynb").read_text()
