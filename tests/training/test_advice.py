"""What a user is told by default, and that the rule behind the warning is that of the stored runs."""

import logging
from pathlib import Path

import pandas as pd
import pytest
import torch
from tiny_runs import losses, same, weights

from masktune import FineTuning, MaskTuning, MaskTuningTrainer, methods
from masktune.training import advice
from masktune.training.advice import INTERVALS, READINGS, STEPS_FOR_RATIO, Ratio, hardly_learns, opening
from masktune.training.gradients import TermGradient

RESULTS = Path(__file__).parents[2] / "results"
PLACE = ["model", "task"]


def stored(study: str, accuracy: str = "accuracy/validation") -> pd.DataFrame:
    """A row for each method x model x task whose gradients meet in one encoder, of all its seeds.

    `ratio` is the median over the seeds of what the trainer reads: the weighted norms, mean over the first fifth.
    `lost` is the accuracy in distribution that fine-tuning of the same seeds and steps has more, in points.
    """
    runs = pd.read_parquet(RESULTS / study / "runs.parquet").query("status == 'done'")
    logs = pd.read_parquet(RESULTS / study / "histories.parquet").dropna(subset=["norm_mlm"])
    logs = logs.merge(runs[["run_id", "steps"]], on="run_id")
    early = logs[logs["step"] <= logs["steps"] * READINGS / INTERVALS].groupby("run_id")
    norms = early[["norm_mlm", "norm_classification"]].mean()
    weight = runs["alpha"] / (1 - runs["alpha"])
    runs["ratio"] = runs["run_id"].map(norms["norm_mlm"] / norms["norm_classification"]) * weight
    runs["accuracy"] = 100 * runs[accuracy]
    apart = runs["options"].str.contains('"separate"|"frozen"|"equalised"')
    pairs = runs[runs["ratio"].notna() & ~apart].merge(
        plain_fine_tuning(runs), on=[*PLACE, "seed", "steps"], suffixes=("", "_plain")
    )
    pairs["lost"] = pairs["accuracy_plain"] - pairs["accuracy"]
    by_row = pairs.groupby([*PLACE, "label", "steps"])
    return by_row.agg({"ratio": "median", "lost": "mean"}).reset_index()


def plain_fine_tuning(runs: pd.DataFrame) -> pd.DataFrame:
    """One run for each place, seed and number of steps: of the label `fine-tuning` where it has that number."""
    plain = runs[(runs["method"] == "fine_tuning") & ~runs["label"].str.contains("cue-free")]
    first = plain.assign(length=plain["label"].str.len()).sort_values("length", kind="stable")
    return first.drop_duplicates([*PLACE, "seed", "steps"])


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Of the studies of the embedded world, with whether they `trained` by the gates of their study."""
    found = []
    for study in ("embedded", "methods", "ablations", "convergence"):
        gates = pd.read_csv(RESULTS / study / "tables" / "trained.csv").rename(columns={"method": "label"})
        found.append(stored(study).merge(gates[[*PLACE, "label", "trained"]], on=[*PLACE, "label"]))
    joined = pd.concat(found, ignore_index=True)
    assert len(joined) > 80
    warned = [hardly_learns(*each) for each in zip(joined["steps"], joined["ratio"], strict=True)]
    return joined.assign(warned=warned, trained=joined["trained"].astype(bool))


def test_stored_rows_that_did_not_train_would_be_warned_about_and_those_that_would_not_trained(rows):
    assert (~rows["trained"]).sum() > 15
    assert rows[~rows["trained"]]["warned"].all()
    assert rows[~rows["warned"]]["trained"].all() and (~rows["warned"]).sum() > 25


def test_every_row_that_would_be_warned_about_lost_accuracy_in_distribution(rows):
    found = rows[rows["warned"]]
    assert found["lost"].min() > 1  # points, against plain fine-tuning
    assert found["lost"].mean() > rows[~rows["warned"]]["lost"].max()


def test_stored_rows_of_thousands_of_steps_lost_little_and_would_not_be_warned_about():
    """Of the study `collapse`: the literal reading on real text, whose ratio is higher than in the embedded world."""
    found = stored("collapse", "accuracy/sst2_validation").query("steps > 2000")
    assert len(found) >= 5 and found["ratio"].min() > 6
    warned = [hardly_learns(*each) for each in zip(found["steps"], found["ratio"], strict=True)]
    assert not any(warned), "more runs have come in; look at STEPS_FOR_RATIO again"
    assert found["lost"].max() < 3


def test_the_numbers_of_the_docstring_are_those_of_the_stored_rows(rows):
    steps = rows["steps"] / rows["ratio"]
    failed, unwarned = round(steps[~rows["trained"]].max()), round(steps[~rows["warned"]].min())
    lost = rows[rows["warned"]]["lost"]
    words = " ".join(str(advice.__doc__).split())
    assert f"by {lost.min():.0f} to {lost.max():.0f} points" in words
    assert f"at most {failed} steps" in words and f"{unwarned} or more" in words
    assert failed < STEPS_FOR_RATIO < unwarned


# ---- what the trainer does


def ours(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "masktune"]


def test_it_says_once_a_training_what_it_minimises_and_what_eval_loss_is(trainer, caplog):
    with caplog.at_level(logging.INFO, "masktune"):
        run = trainer(method=MaskTuning(alpha=0.3, mask_rate=0.2), max_steps=2)
        assert not ours(caplog)
        run.train()
        lines = [message for message in caplog.messages if "minimises" in message]
        assert lines == [opening(run.method, None)]
        run.train()
    assert len([message for message in caplog.messages if "minimises" in message]) == 2
    assert "0.3 * L_MLM (mean over masked tokens) + 0.7 * CE(x', y), x' with 20 % of its tokens" in lines[0]
    assert "eval_loss is the classifier's cross-entropy alone, on texts as they are" in lines[0]


def test_it_is_seen_without_setting_up_logging(trainer, capfd, monkeypatch):
    monkeypatch.setattr(logging.getLogger("masktune"), "handlers", [])
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    trainer(method=FineTuning(), max_steps=1).train()
    assert capfd.readouterr().err.count("MaskTuningTrainer minimises CE(x, y) (fine-tuning); eval_loss is") == 1


def test_it_names_a_loss_of_the_users_and_every_component():
    line = opening(methods.build("mask_tuning+free_lb"), "compute_loss_func")
    assert "where the classifier's loss is compute_loss_func; eval_loss is the classifier's compute_loss_func" in line
    assert "L_MLM" in line and "(FreeLB)" in line and "\n" not in line


@pytest.mark.parametrize(("alpha", "warns"), [(0.9, True), (1e-6, False)])
def test_it_warns_after_a_fifth_of_the_steps_where_the_classifier_will_hardly_learn(trainer, caplog, alpha, warns):
    steps = []

    class Watched(MaskTuningTrainer):
        def _warn(self, terms):
            steps.append(self.state.global_step + 1)
            before = len(caplog.messages)
            super()._warn(terms)
            assert len(caplog.messages) == before or self.state.global_step + 1 == 10

    with caplog.at_level(logging.INFO, "masktune"):
        trainer(kind=Watched, method=MaskTuning(mask_rate=0.3, alpha=alpha), max_steps=50).train()
    assert steps == [2, 4, 6, 8, 10]
    lines = [message for message in caplog.messages if "hardly learn" in message]
    assert len(lines) == warns
    assert not warns or ("50 steps are planned" in lines[0] and "MaskTuning.recommended()" in lines[0])


def test_the_recommended_reading_is_no_advice_to_those_who_use_it():
    ratio = Ratio(MaskTuning.recommended(), 5, norms=[(torch.tensor(9.0), torch.tensor(1.0))])
    assert (ratio.warning(5) or "").endswith("train longer, or lower alpha")


def test_advice_changes_nothing_and_can_be_left_out(trainer, caplog):
    options = {"method": MaskTuning(mask_rate=0.3), "max_steps": 6, "gradient_accumulation_steps": 2}
    with caplog.at_level(logging.INFO, "masktune"):
        quiet = trainer(folder="quiet", given={"advice": False}, **options)
        quiet.train()
        assert not ours(caplog)
    advised = trainer(folder="advised", **options)
    advised.train()
    assert same(weights(advised), weights(quiet)) and losses(advised) == losses(quiet)
    assert not any("norm_mlm" in entry for entry in advised.state.log_history)


@pytest.mark.parametrize(
    "method",
    [
        FineTuning(),
        MaskTuning(encoder="separate"),
        MaskTuning(encoder="frozen"),
        MaskTuning(reduction="equalised"),
        MaskTuning(alpha=0.0),
        MaskTuning(alpha=1.0),
    ],
)
def test_gradients_that_do_not_meet_or_are_brought_to_equal_norms_are_not_read(method):
    assert not any(Ratio(method, 100).wants(step) for step in range(1, 101))


def test_the_ratio_is_that_of_the_mean_weighted_norms():
    def terms(mlm, classification):
        return [
            TermGradient("mlm", 0.6, [torch.tensor([3.0, 4.0]) * mlm, None], False),
            TermGradient("classification", 0.2, [torch.tensor([0.0, classification]), None], False),
            TermGradient("classification", 0.2, [torch.tensor([0.0, classification]), None], False),
        ]

    ratio = Ratio(MaskTuning(), 100)
    ratio.read(terms(1.0, 0.5))
    ratio.read(terms(3.0, 1.5))
    assert ratio.warning(19) is None
    assert "5.0 times the classifier's, and 100 steps" in ratio.warning(20)
    assert ratio.warning(21) is None  # told once
    easy = Ratio(MaskTuning(), 1000)
    easy.read(terms(1.0, 0.7))
    assert easy.warning(1000) is None
