"""Declared claims against stored runs: rows, verdicts, conclusions, and how often they are wrong."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic_study import METHODS, make, with_failures

from masktune.analysis import claims, results
from masktune.analysis.accuracy import numbers
from masktune.analysis.answers import Block, blocks
from masktune.analysis.claims import verdicts
from masktune.statistics import multiplicity
from masktune.study.design.claims import Claim
from masktune.study.design.load import parse_study

pytestmark = pytest.mark.slow

GAIN = {"method": "Mask-tuning", "against": "fine-tuning", "kind": "out_of_distribution", "test": "superiority"}
KEPT = {**GAIN, "kind": "in_distribution", "test": "non_inferiority", "margin": 4.0}


def declared(*tables, seeds=10, tasks=("sentiment", "inference", "paraphrase")):
    return parse_study(
        {
            "name": "toy", "data": "embedded", "tasks": list(tasks), "seeds": seeds,
            "models": {"bert": {"checkpoint": "embedded:bert"}},
            "grid": [{"label": label, "method": method} for label, method, *_ in METHODS],
            "claims": list(tables),
        }
    )  # fmt: skip


def evaluated(study, **world):
    world = {"seeds": len(study.seeds), "tasks": study.tasks, "examples": 150, **world}
    return claims.numbers.evaluate(study, blocks(*make(**world)))


@pytest.fixture(scope="module")
def large():
    """Both claims on a large gain out of distribution and none in distribution."""
    return evaluated(declared(GAIN, KEPT), gain=1.5)


def test_a_row_for_each_comparison(large):
    assert large["claim"].tolist() == [1] * 5 + [2] * 3
    assert large["kind"].tolist() == ["out_of_distribution"] * 5 + ["in_distribution"] * 3
    assert large["seeds"].eq(10).all() and large["examples"].eq(150).all()


def test_estimates_are_those_of_the_table_of_differences(large):
    runs, predictions = make(seeds=10, examples=150, gain=1.5)
    expected = numbers.differences(blocks(runs, predictions), runs).set_index(["task", "set"])
    for row in large.itertuples():
        other = expected.loc[(row.task, row.set)]
        assert (row.difference, row.low, row.high) == pytest.approx((other.difference, other.low, other.high))
        if row.test == "superiority":
            assert row.p == other.p


def test_a_large_gain_is_reproduced_and_no_loss_is_kept(large):
    assert set(large["verdict"]) == {verdicts.REPRODUCED}
    found = claims.numbers.conclusions(declared(GAIN, KEPT), large)
    assert found["holds_on"].tolist() == [5, 3] and found["comparisons"].tolist() == [5, 3]
    assert set(found["verdict"]) == {verdicts.REPRODUCED}
    assert found["statement"][0] == "Mask-tuning is more accurate than fine-tuning on out-of-distribution sets"


def test_p_values_are_corrected_within_the_family(large):
    assert large["corrected_p"].to_numpy() == pytest.approx(multiplicity.correct(large["p"], "headline"))
    study = declared(GAIN, {**KEPT, "family": "ablation"})
    other = evaluated(study, gain=1.5)
    assert other["corrected_p"][5:].to_numpy() == pytest.approx(multiplicity.correct(other["p"][5:], "ablation"))
    assert (other["corrected_p"][:5] < large["corrected_p"][:5]).all()


def test_a_large_loss_is_the_opposite():
    study = declared(GAIN)
    frame = evaluated(study, gain=-1.5)
    assert set(frame["verdict"]) == {verdicts.OPPOSITE}
    found = claims.numbers.conclusions(study, frame).iloc[0]
    assert (found["holds_on"], found["opposite_on"], found["verdict"]) == (0, 5, verdicts.OPPOSITE)


@pytest.mark.parametrize(
    ("lost", "verdict"),
    [(-1.5, verdicts.OPPOSITE), (-0.02, verdicts.NOT_REPRODUCED), (0.3, verdicts.REPRODUCED)],
)
def test_non_inferiority_has_an_opposite(lost, verdict):
    """Worse by more than the margin is shown by a test of its own; a difference about the margin is neither."""
    study = declared({**KEPT, "kind": "out_of_distribution", "margin": 0.5}, tasks=("sentiment",))
    frame = evaluated(study, gain=lost, tasks=("sentiment",))
    assert set(frame["verdict"]) == {verdict}
    found = claims.numbers.conclusions(study, frame).iloc[0]
    assert found["verdict"] == verdict
    assert (found["holds_on"], found["opposite_on"]) == (2 * (lost > 0), 2 * (lost < -1))
    if verdict == verdicts.OPPOSITE:
        assert frame["reason"][0].startswith("worse by more than 0.5 points, corrected p 0.0")
        assert (2 * frame["difference"] - frame["bound"] < -0.5).all()


def test_the_opposite_of_non_inferiority_is_corrected_for_its_family():
    study = declared(GAIN, KEPT)
    frame = evaluated(study, gain=-1.5)
    expected = multiplicity.correct(frame["opposite_p"], "headline")
    lost = frame["test"] == "non_inferiority"
    assert frame.loc[lost, "corrected_opposite_p"].to_numpy() == pytest.approx(expected[lost])
    assert (frame.loc[~lost, "corrected_opposite_p"] == frame.loc[~lost, "corrected_p"]).all(), "one two-sided test"


@pytest.mark.parametrize("preference", [0.0, 1.0])
def test_at_the_margin_a_loss_is_called_worse_in_at_most_five_per_cent(preference):
    generator, claim = np.random.default_rng(5), Claim("b", "a", "non_inferiority", "in_distribution", margin=1e-9)
    wrong = []
    for _ in range(300):
        first, second = world(generator, 8, preference)
        clusters = np.arange(120)
        block = Block("bert", "paraphrase", "validation", claim.kind, np.ones(120), clusters, clusters, ())
        row = pd.Series({**numbers.compare(block, first, second), "test": claim.test, "margin": claim.margin})
        wrong.append(
            claims.numbers.p_values(claim, first, second)["opposite_p"] <= 0.05 and verdicts._clears_below(row)
        )
    assert np.mean(wrong) <= stats.binom.ppf(0.995, 300, 0.05) / 300


def lopsided_study(share=0.7, examples=100):
    """Two methods on one set of word swaps, most of which have one label: blocks, and the study that declares both."""
    runs, predictions = make(tasks=("paraphrase",), seeds=10, examples=examples, gain=0.9)
    keep = [f"swaps-{i:04d}" for i in range(examples) if i % 2 == 0 or i < 2 * (1 / share - 1) * examples / 2]
    predictions = predictions[(predictions["set"] != "swaps") | predictions["example_id"].isin(keep)]
    return declared(GAIN, tasks=("paraphrase",)), blocks(runs, predictions)


def test_a_lopsided_set_shows_what_a_constant_answer_scores():
    study, found = lopsided_study()
    block = next(block for block in found if block.name == "swaps")
    assert block.is_lopsided and not next(block for block in found if block.name == "validation").is_lopsided
    [row] = claims.numbers.evaluate(study, found).itertuples()
    recalls = [
        np.mean([np.mean(answers.predictions[:, block.labels == label] == label) for label in (0, 1)])
        for answers in block.answers
    ]
    assert (row.against_balanced, row.balanced) == pytest.approx([100 * value for value in recalls])
    assert row.constant == pytest.approx(100 * np.mean(block.labels == 0))
    assert row.difference == pytest.approx(row.accuracy - row.against_accuracy)
    assert row.against_accuracy < row.constant
    assert f"a constant answer scores {row.constant:.1f}, more than" in row.reason
    assert f"fine-tuning ({row.against_accuracy:.1f})" in row.reason


def test_where_both_methods_are_outscored_the_conclusion_says_so():
    study, found = lopsided_study()
    frame = claims.numbers.evaluate(study, found).assign(accuracy=60.0, against_accuracy=50.0, constant=70.0)
    assert (
        "a constant answer scores more than both methods on 1 of 1 comparisons"
        in claims.numbers.conclusion(frame)["reason"]
    )
    assert "constant" not in claims.numbers.conclusion(frame.assign(balanced=np.nan))["reason"]


TIED = ([703, 688, 654, 711, 703, 695], [700, 690, 655, 710, 702, 696])


def counted(counts, examples=976):
    """Right or wrong [S, n] with so many right answers."""
    return np.arange(examples) < np.array(counts)[:, None]


def test_a_p_value_is_the_same_wherever_it_stands():
    """The same right answers give the same p in the claims, the differences and the ablations: ties are ties."""
    pair = [counted(side) for side in TIED]
    claim = Claim("b", "a", "superiority", "out_of_distribution")
    assert claims.numbers.p_values(claim, *pair)["p"] == numbers.p_values(*pair)["p"] == 1.0


@pytest.mark.parametrize(("margin", "examples", "lost"), [(0.5, 200, 1), (0.1, 3000, 3), (0.7, 1000, 7)])
def test_a_loss_of_just_the_margin_is_a_tie(margin, examples, lost):
    """Six seeds that lose just the margin say nothing of a smaller or a larger loss."""
    first, second = (counted([examples // 2 - less] * 6, examples) for less in (0, lost))
    claim = Claim("b", "a", "non_inferiority", "in_distribution", margin=margin)
    found = claims.numbers.p_values(claim, first, second)
    assert found["p"] == found["opposite_p"] == 1.0


def test_a_loss_on_some_sets_is_not_reproduced_and_counted():
    frame = evaluated(declared(GAIN), gain=-1.5)
    frame.loc[frame["task"] == "sentiment", ["p", "high"]] = [0.7, 3.0]
    found = claims.numbers.conclusion(frame)
    assert (found["holds_on"], found["opposite_on"], found["verdict"]) == (0, 3, verdicts.NOT_REPRODUCED)


def test_no_difference_is_not_reproduced():
    study = declared(GAIN, {**KEPT, "margin": 0.1}, tasks=("paraphrase",))
    frame = evaluated(study, gain=0.0)
    assert set(frame["verdict"]) == {verdicts.NOT_REPRODUCED}
    assert set(claims.numbers.conclusions(study, frame)["verdict"]) == {verdicts.NOT_REPRODUCED}


def test_a_gain_on_some_sets_is_reproduced_in_part():
    frame = evaluated(declared(GAIN), gain=1.5)
    frame.loc[frame["task"] == "sentiment", ["p", "low"]] = [0.7, -3.0]
    found = claims.numbers.conclusion(frame)
    assert (found["holds_on"], found["verdict"]) == (3, verdicts.IN_PART)


def test_a_p_value_alone_is_not_enough():
    """Where seeds agree and examples are few, the test over seeds is sure of this sample only."""
    frame = evaluated(declared(GAIN), gain=1.5).assign(low=-0.1)
    assert set(verdicts.judge_comparisons(frame)["verdict"]) == {verdicts.NOT_REPRODUCED}
    assert claims.numbers.conclusion(frame)["holds_on"] == 0


def test_too_few_seeds_for_the_correction_are_not_testable():
    study = declared(GAIN, KEPT, seeds=6)
    frame = evaluated(study, gain=1.5)
    assert set(frame["verdict"]) == {verdicts.NOT_TESTABLE}
    assert set(frame["reason"]) == {"6 seeds cannot reach 0.05 after correction for 8 comparisons"}
    found = claims.numbers.conclusions(study, frame)
    assert found["holds_on"].tolist() == [5, 3], "together they can be sure although none alone can"


def test_too_few_finished_seeds_are_not_testable():
    study = declared(GAIN)
    frame = evaluated(study, seeds=3)
    assert set(frame["verdict"]) == {verdicts.NOT_TESTABLE} and frame["p"].isna().all()
    assert set(frame["reason"]) == {"3 of 10 seeds, the test needs 6"}
    assert frame["low"].notna().all()
    found = claims.numbers.conclusions(study, frame).iloc[0]
    assert (found["verdict"], found["reason"], found["tested"]) == (verdicts.NOT_TESTABLE, frame["reason"][0], 0)


def test_an_unfinished_study_says_how_far_it_is():
    frame = evaluated(declared(GAIN, tasks=("paraphrase",)), seeds=8, gain=1.5)
    assert frame["reason"].tolist() == ["8 of 10 seeds so far"]
    assert frame["verdict"].tolist() == [verdicts.REPRODUCED]


def test_what_is_not_there_is_listed_and_counts():
    study = declared(GAIN)
    runs, predictions = make(tasks=("sentiment", "inference"), seeds=10, examples=40)
    frame = claims.numbers.evaluate(study, blocks(runs, predictions[predictions["set"] != "heuristics"]))
    reasons = frame.set_index("set")["reason"]
    assert reasons[["heuristics", "swaps"]].tolist() == ["set not present", "runs missing"]
    assert frame["seeds"].tolist() == [10, 10, 0, 10, 0]
    assert claims.numbers.conclusions(study, frame)["comparisons"].tolist() == [5]
    lowest = frame["p"].min()
    assert frame["corrected_p"].min() == pytest.approx(min(1, 5 * lowest)), "missing comparisons are corrected for"


def test_one_method_without_runs_is_missing():
    study = declared(GAIN, tasks=("paraphrase",))
    runs, predictions = with_failures(*make(tasks=("paraphrase",), seeds=10, examples=20), failed=10, missing=0)
    assert claims.numbers.evaluate(study, blocks(runs, predictions))["reason"].tolist() == ["runs missing"]


def test_an_estimate_has_an_interval_and_no_p_value():
    study = declared({**GAIN, "test": "estimate"}, seeds=5)
    frame = evaluated(study, gain=1.5)
    assert frame[["p", "corrected_p", "smallest_p"]].isna().all(axis=None) and frame["low"].notna().all()
    assert set(frame["reason"]) == {"declared as an estimate"}
    assert claims.numbers.conclusions(study, frame)["verdict"].tolist() == [verdicts.NOT_TESTABLE]


def test_estimates_are_no_part_of_a_family():
    with_estimate = evaluated(declared(GAIN, {**GAIN, "test": "estimate"}), gain=0.3)
    alone = evaluated(declared(GAIN), gain=0.3)
    assert with_estimate["corrected_p"][:5].tolist() == alone["corrected_p"].tolist()


def test_a_study_without_claims_has_empty_tables(gathered):
    found = results.of(*gathered, declared(seeds=6))
    assert found.claims.empty and found.conclusions.empty
    assert [table.name for table in found.tables] == ["main", "differences", "details", "models", "failures"]


def world(generator, seeds, preference):
    """Two methods of the same accuracy on examples that prefer one or the other, whatever the seed."""
    leaning = generator.normal(0, preference, 120)
    return (generator.normal(size=(seeds, 120)) + sign * leaning < 0.5 for sign in (1, -1))


def found_in(generator, seeds, preference, claim):
    """(test finds a difference, interval agrees) in a world without one."""
    first, second = world(generator, seeds, preference)
    clusters = np.arange(120)
    block = Block("bert", "paraphrase", "swaps", claim.kind, np.ones(120), clusters, clusters, ())
    row = pd.Series({**numbers.compare(block, first, second), "test": claim.test})
    agrees = verdicts._clears(row) or verdicts._clears_below(row)
    return claims.numbers.p_values(claim, first, second)["p"] <= 0.05, agrees


@pytest.mark.parametrize("preference", [0.0, 1.0])
def test_without_a_difference_a_verdict_is_wrong_in_at_most_five_per_cent(preference):
    """The test over seeds alone would be wrong far more often where examples, not seeds, make the difference."""
    generator, claim = np.random.default_rng(4), Claim("b", "a", "superiority", "out_of_distribution")
    outcomes = np.array([found_in(generator, 8, preference, claim) for _ in range(300)])
    assert outcomes.all(axis=1).mean() <= stats.binom.ppf(0.995, 300, 0.05) / 300
    if preference:
        assert outcomes[:, 0].mean() > 0.2
