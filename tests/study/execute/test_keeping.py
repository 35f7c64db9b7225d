"""Runs that the gathered files hold and no folder here: kept where that is asked for, by run, plan, tune and gather."""

import shutil
from contextlib import nullcontext

import pandas
import pytest
from study.conftest import predictions, records, store
from study.tuned_study import parsed

from masktune import __main__
from masktune.errors import MaskTuneError
from masktune.study.design import arms
from masktune.study.design.load import parse_study
from masktune.study.execute import runner
from masktune.study.paths import folder, runs_folder
from masktune.study.plan import listing, trials
from masktune.study.store import gather, runs

ANSWERS = f"{gather.PREDICTIONS}/00.parquet"


def everything(cell):
    return True


@pytest.fixture
def gathered(study):
    """Three of the eight runs were made elsewhere: both seeds of the first cell, one of the second."""
    first, second, *_ = study.cells
    for cell, seed, right in ((first, 0, 3), (first, 1, 1), (second, 0, 2)):
        store(cell, seed, right=right)
    gather.gather(study)
    shutil.rmtree(runs_folder(study.name))
    return {first.run_id(0), first.run_id(1), second.run_id(0)}


@pytest.fixture
def trained(monkeypatch):
    """The ids of the runs that were made, by a grid without a cluster: a notebook stores what has no folder."""
    made = []

    def execute(grid):
        for job in [job for job in grid.rank if not job.code]:
            for seed in job.cell.seeds:
                if not runs.is_done(job.cell.study, job.cell.run_id(seed)):
                    store(job.cell, seed, right=4)
                    made.append(job.cell.run_id(seed))
            grid._count_cell(job)

    monkeypatch.setattr(runner._Grid, "run", execute)
    monkeypatch.setattr(runner.cluster, "local_cluster", lambda *arguments: nullcontext())
    return made


def declared(study):
    return {cell.run_id(seed) for cell in study.cells for seed in cell.seeds}


def test_what_was_gathered_is_made_again_unless_it_is_to_be_kept(study, gathered, trained):
    summary = runner.run(study, jobs=1)
    assert (summary.done_before, summary.kept, summary.made) == (0, 0, 8)
    assert set(trained) == declared(study)


def test_what_is_kept_is_not_made_and_gathering_merges_it_with_what_was(study, gathered, trained):
    before = gather.gather(study)
    answers, logs = gather.read("small")[1], gather.read_histories("small")
    summary = runner.run(study, jobs=1, keep_gathered=True)
    assert (summary.done_before, summary.kept, summary.made) == (3, 3, 5)
    assert sorted(trained) == sorted(declared(study) - gathered)
    for _ in range(2):
        table = gather.gather(study)
        assert table["run_id"].is_unique and (table["status"] == "done").all()
        assert same(table[list(before)], gathered) == same(before, gathered)
        frame, history = gather.read("small")[1], gather.read_histories("small")
        assert frame["run_id"].value_counts().to_dict() == dict.fromkeys(declared(study), 4)
        assert same(frame, gathered) == same(answers, gathered)
        assert same(history, gathered) == same(logs, gathered)
    assert runner.run(study, jobs=1, keep_gathered=True).made == 0


def same(table, run_ids):
    """What a table says of the runs, in its order; nothing is nothing, of whatever type."""
    table = table[table["run_id"].isin(run_ids)].astype(object)
    return [str(list(row.items())) for row in table.where(table.notna(), None).to_dict("records")]


def test_the_plan_counts_what_the_run_will_keep(study, gathered, trained):
    text = listing.plan(study, everything)
    assert "4 cells, 8 runs, 0 done, 8 to do" in text
    assert "3 of those to do were gathered before: --keep-gathered does not train them again" in text
    text = listing.plan(study, everything, keep_gathered=True)
    assert "4 cells, 8 runs, 3 done (3 as they were gathered before), 5 to do" in text
    assert "--keep-gathered" not in text
    only = study.cells[0]
    text = listing.plan(study, lambda cell: cell is only, keep_gathered=True)
    assert "1 cells, 2 runs, 2 done (2 as they were gathered before), 0 to do" in text
    summary = runner.run(study, select=lambda cell: cell is only, keep_gathered=True)
    assert (summary.done_before, summary.kept, trained) == (2, 2, [])


def test_the_bar_says_how_many_are_kept(study, gathered, trained, monkeypatch):
    shown = []
    bar = runner._bar
    monkeypatch.setattr(runner, "_bar", lambda name, total: shown.append((name, total)) or bar(name, total))
    runner.run(study, jobs=1, keep_gathered=True)
    assert shown == [("small, 3 kept", 5)]


def test_what_lies_here_goes_before_what_was_gathered(study, gathered, trained):
    """As it does when runs are gathered: a run that failed here, or whose folder is damaged, is made again."""
    first, second, *_ = study.cells
    runs.mark_failed(first, 0, "ValueError: no")
    (store(second, 0) / "DONE").unlink()
    summary = runner.run(study, jobs=1, keep_gathered=True)
    assert (summary.done_before, summary.kept, summary.made) == (1, 1, 7)
    assert (gather.gather(study)["status"] == "done").all()


def test_a_gathered_run_that_diverged_is_not_kept(study, trained):
    path = store(study.cells[0], 0)
    gather.gather(study)
    shutil.rmtree(path)
    logs = folder("small") / gather.HISTORIES
    pandas.read_parquet(logs).assign(loss=float("inf")).to_parquet(logs)
    assert gather.find_kept(study) == {}


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (gather.RUNS, lambda path: path.write_text("no"), "runs.parquet cannot be read"),
        (gather.PREDICTIONS, shutil.rmtree, "predictions cannot be read .no Parquet file in it.; restore that file"),
        (ANSWERS, lambda path: path.write_text("no"), "predictions cannot be read"),
        (gather.HISTORIES, lambda path: path.write_text("no"), "histories.parquet cannot be read"),
        (ANSWERS, lambda path: rewrite(path, lambda table: table[4:]), "has nothing of it; restore runs.p"),
        (
            gather.RUNS,
            lambda path: rewrite(path, lambda table: table.assign(**{"accuracy/validation": 0.9})),
            "0.9, is",
        ),
    ],
)
def test_damaged_results_are_refused_in_one_line(study, gathered, trained, file, change, message):
    change(folder("small") / file)
    for refuse in (
        lambda: runner.run(study, jobs=1, keep_gathered=True),
        lambda: listing.plan(study, everything, keep_gathered=True),
    ):
        with pytest.raises(MaskTuneError, match=message) as error:
            refuse()
        assert "\n" not in str(error.value)
    assert trained == []


def rewrite(path, change):
    change(pandas.read_parquet(path)).to_parquet(path)


def test_runs_of_another_world_are_not_kept(study, trained):
    cell, made = study.cells[0], records()
    made["environment"]["data"] = {"train": "d", "validation": "of another version"}
    path = runs.write("small", cell.run_id(0), made, predictions())
    gather.gather(study)
    shutil.rmtree(path)
    with pytest.raises(MaskTuneError, match="made in another version of the embedded world, and cannot be kept; make"):
        runner.run(study, jobs=1, keep_gathered=True)


def test_the_numbers_on_diversity_are_kept_beside_runs_of_their_training(table, trained):
    study = parse_study({**table, "diversity": {"task": "sentiment", "seeds": 1}})
    runs_folder("small").mkdir(parents=True)
    ids = {study.cells[0].run_id(0)}
    path = arms.gathered_file(study.name)
    assert not arms.is_gathered(study, ids)
    path.write_text("label,seed\n" + "".join(f"{label},0\n" for label in arms.ARMS))
    assert arms.is_gathered(study, ids)
    assert not arms.is_gathered(study, {cell.run_id(0) for cell in study.cells if cell.task == "inference"})
    assert not arms.is_gathered(parse_study({**table, "diversity": {"task": "sentiment", "seeds": 2}}), ids)


def test_trials_that_were_gathered_are_kept_too(trained, monkeypatch, tmp_path, capsys):
    study = parsed()
    of_trials = trials.study_of_trials(study)
    cell = of_trials.cells[0]
    store(cell, cell.seeds[0])
    gather.gather(of_trials)
    shutil.rmtree(runs_folder(of_trials.name))
    monkeypatch.setattr("masktune.study.design.load.load_study", lambda name: study)
    monkeypatch.setattr(trials, "tuned_folder", lambda name: tmp_path)
    assert __main__.main(["tune", "toy", "--keep-gathered", "--jobs", "1"]) == 0
    assert "1 were done before (1 as they were gathered" in capsys.readouterr().out
    assert set(trained) == declared(of_trials) - {cell.run_id(cell.seeds[0])}


def test_the_command_says_how_many_were_kept(study, gathered, trained, monkeypatch, capsys):
    monkeypatch.setattr("masktune.study.design.load.load_study", lambda name: study)
    assert __main__.main(["run", "small", "--keep-gathered", "--jobs", "1"]) == 0
    said = "small: 5 runs made, 3 were done before (3 as they were gathered, without a folder here), 0 cells failed"
    assert said in capsys.readouterr().out
    assert set(trained) == declared(study) - gathered
