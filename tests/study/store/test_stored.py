"""What is read of a run is what was stored, and a result: damage and divergence are found wherever runs are read."""

import json
import math
import re
import shutil

import pyarrow
import pyarrow.parquet
import pytest
from study.conftest import predictions, records, store

from masktune.errors import MaskTuneError
from masktune.study.execute import efficiency
from masktune.study.paths import PACKAGE, runs_folder
from masktune.study.paths import folder as folder_of
from masktune.study.plan import listing
from masktune.study.run import cell as cells
from masktune.study.store import gather, runs, stored

pytestmark = pytest.mark.slow


@pytest.fixture
def cell(study):
    return study.cells[0]


def by_hand(path, other):
    metrics = json.loads((path / "metrics.json").read_text())
    metrics["accuracy"]["validation"] = 0.99
    (path / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")


def flip(at):
    def damage(path, other):
        content = bytearray((path / "predictions.parquet").read_bytes())
        content[int(at * len(content))] ^= 1
        (path / "predictions.parquet").write_bytes(content)

    return damage


def whole_folder_of_another(path, other):
    shutil.rmtree(path)
    shutil.copytree(other, path)


DAMAGES = {
    "an accuracy changed by hand": ("metrics.json", by_hand),
    "predictions of another run": (
        "predictions.parquet",
        lambda path, other: shutil.copy(other / "predictions.parquet", path / "predictions.parquet"),
    ),
    "a folder of another run": ("run.json", whole_folder_of_another),
    "an empty DONE": ("DONE", lambda path, other: (path / "DONE").write_text("")),
    "no DONE": ("DONE", lambda path, other: (path / "DONE").unlink()),
    "a DONE without digests": ("run.json", lambda path, other: (path / "DONE").write_text("{}")),
    "a DONE that is a list": ("DONE", lambda path, other: (path / "DONE").write_text("[]")),
    **{f"a bit flipped at {at}": ("predictions.parquet", flip(at)) for at in (0.0, 0.2, 0.5, 0.8, 0.999)},
    **{f"{name} is gone": (name, lambda path, other, name=name: (path / name).unlink()) for name in stored.FILES},
    "a file in its place": ("DONE", lambda path, other: (shutil.rmtree(path), path.write_text("x"))),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_run_is_named_with_its_file_and_not_counted_as_done(study, cell, what):
    name, damage = DAMAGES[what]
    path, other = store(cell, 0), store(cell, 1, right=1)
    damage(path, other)
    said = f"run {path.name} is damaged: {name} "
    for text in (listing.status(study, lambda _: True), listing.plan(study, lambda _: True)):
        assert said in text
    assert "small: 1 done, 0 failed, 1 damaged, 6 missing" in listing.status(study, lambda _: True)
    assert runs.find_done(study.name, map(cell.run_id, cell.seeds)) == {cell.run_id(1)}
    for look in (cells.accuracies, cells.results, cells.histories, cells.costs):
        with pytest.raises(MaskTuneError, match=f"^run {path.name}: {name} .* run the study again: it puts the folder"):
            look(cell)
    table = gather.gather(study).set_index("run_id")
    assert table.loc[path.name, "status"] == "damaged" and table.loc[path.name, "error"].startswith(name)
    assert set(gather.read(study.name)[1]["run_id"]) == {other.name} == set(gather.read_histories(study.name)["run_id"])


def test_what_lies_beside_the_files_of_a_run_is_no_damage(cell):
    (store(cell, 0) / ".DS_Store").write_text("")
    runs.verify(cell.study, cell.run_id(0))


def answers(logits):
    column = pyarrow.array(logits, pyarrow.list_(pyarrow.float32()))
    return predictions().set_column(7, "logits", column)


def log(**entry):
    return [*records()["history"], {"step": 3, **entry}]


NAN, INFINITE = math.nan, math.inf


LOGITS = [[0.5, -0.5], [0.25, 0.75]] * 2


DIVERGED = {
    "one logit is not finite": (answers([*LOGITS[:3], [0.5, NAN]]), [], "the logits of 1 of 4 examples are not finite"),
    "all logits are": (answers([[NAN, NAN]] * 4), [], "the logits of 4 of 4 examples are not finite"),
    "an infinite logit": (answers([*LOGITS[:3], [0.5, -INFINITE]]), [], "1 of 4 examples are not finite"),
    "the input is not read": (answers([[0.5, -0.25]] * 4), [], "all 4 examples are the same, [0.5, -0.25]"),
    "the loss at the last step": (answers(LOGITS), log(learning_rate=0.9, loss=NAN), "loss is not finite at step 3"),
    "an infinite loss": (answers(LOGITS), log(learning_rate=0.9, loss=INFINITE), "loss is not finite at step 3"),
    "the loss of evaluation": (answers(LOGITS), log(eval_accuracy=0.5, eval_loss=NAN), "eval_loss is not finite"),
    "the loss of all training": (answers(LOGITS), log(total_flos=1.0, train_loss=NAN), "train_loss is not finite"),
    "the loss of a term": (answers(LOGITS), log(learning_rate=0.9, loss=0.5, loss_mlm=NAN), "loss_mlm is not finite"),
}  # fmt: skip


def write(cell, seed, table, history):
    return runs.write(cell.study, cell.run_id(seed), {**records(), "history": history}, table)


@pytest.mark.parametrize("what", DIVERGED)
def test_a_run_that_diverged_is_not_stored(cell, results, what):
    table, history, line = DIVERGED[what]
    with pytest.raises(MaskTuneError, match="lower the learning rate") as caught:
        write(cell, 0, table, history)
    assert line in str(caught.value) and "\n" not in str(caught.value)
    assert not (results / "small" / "runs").exists()


@pytest.mark.parametrize("what", DIVERGED)
def test_one_that_an_older_version_stored_counts_as_failed(study, cell, monkeypatch, what):
    table, history, line = DIVERGED[what]
    with monkeypatch.context() as older:
        older.setattr(stored, "check_result", lambda logits, history: None)
        path, other = write(cell, 0, table, history), store(cell, 1)
    text = listing.status(study, lambda _: True)
    assert "small: 1 done, 1 failed, 6 missing" in text and line in text
    assert cells.accuracies(cell)["seed"].unique().tolist() == [1]
    found = gather.gather(study).set_index("run_id")
    assert found.loc[path.name, "status"] == "failed" and line in found.loc[path.name, "error"]
    assert set(gather.read(study.name)[1]["run_id"]) == {other.name} == set(gather.read_histories(study.name)["run_id"])


# A term whose loss is null in the gathered table may not have been logged; the losses that always are, are known.
@pytest.mark.parametrize("what", [what for what in DIVERGED if what != "the loss of a term"])
def test_one_that_an_older_version_gathered_counts_as_failed(study, cell, monkeypatch, what):
    table, history, line = DIVERGED[what]
    with monkeypatch.context() as older:
        older.setattr(stored, "check_result", lambda logits, history: None)
        paths = write(cell, 0, table, history), store(cell, 1)
        gather.gather(study)
    for path in paths:
        shutil.rmtree(path)
    if "logits" in line:
        with pytest.raises(MaskTuneError, match=f"run {paths[0].name} is no result .*; run: python -m masktune gather"):
            gather.read(study.name)
    found = gather.gather(study).set_index("run_id")
    assert found.loc[paths[0].name, "status"] == "failed" and line in found.loc[paths[0].name, "error"]
    assert found["status"].value_counts().to_dict() == {"missing": 6, "failed": 1, "done": 1}
    assert (
        set(gather.read(study.name)[1]["run_id"]) == {paths[1].name} == set(gather.read_histories(study.name)["run_id"])
    )


def test_a_bad_run_is_a_result(study, cell):
    store(cell, 0, right=0)
    assert gather.gather(study).set_index("run_id").loc[cell.run_id(0), ["status", "accuracy/validation"]].tolist() == [
        "done",
        0.0,
    ]


def spoil(name, text):
    return lambda folder, run: (folder / name.format(run=run)).write_text(text)


GATHERED = {name: f"{name}/00.parquet" if name == gather.PREDICTIONS else name for name in gather.FILES}
BROKEN = {
    **{f"a failure marker that holds {text}": spoil("runs/{run}.failed.json", text) for text in ("", "[1]", "{}")},
    **{f"a grid.json that holds {text!r}": spoil("grid.json", text) for text in ("", "{}", "[1]", '[{"runs": 3}]')},
    **{f"{name} of a run": spoil("runs/{run}/" + name, "{") for name in (*stored.FILES, "DONE")},
    **{name: spoil(place, "PAR1 and nothing more") for name, place in GATHERED.items()},
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_named_alone_and_never_costs_another_run(study, cell, what, results):
    folder, [run, other, elsewhere] = folder_of("small"), [cell.run_id(0), cell.run_id(1), study.cells[1].run_id(0)]
    if "marker" not in what:
        store(cell, 0)
    store(cell, 1), store(study.cells[1], 0)
    gather.gather(study)
    shutil.rmtree(runs.run_folder("small", elsewhere))
    BROKEN[what](folder, run)
    lines = []
    for work in (
        lambda: listing.status(study, lambda _: True),
        lambda: str(gather.gather(study)["error"].tolist()),
        lambda: gather.read("small"),
        lambda: cells.accuracies(cell),
        lambda: efficiency.record_call("small", 1, [other]).__enter__() and str(efficiency.read("small")),
    ):
        try:
            lines.append(work())
        except MaskTuneError as error:
            lines.append(str(error))
    text = " ".join(line for line in lines if isinstance(line, str))
    assert "delete" not in text
    assert runs.find_done("small", [other]) == {other}
    if what in GATHERED:
        assert f"{folder / what} cannot be read" in text and "restore that file, or rename it" in text
        for name in {what, gather.RUNS}:
            (folder / name).rename(folder / f"renamed {name}")
        assert set(gather.gather(study).query("status == 'done'")["run_id"]) == {run, other}


@pytest.mark.parametrize("path", sorted((PACKAGE / "study").rglob("*.py")), ids=lambda path: path.stem)
def test_no_module_of_the_study_tells_anybody_to_delete(path):
    assert not re.search(r"\b(delete|remove|rm) (the|its|this)\b.*(folder|file|run)", path.read_text())


def test_a_broken_failure_marker_still_says_that_the_run_failed(study, cell):
    runs.check_writable("small")
    (runs_folder("small") / f"{cell.run_id(0)}.failed.json").write_text("{")
    line = f"it failed; {cell.run_id(0)}.failed.json should say why and cannot be read"
    assert "small: 0 done, 1 failed, 7 missing" in (text := listing.status(study, lambda _: True)) and line in text
    assert gather.gather(study).set_index("run_id").loc[cell.run_id(0), "error"].startswith(line)
