"""What `import masktune` offers: at once, to an editor, and without loading what is heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import jedi
import pytest

import masktune

SOURCE = Path(masktune.__file__)
HEAVY = ("torch", "transformers", "datasets", "pandas", "sklearn")


def test_the_imports_for_editors_are_those_made_when_asked_for():
    (block,) = (node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.If))
    assert block.test.id == "TYPE_CHECKING"
    # `import A as A` says that A is offered, and not merely used.
    assert all(name.name == name.asname for line in block.body for name in line.names)
    assert {name.name: line.module for line in block.body for name in line.names} == masktune._EXPORTS


@pytest.mark.parametrize("name", masktune.__all__)
def test_what_is_offered_is_listed_and_there(name):
    assert name in dir(masktune)
    assert getattr(masktune, name)


def test_an_editor_completes_what_is_offered():
    completed = {found.name for found in jedi.Script("import masktune\nmasktune.").complete()}
    assert set(masktune.__all__) <= completed


@pytest.mark.parametrize("line", ["import masktune", "import masktune; dir(masktune)", "import masktune.__main__"])
def test_nothing_heavy_is_loaded_before_it_is_asked_for(line):
    command = f"{line}; import sys; print([name for name in {HEAVY} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", command], cwd=SOURCE.parents[1], capture_output=True, text=True)
    assert ended.stdout == "[]\n", ended.stderr
