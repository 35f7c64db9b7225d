"""Every notebook runs from its first cell to its last, and so does the code of its exercises and solutions."""

import ast
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import IPython
import nbformat
import pytest
import synthetic_study
from invented_perturbations import perturbations

from masktune.__main__ import parser
from masktune.pretraining import small_models
from masktune.study.design.load import load_study
from masktune.study.run import diversity as experiment

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# What is not read from stored runs is trained: only as much of it as shows that it runs.
SHORT = {
    "00_start_here": "epochs = 0.05",
    "cell": "training |= {'epochs': 1, 'train_examples': 32}; seeds = [0]",
}
LENGTHS = [
    ("sst2_validation", "in_distribution", 0.9), ("imdb_contrast", "out_of_distribution", 0.7),
    ("imdb_contrast@128", "other_length", 0.6), ("imdb_contrast@512", "other_length", 0.8),
]  # fmt: skip
PATH = r"[\w./]+\.(py|toml|ipynb|md)"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Made-up results of the studies that the chapters read, and pre-training of two steps."""
    results = tmp_path_factory.mktemp("results")
    parts = ("baseline", "control", "combination")
    for name in ("embedded", "methods"):
        declared = synthetic_study.declared(load_study(name), *parts, seeds=2, examples=24)
        synthetic_study.store(results / name, *declared)
    experiment.measure(perturbations()).to_csv(results / "embedded" / "diversity.csv", index=False)
    runs, predictions = synthetic_study.ablations()
    synthetic_study.store(results / "ablations", runs, predictions)
    synthetic_study.store_gradients(results / "ablations", runs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(synthetic_study.SETS, "sentiment", LENGTHS)
        laptop = synthetic_study.make(models=("bert-tiny",), tasks=("sentiment",), seeds=2, examples=24)
        synthetic_study.store(results / "laptop", *laptop)
        patch.setenv("MASKTUNE_RESULTS", str(results))
        patch.setenv("MASKTUNE_CACHE", str(results / "cache"))
        patch.setitem(small_models.RECIPES, "bert", replace(small_models.RECIPES["bert"], steps=2))
        yield


def execute(source, names):
    """Run a cell as a kernel does, and show the value of its last line."""
    *lines, last = ast.parse(source).body
    shown = isinstance(last, ast.Expr)
    exec(compile(ast.Module(lines if shown else [*lines, last], []), "cell", "exec"), names)
    value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if shown else None
    for form in ("_repr_html_", "_repr_markdown_", "_repr_png_"):
        if hasattr(value, form):
            getattr(value, form)()


def solved(text, names):
    """Run the blocks of exercises and solutions, then what stands in their lines."""
    block = r"^ *```python\n(.*?)^ *```"
    for source in re.findall(block, text, re.DOTALL | re.MULTILINE):
        execute(dedent(source), names)
    for span in re.findall(r"`([^`]+)`", re.sub(block, "", text, flags=re.DOTALL | re.MULTILINE)):
        check(span, names)


def check(span, names):
    """A file is there, a command exists, a setting is one, and all else that is more than a name has a value."""
    if re.fullmatch(PATH, span):
        assert (ROOT / span).is_file(), span
    elif span.startswith("make "):
        assert re.search(rf"^{span.split()[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), span
    elif span.startswith("python -m masktune "):
        assert parser().parse_args(span.split()[3:]), span
    elif not is_setting(span) and not span.isidentifier():
        execute(span, names)


def is_setting(span):
    try:
        return bool(tomllib.loads(span))
    except tomllib.TOMLDecodeError:
        return False


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_so_do_its_solutions(path, stored, tmp_path, monkeypatch):
    monkeypatch.chdir(path.parent)  # as JupyterLab does
    if path.stem == "cell":  # it looks at what papermill injected
        monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(user_ns={"In": []}))
    names = {}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            execute(cell.source, names)
            if "parameters" in cell.metadata.get("tags", ()):
                exec(SHORT.get(path.stem, ""), names)
        elif "## Exercises" in cell.source:
            solved(cell.source, names)


@pytest.mark.parametrize("span", ["masktune/gone.py", "make nothing", "python -m masktune nothing", "found.gone()"])
def test_what_a_solution_names_must_be_there(span):
    with pytest.raises((AssertionError, NameError, SystemExit)):
        check(span, {})
