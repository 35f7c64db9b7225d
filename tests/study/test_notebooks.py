"""The parameters of notebooks."""

import pytest
from study.conftest import write_notebook

from masktune.errors import MaskTuneError
from masktune.study import notebooks


def test_a_notebook_without_tagged_cell_is_an_error(tmp_path):
    notebook = write_notebook(tmp_path / "plain.ipynb", ["a = 1"], tagged=None)
    with pytest.raises(MaskTuneError, match="has no cell tagged 'parameters'"):
        notebooks.parameters_of(notebook)


def test_a_damaged_notebook_is_an_error(tmp_path):
    (tmp_path / "damaged.ipynb").write_text("{")
    with pytest.raises(MaskTuneError, match="is no notebook that can be read"):
        notebooks.parameters_of(tmp_path / "damaged.ipynb")


def test_names_that_a_cell_assigns():
    assert notebooks.assigned_names("a = 1  # one\nb = {'x': 2}\nif a:\n    c = 3\nprint(a)") == ["a", "b"]


def test_a_parameter_that_a_notebook_lacks_is_an_error(tmp_path):
    notebook = write_notebook(tmp_path / "own.ipynb", ["alpha = 1\nrate = 2"])
    notebooks.check_parameters(notebook, ["rate", "alpha"])
    with pytest.raises(MaskTuneError, match="unknown parameter of own.ipynb 'alpa' .did you mean 'alpha'"):
        notebooks.check_parameters(notebook, ["alpa"])
