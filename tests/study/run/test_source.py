"""The digest of the source: what training really imports is what it covers."""

import json
import subprocess
import sys

import pytest
from invented_mirror import rows_for, save

from masktune.data.catalogue import CARDS
from masktune.data.real import TASKS
from masktune.study.paths import PROJECT
from masktune.study.run import source

# Trains a run of a few steps, and says which modules of masktune the process has loaded.
TRAIN = """
import json, sys
from dataclasses import replace
from masktune.data import catalogue
from masktune.models.spec import ModelSpec
from masktune.study.design.cells import Cell, Training
asked = json.loads(sys.argv[1])
for name, card in catalogue.CARDS.items():
    catalogue.CARDS[name] = replace(card, rows=asked["rows"], digest="", copy_digests=(), subset=None)
from masktune.study.run import training
cell = Cell(
    "small", "any", asked["data"], asked["task"], ModelSpec("bert", asked["checkpoint"]), asked["method"],
    training=Training(epochs=1, batch_size=8, train_examples=12, learning_rate=1e-3, precision="fp32"),
)
records, predictions = training.train_seed(training.load_inputs(cell), 0)
print(json.dumps({
    "source": records["environment"]["source"],
    "loaded": sorted(name for name in sys.modules if name.partition(".")[0] == "masktune"),
}))
"""
# In the digest without being loaded in each run: what a bias model reads texts by.
NOT_ALWAYS = {"masktune.methods.words"}


def name_of(path):
    return source._name(path)


def train(tmp_path, monkeypatch, **asked):
    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path / "cache"))
    ended = subprocess.run(
        [sys.executable, "-c", TRAIN, json.dumps(asked)], capture_output=True, text=True, cwd=PROJECT
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("data", "task", "method"),
    [("embedded", "sentiment", "mask_tuning"), ("real", "paraphrase", "mask_tuning+product_of_experts")],
)
def test_the_digest_covers_exactly_the_modules_that_a_process_which_trains_has_loaded(
    checkpoints, tmp_path, monkeypatch, data, task, method
):
    names = {TASKS[task].train, *(part.card for part in TASKS[task].evaluation)}
    for name in names:
        save(tmp_path / "mirror" / "data" / f"{name}.parquet", rows_for(CARDS[name]))
    monkeypatch.setenv("MASKTUNE_MIRROR", str(tmp_path / "mirror"))
    checkpoint = str(checkpoints["bert"])
    said = train(tmp_path, monkeypatch, data=data, task=task, method=method, checkpoint=checkpoint, rows=12)
    covered = {name_of(path) for path in source.files(data)}
    assert set(said["loaded"]) - covered == set()
    assert covered - set(said["loaded"]) <= NOT_ALWAYS
    assert said["source"] == source.source(data)


def test_a_run_depends_on_its_own_collection_alone():
    embedded, real = ({name_of(path) for path in source.files(data)} for data in ("embedded", "real"))
    assert "masktune.data.world.sentiment" in embedded - real and "masktune.data.real" in real - embedded
    assert source.source("embedded") != source.source("real")


def test_what_only_plans_stores_or_shows_is_no_part_of_it():
    covered = {name_of(path) for path in source.files("embedded", "real")}
    upper = ("masktune.analysis", "masktune.study.plan", "masktune.study.execute", "masktune.study.store.gather")
    assert not [name for name in covered if name.startswith((*upper, "masktune.statistics", "masktune.__main__"))]
    assert {"masktune", "masktune.losses", "masktune.study.run.source", "masktune.pretraining.mlm"} <= covered


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import p.a", {"p.a"}),
        ("import p.a as a", {"p.a"}),
        ("from p import a", {"p", "p.a"}),
        ("def run():\n    from p.a import name", {"p.a", "p.a.name"}),
        ("class A:\n    if True:\n        import p.a", {"p.a"}),
        ("if TYPE_CHECKING:\n    import p.a", set()),
        ("if typing.TYPE_CHECKING:\n    import p.a\nelse:\n    import p.b", {"p.b"}),
        ("text = 'import p.a'", set()),
    ],
)
def test_imports_are_read_where_they_are_executed(code, found):
    assert source.imports(code) == found


def test_modules_are_reached_through_others_and_a_package_through_what_lies_in_it(tmp_path):
    codes = {"p": "import p.facade", "p.facade": "", "p.a": "def run():\n    import p.b.c", "p.b": "", "p.b.c": ""}
    codes |= {"p.other": "import p.a"}
    known = {name: tmp_path / f"{name}.py" for name in codes}
    for name, code in codes.items():
        known[name].write_text(code)
    assert source.reach(["p.a"], known) == {"p", "p.facade", "p.a", "p.b", "p.b.c"}
