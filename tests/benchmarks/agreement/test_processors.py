"""A study on two kinds of processor: every run meets its twin, and the means are those computed by hand."""

import shutil
from pathlib import Path

import pandas
import pytest

from benchmarks.agreement import __main__ as command
from benchmarks.agreement import processors, tables
from masktune.errors import MaskTuneError

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture
def gathered(tmp_path):
    """`gathered(name, processor, change)` -> a folder of results of the golden study, its runs changed."""

    def make(name, processor, change=lambda runs: runs):
        folder = tmp_path / name / "golden"
        shutil.copytree(GOLDEN / "tables", folder / "tables")
        runs = pandas.read_parquet(GOLDEN / "runs.parquet")
        change(runs.assign(processor=processor)).to_parquet(folder / "runs.parquet")
        return folder

    return make


def lift_the_first_seed(runs):
    """Another accuracy on HANS' counterpart for seed 0 of fine-tuning alone."""
    chosen = (runs["label"] == "fine-tuning") & (runs["seed"] == 0) & runs["accuracy/heuristics"].notna()
    return runs.assign(**{"accuracy/heuristics": runs["accuracy/heuristics"].where(~chosen, 0.9)})


def test_every_run_meets_its_twin_and_means_are_those_by_hand(gathered):
    here, there = gathered("here", "one"), gathered("there", "other", lift_the_first_seed)
    rows = processors.compare(here, there)
    assert set(rows["set"]) == set(pandas.read_csv(here / "tables" / "main.csv")["set"])
    frame = processors.summarise(rows).set_index(["set", "method"])
    row = frame.loc[("heuristics", "fine-tuning")]
    values = pandas.read_parquet(here / "runs.parquet").query("label == 'fine-tuning'")
    values = values.dropna(subset="accuracy/heuristics").sort_values("seed")["accuracy/heuristics"]
    moved = (90 - 100 * values.iloc[0]) / len(values)
    assert row["seeds"] == len(values) == 9 and row["same"] == 8
    assert row["moved"] == pytest.approx(moved) and row["a_seed"] == pytest.approx(abs(moved))
    assert row["there"] - row["here"] == pytest.approx(moved)
    assert row["moved_low"] < min(0, moved) and row["moved_high"] > max(0, moved)  # one of nine seeds moved: t is 1
    ahead = frame.loc[("heuristics", "Mask-tuning")]
    assert ahead["there_ahead"] - ahead["here_ahead"] == pytest.approx(-moved) and ahead["moved"] == 0
    assert frame.drop(index=("heuristics", "fine-tuning"))["a_seed"].eq(0).all()
    table = tables.processors(rows)
    assert "made on one, and the same runs on other" in table.caption
    assert "Of 53 runs 52 have the same accuracy" in table.caption  # one of the 54 failed


@pytest.mark.parametrize(
    ("processor", "change", "message"),
    [
        ("one", lambda runs: runs, "the same kind of processor, one"),
        ("other", lambda runs: runs.iloc[1:], "alone has: 1; gather"),
    ],
)
def test_what_cannot_be_compared_is_one_line(gathered, processor, change, message):
    here = gathered("here", "one")
    with pytest.raises(MaskTuneError, match=message):
        processors.compare(here, gathered("there", processor, change))


def test_the_command_keeps_the_runs_and_lays_them_out(gathered, tmp_path, monkeypatch):
    gathered("here", "one")
    claims = gathered("there", "other", lift_the_first_seed) / "tables" / "claims.csv"
    rows = pandas.read_csv(claims)
    rows.assign(verdict=["another", *rows["verdict"].iloc[1:]]).to_csv(claims, index=False)
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path / "here"))
    given = ["--study", "golden", "--only", "processors", "--only", "tables", "--output", str(tmp_path / "out")]
    assert command.main([*given, "--other", str(tmp_path / "there")]) == 0
    kept = (tmp_path / "out" / command.ELSEWHERE).read_bytes()
    assert "another kind of processor" in (tmp_path / "out" / "processors.md").read_text()
    assert f"{len(rows) - 1} of {len(rows)} verdicts are the same" in (tmp_path / "out" / "verdicts.md").read_text()
    assert command.main([*given, "--other", str(tmp_path / "there")]) == 0
    assert (tmp_path / "out" / command.ELSEWHERE).read_bytes() == kept


def test_the_part_that_is_asked_for_wants_another_machine(tmp_path, capsys):
    assert command.main(["--only", "processors", "--output", str(tmp_path)]) == 2
    assert "with --other" in (said := capsys.readouterr().err) and said.count("\n") == 1
