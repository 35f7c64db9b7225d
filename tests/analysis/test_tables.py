import numpy as np
import pandas as pd
import pytest
from synthetic_study import make, with_failures

from masktune.analysis import tables
from masktune.analysis.blocks import Answers, Block, blocks


@pytest.fixture(scope="module")
def found(gathered):
    return blocks(*gathered)


def test_main_is_the_mean_of_stored_accuracies(gathered, found):
    runs, _ = gathered
    for row in tables.main(found).itertuples():
        own = runs[(runs["task"] == row.task) & (runs["label"] == row.method)]
        assert row.accuracy == pytest.approx(100 * own[f"accuracy/{row.set}"].mean())
        assert row.low < row.accuracy < row.high
        assert (row.seeds, row.examples) == (6, 60)


def test_companions_are_no_headline(found):
    main = tables.main(found)
    assert not main["set"].str.endswith("_original").any()
    assert set(main["kind"]) == {"in_distribution", "out_of_distribution"}


def test_differences_are_second_minus_first(gathered, found):
    frame, main = tables.differences(found, gathered[0]), tables.main(found)
    wide = main.pivot(index=["task", "set"], columns="method", values="accuracy")
    expected = wide["Mask-tuning"] - wide["fine-tuning"]
    for row in frame.itertuples():
        assert (row.first, row.second) == ("fine-tuning", "Mask-tuning")
        assert row.difference == pytest.approx(expected[row.task, row.set])
        assert row.low <= row.difference <= row.high
        assert row.smallest_p <= row.p <= 1


def test_five_seeds_get_no_p_value():
    runs, predictions = make(tasks=("paraphrase",), seeds=5, examples=20)
    frame = tables.differences(blocks(runs, predictions), runs)
    assert frame["p"].isna().all()
    assert (frame["smallest_p"] == 0.0625).all()


def test_first_method_is_fine_tuning_whatever_the_order(gathered, found):
    runs, _ = gathered
    frame = tables.differences(found, runs.iloc[::-1])
    assert set(frame["first"]) == {"fine-tuning"}


def test_pair_consistency_needs_both_halves(gathered, found):
    _, predictions = gathered
    runs = gathered[0]
    details = tables.details(found).query("measure == 'pair consistency'")
    assert set(details["set"]) == {"contrast", "counterfactual"}
    row = details.query("set == 'contrast' and method == 'fine-tuning'").iloc[0]
    ids = runs[(runs["label"] == "fine-tuning") & (runs["task"] == "sentiment")]["run_id"]
    own = predictions[predictions["run_id"].isin(ids) & predictions["set"].isin(["contrast", "contrast_original"])]
    right = own["label"] == own["prediction"]
    literal = right.groupby([own["run_id"], own["cluster_id"]]).all().groupby("run_id").mean()
    assert row["value"] == pytest.approx(100 * literal.mean())
    assert row["examples"] == 60


def test_classes_average_to_accuracy_on_a_balanced_set(found):
    details, main = tables.details(found), tables.main(found)
    classes = details.query("measure == 'class accuracy'").groupby("method")["value"].mean()
    accuracy = main.query("set == 'swaps'").set_index("method")["accuracy"]
    assert classes.to_dict() == pytest.approx(accuracy.to_dict())


def test_groups_cover_the_heuristics(found):
    groups = tables.details(found).query("measure == 'group accuracy'")
    assert set(groups["set"]) == {"heuristics"}
    assert groups.groupby("method")["examples"].sum().eq(60).all()
    assert "subsequence, not entailed" in set(groups["part"])


def test_ranking_is_by_the_logits(found):
    ranking = tables.details(found).query("measure == 'AUROC'")
    block = next(block for block in found if block.name == "swaps")
    # The synthetic logits say no more than the answers do, so the AUROC is the mean of the two recalls.
    recalls = [
        np.mean([np.mean(row[block.labels == label] == label) for label in (0, 1)])
        for row in block.answers[0].predictions
    ]
    assert ranking.iloc[0]["value"] == pytest.approx(100 * np.mean(recalls))


def test_bootstrap_and_single_pairs_stand_beside_the_difference(gathered, found):
    for row in tables.differences(found, gathered[0]).itertuples():
        assert row.bootstrap_low < row.difference < row.bootstrap_high
        assert 0 <= row.mcnemar_better + row.mcnemar_worse <= row.seeds


def test_calibration_compares_the_probability_of_the_answer_with_accuracy(gathered, found):
    """The synthetic logits are 2.1 for the answer and 0.1 for the rest, whatever the example."""
    errors = tables.details(found).query("measure == 'calibration error'").set_index(["task", "set", "method"])["value"]
    main = tables.main(found).set_index(["task", "set", "method"])
    two, three = (np.exp(2.1) / (np.exp(2.1) + others * np.exp(0.1)) for others in (1, 2))
    runs = gathered[0].query("task == 'paraphrase' and label == 'Mask-tuning'")["accuracy/swaps"]
    assert errors["paraphrase", "swaps", "Mask-tuning"] == pytest.approx(100 * (two - runs).abs().mean())
    runs = gathered[0].query("task == 'inference' and label == 'Mask-tuning'")["accuracy/adversarial"]
    assert errors["inference", "adversarial", "Mask-tuning"] == pytest.approx(100 * (three - runs).abs().mean())
    assert set(errors.index) == set(main.index)


def test_classes_that_a_set_folds_count_together():
    """HANS: an answer of "not entailed" has the probability of neutral and contradiction together."""
    logits = np.log([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3]])
    frame = pd.DataFrame({"logits": list(logits)})
    answers = Answers("a", (0,), np.array([[0, 1]]), (frame,))
    columns = np.array([""] * 2)
    block = Block("bert", "inference", "hans", "out_of_distribution", np.array([0, 1]), columns, columns, (answers,))
    assert block.confidences(answers) == pytest.approx(np.array([[0.5, 0.8]]))


def test_failures_are_listed(gathered):
    runs, _ = with_failures(*gathered, failed=2, missing=1)
    frame = tables.failures(runs)
    assert sorted(frame["status"]) == ["failed", "failed", "missing"]
    assert frame.query("status == 'failed'")["error"].str.contains("disk is full").all()


def test_tables_depend_on_nothing_else(gathered):
    """Reading the stored files back gives the same tables, categories and all."""
    runs, predictions = gathered
    categories = {name: "category" for name in ("run_id", "set", "kind", "cluster_id", "group")}
    again = blocks(runs, predictions.astype(categories))
    pd.testing.assert_frame_equal(tables.main(blocks(runs, predictions)), tables.main(again))
    pd.testing.assert_frame_equal(tables.details(blocks(runs, predictions)), tables.details(again))
