"""What RESULTS.md, README and the deviations log say of the results is made from them as they are committed."""

import io

import pandas as pd
import pytest
from repository.conftest import committed_files, committed_text, git

from masktune.analysis.summary import history, page, write
from masktune.analysis.summary.records import read

PREFIX = "results/"
SHOWN = ("/runs.parquet", ".csv")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """The studies with their results as git's index holds them, and not as a user's commands have made them since."""
    folder = tmp_path_factory.mktemp("committed")
    for path in committed_files():
        if path.startswith(PREFIX) and path.endswith(SHOWN):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(git("show", f":{path}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKTUNE_RESULTS", str(folder / PREFIX))
        yield read()


def test_results_md_is_what_the_command_writes(records):
    assert committed_text("RESULTS.md") == page.write(records)


@pytest.mark.parametrize("name", ["findings", "studies"])
def test_so_are_the_generated_parts_of_readme(records, name):
    made = {"findings": write.readme, "studies": page.studies}[name](records)
    text = committed_text("README.md")
    assert write.fill(text, name, made, "README.md") == text


def test_so_are_the_tables_of_the_deviations_log(records):
    text = committed_text("studies/deviations.md")
    for name, table in history.tables(records).items():
        assert write.fill(text, name, table, "deviations.md") == text


def test_the_report_is_about_a_page():
    assert len(committed_text("RESULTS.md").splitlines()) <= 120


@pytest.mark.parametrize("name", ["embedded", "real"])
def test_the_history_holds_what_the_commits_held(name):
    kept = pd.read_csv(io.StringIO(committed_text(f"results/history/{name}.csv")))
    for (commit, study), rows in kept.assign(study=kept.get("study", "embedded")).groupby(["commit", "study"]):
        then = pd.read_csv(io.BytesIO(git("show", f"{commit}:results/{study}/tables/differences.csv")))
        then = then[then["second"] == "Mask-tuning"].set_index(["task", "model", "set"])
        own = rows.set_index(["task", "model", "set"])
        for column in ("difference", "low", "high", "seeds"):
            assert own[column].to_dict() == pytest.approx(then[column].to_dict(), rel=1e-4)
