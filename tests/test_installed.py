"""The package without its checkout: what the wheel holds, and what works where only the wheel and its needs are.

Installing torch takes minutes and a network. Here a new environment is given links to exactly those distributions of
the running one that pip would install: what the wheel requires, what that requires, and so on. pip itself confirms that
nothing is wanting.
"""

import argparse
import json
import os
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from shutil import copy, copytree, ignore_patterns

import pytest
from packaging.requirements import Requirement
from test_readme import block
from test_setup import modules, normal

from masktune.__main__ import parser
from masktune.study.store import gather

ROOT = Path(__file__).parents[1]
SHIPPED = ("masktune", "notebooks", "studies")
INSTALL = "which is not installed; pip install 'masktune[study]'\n"
COMMANDS = [
    ("check reviews.csv", 2, "no file 'reviews.csv'"),
    ("train reviews.csv --model embedded --output out", 2, "no file 'reviews.csv'"),
    ("evaluate nowhere reviews.csv", 2, "cannot load the checkpoint 'nowhere'"),
    ("predict nowhere reviews.csv --output answers.csv", 2, "cannot load the checkpoint 'nowhere'"),
    ("plan embedded", 0, "The embedded world (embedded)"),
    ("status embedded", 0, "0 done, 0 failed"),
    ("gather embedded", 0, "written to results/embedded/runs.parquet"),
    ("mirror . --check", 1, "glue/sst2"),
    ("tune embedded --jobs 1", 2, INSTALL),
    ("run embedded --jobs 1", 2, INSTALL),
    ("figures embedded", 2, INSTALL),
    ("report embedded", 2, INSTALL),
    ("neutral embedded --runs 1", 2, "embedded"),
    ("summary", 2, INSTALL),
]
TINY_BERT = """
import csv, importlib.util
from tiny_models import WORDS, masked_language_model, word_tokenizer

assert not [name for name in ("dask", "matplotlib", "statsmodels", "pytest") if importlib.util.find_spec(name)]
masked_language_model("bert").save_pretrained("tiny-bert"), word_tokenizer("bert").save_pretrained("tiny-bert")
with open("reviews.csv", "w", newline="") as file:
    csv.writer(file).writerows([("text", "label"), *((" ".join(WORDS[n : n + 5]), n % 2) for n in range(16))])
"""
AFTERWARDS = """
assert "prepared_bias" in data.column_names
for name in methods.METHODS:
    methods.build(name)
print(trainer.state.global_step, "steps")
"""
ONE_BY_ONE = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from masktune.__main__ import main

answers = []
for command in json.loads(sys.argv[1]):
    with redirect_stdout(io.StringIO()) as output, redirect_stderr(io.StringIO()) as error:
        answers.append((main(command), output, error))
print(json.dumps([(status, output.getvalue(), error.getvalue()) for status, output, error in answers]))
"""
TOY = """
name = "toy"
title = "A toy"
question = "Does it run?"
data = "embedded"
tasks = ["paraphrase"]
seeds = 1
models.bert.checkpoint = "{}"
training = {{ learning_rate = 1e-3, epochs = 0.1, train_examples = 160 }}

[[grid]]
label = "fine-tuning"
method = "fine_tuning"
"""
pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints, run where no variable of this environment points into the checkout."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MASKTUNE"))}
    settings = {**own, "HF_HUB_OFFLINE": "1", "MASKTUNE_CACHE": str(cwd / ".cache")}
    ended = subprocess.run(list(map(str, command)), cwd=cwd, env=settings, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built without network from a copy of the sources."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        copy(ROOT / name, source)
    for name in (*SHIPPED, "benchmarks", "tests"):
        copytree(ROOT / name, source / name, ignore=ignore_patterns("__pycache__", ".*"))
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", source, cwd=made)
    return next(made.glob("*.whl"))


def required(wheel: Path, *extras: str) -> dict[str, metadata.Distribution]:
    """What pip would install with the wheel and these extras, as it is installed here: name -> distribution."""
    (folder,) = (path for path in zipfile.Path(wheel).iterdir() if path.name.endswith(".dist-info"))
    found, todo = {}, [(metadata.PathDistribution(folder), ("", *extras))]
    while todo:
        distribution, extras = todo.pop()
        for needed in map(Requirement, distribution.requires or ()):
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                place = normal(needed.name), tuple(needed.extras)
                if place not in found:
                    found[place] = metadata.distribution(needed.name)
                    todo.append((found[place], ("", *needed.extras)))
    return {name: distribution for (name, _), distribution in found.items()}


def files(distribution: metadata.Distribution) -> Iterator[Path]:
    """The files of a distribution, relative to site-packages; its commands belong to the other environment."""
    lines = (distribution.read_text("RECORD") or "").splitlines()  # `distribution.files` takes ten times the time
    return (Path(line.partition(",")[0]) for line in lines if not line.startswith(("__pycache__/", "../../../bin/")))


@pytest.fixture(scope="module")
def shared() -> set[str]:
    """The folders of site-packages that several distributions write into."""
    tops = Counter(top for each in metadata.distributions() for top in {path.parts[0] for path in files(each)})
    return {top for top, count in tops.items() if count > 1}


def environment(home: Path, wheel: Path, shared: set[str], *extras: str) -> Path:
    """The bin folder of a new environment with the wheel and what it requires, and nothing else."""
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    (site,) = home.glob("lib/python*/site-packages")
    for distribution in required(wheel, *extras).values():
        for path in {path if path.parts[0] in ("..", *shared) else Path(path.parts[0]) for path in files(distribution)}:
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).symlink_to(distribution.locate_file(path))
    pip = (sys.executable, "-m", "pip", "--python", home / "bin" / "python")
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=home)
    assert "No broken requirements found" in run(*pip, "check", cwd=home)
    return home / "bin"


@pytest.fixture(scope="module")
def library(wheel, shared, tmp_path_factory) -> Path:
    return environment(tmp_path_factory.mktemp("library"), wheel, shared)


@pytest.fixture(scope="module")
def study(wheel, shared, tmp_path_factory) -> Path:
    return environment(tmp_path_factory.mktemp("study"), wheel, shared, "study")


def test_the_wheel_holds_the_package_the_studies_and_the_notebooks_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    paths = (path.relative_to(ROOT) for name in SHIPPED for path in (ROOT / name).rglob("*.*") if path.is_file())
    paths = {path.as_posix() for path in paths if not any(part.startswith((".", "__py")) for part in path.parts)}
    assert names == {path if path.startswith("masktune/") else f"masktune/{path}" for path in paths}
    assert {"masktune/py.typed", "masktune/studies/tuned/embedded.toml", "masktune/notebooks/cell.ipynb"} <= names


def test_the_library_trains_prepares_and_imports_each_module_with_the_base_requirements_alone(library, tmp_path):
    copy(ROOT / "tests" / "tiny_models.py", tmp_path)
    lines = TINY_BERT + block("python", "from datasets") + block("python", "from masktune import methods, prepare")
    short = 'TrainingArguments("mask-tuned", max_steps=2, '
    script = lines.replace("bert-base-uncased", "tiny-bert").replace('TrainingArguments("mask-tuned", ', short)
    paths = [path.relative_to(ROOT).with_suffix("") for of_study, path in modules() if not of_study]
    imports = [f"import {'.'.join(path.parts)}\n" for path in paths if path.stem != "__init__"]
    (tmp_path / "train.py").write_text(script + "".join(imports) + AFTERWARDS)
    assert "\n2 steps\n" in run(library / "python", "train.py", cwd=tmp_path)


def test_without_the_extra_a_command_works_or_says_in_one_line_what_to_install(library, tmp_path):
    assert set(subcommands()) == {command.split()[0] for command, *_ in COMMANDS}
    given = json.dumps([command.split() for command, *_ in COMMANDS])
    answers = json.loads(run(library / "python", "-c", ONE_BY_ONE, given, cwd=tmp_path))
    for (command, status, said), (ended, output, error) in zip(COMMANDS, answers, strict=True):
        assert (command, ended) == (command, status), error
        assert said in output + error
        assert status != 2 or (output == "" and error.startswith("masktune: ") and error.count("\n") == 1)
    written = {path.relative_to(tmp_path / "results" / "embedded").parts[0] for path in tmp_path.rglob("*.*")}
    assert written == set(gather.FILES)


def subcommands() -> list[str]:
    """The commands that the command line knows."""
    (found,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return list(found.choices)


def test_with_the_extra_studies_run_and_their_results_go_to_the_working_folder(study, checkpoints, tmp_path):
    assert "The embedded world (embedded)" in run(study / "masktune", "plan", "embedded", cwd=tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "toy.toml").write_text(TOY.format(checkpoints["bert"]))
    assert "toy: 1 runs made" in run(study / "masktune", "run", "toy", "--jobs", "1", cwd=tmp_path)
    assert any((tmp_path / "results" / "toy" / "runs").iterdir())
