import numpy as np
import pytest

from masktune.analysis.answers import blocks
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
    first, second = block.paired("fine-tuning", "Mask-tuning")
    assert first.shape == second.shape == (4, 60)
    assert np.array_equal(first, block.correct(block.answers[0])[2:])
    assert block.paired("fine-tuning", "something else") is None


def test_other_examples_are_an_error(gathered):
    runs, predictions = gathered
    one = predictions["run_id"] == runs["run_id"].iloc[1]
    damaged = predictions.drop(predictions.index[one][:1])
    with pytest.raises(MaskTuneError, match=f"{runs['run_id'].iloc[1]!r} answered other examples of 'validation'"):
        blocks(runs, damaged)
