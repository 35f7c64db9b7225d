"""What RESULTS.md, README and the deviations log say of the results is made from them as they are committed."""

import io
import tomllib

import pandas as pd
import pytest
from repository.conftest import committed_files, committed_text, git

from masktune.analysis.summary import agreement, history, page, readme, write
from masktune.analysis.summary.records import read
from masktune.data import EVALUATION
from masktune.data.world import settings
from masktune.study.paths import results_root

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
    assert committed_text("RESULTS.md") == page.write(records, agreement.bullets(results_root()))


@pytest.mark.parametrize("name", ["findings", "studies"])
def test_so_are_the_generated_parts_of_readme(records, name):
    made = {"findings": readme.write, "studies": readme.studies}[name](records)
    text = committed_text("README.md")
    assert write.fill(text, name, made, "README.md") == text


def test_so_are_the_tables_of_the_deviations_log(records):
    text = committed_text("studies/deviations.md")
    for name, table in history.tables(records).items():
        assert write.fill(text, name, table, "deviations.md") == text


def test_the_report_is_about_a_page():
    assert len(committed_text("RESULTS.md").splitlines()) <= 150


@pytest.mark.parametrize("name", ["embedded", "real"])
def test_the_history_holds_what_the_commits_held(name):
    kept = pd.read_csv(io.StringIO(committed_text(f"results/history/{name}.csv")))
    for (commit, study), rows in kept.assign(study=kept.get("study", "embedded")).groupby(["commit", "study"]):
        then = pd.read_csv(io.BytesIO(git("show", f"{commit}:results/{study}/tables/differences.csv")))
        then = then[then["second"] == "Mask-tuning"].set_index(["task", "model", "set"])
        own = rows.set_index(["task", "model", "set"])
        for column in ("difference", "low", "high", "seeds"):
            assert own[column].to_dict() == pytest.approx(then[column].to_dict(), rel=1e-4)


def test_the_table_that_fixed_the_world_is_that_of_the_study_of_convergence():
    """`masktune.data.world.settings` shows the accuracies on which the strengths of the world were fixed."""
    runs = pd.read_parquet(io.BytesIO(git("show", ":results/convergence/runs.parquet")))
    assert table_of_the_world(runs[runs["model"] == "bert"]) in " ".join((settings.__doc__ or "").split())


def table_of_the_world(runs: pd.DataFrame) -> str:
    """The rows of the table, the words of one line after the other."""
    words: list[str] = []
    for task, sets in EVALUATION["embedded"].items():
        for number, name in enumerate(sets):
            accuracies = [
                100
                * runs.loc[(runs["task"] == task) & (runs["label"] == label) & (runs["seed"] < 3), f"accuracy/{name}"]
                for label in [f"{row} (epochs {epochs})" for row, epochs in ROWS_OF_THE_WORLD]
            ]
            shown = [f"{own.mean():.1f} ({own.min():.0f}-{own.max():.0f})" for own in accuracies[:3]]
            words += [task] * (number == 0) + [name, *shown, *(f"{own.mean():.1f}" for own in accuracies[3:])]
    return " ".join(words)


ROWS_OF_THE_WORLD = [
    *(("fine-tuning", epochs) for epochs in (10, 20, 40)),
    *(("fine-tuning, cue-free", epochs) for epochs in (10, 40)),
]


def test_the_log_gives_the_difference_on_paws_qqp_that_the_table_has():
    table = pd.read_csv(io.StringIO(committed_text("results/laptop/tables/claims.csv")))
    row = table[(table["claim"] == 2) & (table["set"] == "paws_qqp")].iloc[0]
    balanced = row["balanced"] - row["against_balanced"]
    said = f"({row['difference']:+.1f} points of accuracy, {balanced:+.1f} of balanced accuracy"
    assert said.replace("-", "\N{MINUS SIGN}") in " ".join(committed_text("studies/deviations.md").split())
    assert row["constant"] > max(row["accuracy"], row["against_accuracy"])


def test_the_log_and_the_study_say_how_far_the_longer_pretraining_levelled_off():
    table = pd.read_csv(io.StringIO(committed_text("results/convergence/tables/language_models.csv")))
    usual, longer = (table[table["model"] == name] for name in ("bert", "bert-48000"))
    assert set(longer["steps"]) == {48_000} and set(usual["steps"]) == {4_800}
    assert "the same model pre-trained ten times as long" in committed_text("README.md")
    assert (len(longer), longer["levelled_off"].sum(), usual["levelled_off"].sum()) == (3, 2, 0)
    *level, moving = sorted(longer["last_gain"])
    said = committed_text("studies/convergence.toml").replace("\n# ", " ")
    assert f"two of the three have levelled off, {level[0]:.3f} and {level[1]:.3f}, one has not, {moving:.3f}" in said
    assert f"({usual['last_gain'].min():.2f} to {usual['last_gain'].max():.2f} nats of held-out loss in the" in said
    gates = pd.read_csv(io.StringIO(committed_text("results/convergence/tables/gates.csv"))).query("passed == 'failed'")
    assert set(zip(gates["model"], gates["task"], strict=True)) == {("bert-48000", "sentiment")} and len(gates) == 2
    assert "two of the three then levelled off, and the third came near" in " ".join(
        committed_text("studies/deviations.md").split()
    )


def test_the_log_says_which_controls_and_remedies_did_not_train():
    """That they are two sets of RoBERTa, two of Product of Experts, and that no tested claim stands on them."""
    frames = {
        name: pd.read_csv(io.StringIO(committed_text(f"results/{name}/tables/gates.csv")))
        for name in ("embedded", "methods", "ablations", "convergence", "laptop", "collapse")
    }
    found = pd.concat([frame.assign(study=name) for name, frame in frames.items()])
    rows = found[found["passed"] == "did not train"].groupby(["study", "role", "method", "model"]).size()
    assert rows.to_dict() == {
        ("embedded", "control", "fine-tuning, cue-free", "roberta"): 2,
        ("methods", "remedy", "Product of Experts", "bert"): 2,
    }
    claims = pd.read_csv(io.StringIO(committed_text("results/embedded/tables/claims.csv")))
    assert set(claims.loc[claims["model"] == "roberta", "test"]) == {"estimate"}


def test_the_log_says_how_many_sources_made_the_runs_on_real_data():
    """Five, which count as one by runs of both methods that were trained by each on one CPU."""
    runs = [
        pd.read_parquet(io.BytesIO(git("show", f":results/{name}/runs.parquet"))) for name in ("laptop", "collapse")
    ]
    done = pd.concat(runs).query("status == 'done'")
    assert done["source"].nunique() == 5 and (done["device"] != "cpu").mean() > 0.5
    entries = tomllib.loads(committed_text("results/neutral.toml"))["neutral"]
    changes = [entry for entry in entries if entry["study"] == "collapse"]
    assert {entry["before"] for entry in changes} | {changes[0]["after"]} == set(done["source"])
    checked = done[done["run_id"].isin([run for entry in changes for run in entry["checked"]])]
    assert set(checked["label"]) == {"fine-tuning (epochs 0.2375)", "Mask-tuning (epochs 0.2375)"}
    [other] = [entry for entry in entries if entry["study"] == "laptop"]
    assert done["source"].mode().tolist() == [other["before"]]
    epochs = done[done["run_id"].isin(other["checked"])]
    assert sorted(epochs["label"] + " " + epochs["task"]) == [
        "fine-tuning, one epoch inference", "fine-tuning, one epoch paraphrase",
    ]  # fmt: skip
    assert {entry["on"] for entry in [*changes, other]} == {"cpu, AMD EPYC"}
