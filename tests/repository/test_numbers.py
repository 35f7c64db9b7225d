"""What README says of the results as they are committed: computed anew from their stored answers.

Read from git and not from results/, which the commands of README rewrite.
"""

import io
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from masktune.analysis.accuracy import numbers
from masktune.analysis.answers import blocks
from masktune.analysis.formatting import interval, number

ROOT = Path(__file__).parents[2]


def committed(path):
    """A file of the last commit; skipped where this is no clone."""
    try:
        shown = subprocess.run(["git", "show", f"HEAD:{path}"], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"{path} is not in a commit of this folder")
    return io.BytesIO(shown.stdout)


@pytest.fixture(scope="module")
def laptop():
    """The main table and the differences of Mask-tuning from fine-tuning, by set."""
    runs, predictions = (
        pd.read_parquet(committed(f"results/laptop/{name}.parquet")) for name in ("runs", "predictions")
    )
    runs = runs[(runs["task"] == "paraphrase") & runs["label"].isin(["fine-tuning", "Mask-tuning"])]
    found = blocks(runs, predictions[predictions["run_id"].isin(runs["run_id"])])
    main = numbers.main(found).set_index(["set", "method"])
    return main, numbers.differences(found, runs).set_index("set")


@pytest.fixture(scope="module")
def readme():
    return " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def test_the_accuracies_on_paws_stand_beside_a_constant_answer(laptop, readme):
    main, _ = laptop
    ours, plain = (main.loc[("paws_qqp", label)] for label in ("Mask-tuning", "fine-tuning"))
    said = f"gains accuracy ({number(ours['accuracy'])} against {number(plain['accuracy'])} %), but always answering"
    assert f'{said} "different" would score {number(ours["majority"])} %' in readme


@pytest.mark.parametrize(("name", "where"), [("paws_qqp", "there"), ("qqp_validation", "on QQP validation")])
def test_the_ranking_is_told_by_its_difference_and_interval(laptop, readme, name, where):
    row = laptop[1].loc[name]
    gap = interval(row["auroc"], row["auroc_low"], row["auroc_high"], sign=True)
    assert f"{gap} points {where}" in readme
    assert f"over {row['seeds']} seeds" in readme


def test_no_size_is_told_without_its_number(readme):
    assert "a little better" not in readme and "many points" not in readme
