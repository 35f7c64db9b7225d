import numpy as np
import pandas as pd
import pytest

from masktune.analysis import results
from masktune.analysis.answers import Answers, Block, blocks, fail_runs_without_numbers
from masktune.errors import MaskTuneError


def test_order_is_task_model_kind(gathered):
    places = [(block.task, block.name) for block in blocks(*gathered)]
    assert places[:5] == [
        ("sentiment", "validation"),
        ("sentiment", "contrast"),
        ("sentiment", "counterfactual"),
        ("sentiment", "contrast_original"),
        ("sentiment", "counterfactual_original"),
    ]
    assert [task for task, _ in places] == ["sentiment"] * 5 + ["inference"] * 3 + ["paraphrase"] * 2


def test_order_of_rows_does_not_matter(gathered):
    runs, predictions = gathered
    shuffled = predictions.sample(frac=1, random_state=0)
    others = {(block.task, block.name): block for block in blocks(runs, shuffled)}
    for one in blocks(*gathered):
        other = others[one.task, one.name]
        assert np.array_equal(one.clusters, other.clusters)
        assert np.array_equal(one.answers[1].predictions, other.answers[1].predictions)


def test_levels_of_a_constant_answer(gathered):
    levels = {block.name: (block.chance, block.majority) for block in blocks(*gathered) if block.task == "inference"}
    assert levels["heuristics"] == (0.5, 0.5)
    assert levels["adversarial"] == pytest.approx((1 / 3, 1 / 3))


def test_pairs_are_the_seeds_that_both_have(gathered):
    runs, predictions = gathered
    lost = (runs["label"] == "Mask-tuning") & (runs["seed"] < 2)
    runs = runs.assign(status=np.where(lost, "failed", "done"))
    block = blocks(runs, predictions)[0]
    first, second = block.pair("fine-tuning", "Mask-tuning")
    assert first.shape == second.shape == (4, 60)
    assert np.array_equal(first, block.correct(block.answers[0])[2:])
    assert block.pair("fine-tuning", "something else") is None


def test_other_examples_are_an_error(gathered):
    runs, predictions = gathered
    one = predictions["run_id"] == runs["run_id"].iloc[1]
    damaged = predictions.drop(predictions.index[one][:1])
    with pytest.raises(MaskTuneError, match=f"{runs['run_id'].iloc[1]!r} answered other examples of 'validation'"):
        blocks(runs, damaged)


@pytest.mark.parametrize("broken", ["accuracy", "logits", "one logit"])
def test_a_run_without_a_finite_number_is_failed_and_in_no_table(gathered, broken):
    runs, predictions = gathered
    victim = runs.loc[(runs["task"] == "paraphrase") & (runs["seed"] == 3), "run_id"].iloc[0]
    own = predictions["run_id"] == victim
    if broken == "accuracy":
        runs = runs.assign(**{"accuracy/swaps": runs["accuracy/swaps"].mask(runs["run_id"] == victim)})
    else:
        nan = [np.array([np.nan, 0.1]) for _ in range(len(predictions))]
        last = own & ~own[::-1].cumsum()[::-1].gt(1)
        predictions = predictions.assign(
            logits=predictions["logits"].mask(own if broken == "logits" else last, pd.Series(nan))
        )
    found = results.of(runs, predictions)
    assert found.failures["run_id"].to_list() == [victim]
    assert found.failures["error"].str.contains("no finite number").all()
    row = found.main[(found.main["set"] == "swaps") & (found.main["method"] == "fine-tuning")].iloc[0]
    others = gathered[0].query("task == 'paraphrase' and label == 'fine-tuning' and seed != 3")["accuracy/swaps"]
    assert row["seeds"] == 5 and row["accuracy"] == pytest.approx(100 * others.mean())


def test_finite_runs_are_left_as_they_are(gathered):
    runs, predictions = fail_runs_without_numbers(*gathered)
    assert runs is gathered[0] and predictions is gathered[1]


def test_classes_that_a_set_folds_count_together():
    """HANS: an answer of "not entailed" has the probability of neutral and contradiction together."""
    logits = np.log([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3]])
    frame = pd.DataFrame({"logits": list(logits)})
    answers = Answers("a", (0,), np.array([[0, 1]]), (frame,))
    columns = np.array([""] * 2)
    block = Block("bert", "inference", "hans", "out_of_distribution", np.array([0, 1]), columns, columns, (answers,))
    assert block.confidences(answers) == pytest.approx(np.array([[0.5, 0.8]]))
