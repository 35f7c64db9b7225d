from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic_study import make, with_failures

from masktune.analysis import ablations, accuracy, comparisons, lengths, results
from masktune.analysis.accuracy import figures, numbers
from masktune.analysis.answers import LOPSIDED, blocks
from masktune.analysis.table import markdown

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(gathered):
    return blocks(*gathered)


def test_main_is_the_mean_of_stored_accuracies(gathered, found):
    runs, _ = gathered
    for row in numbers.main(found).itertuples():
        own = runs[(runs["task"] == row.task) & (runs["label"] == row.method)]
        assert row.accuracy == pytest.approx(100 * own[f"accuracy/{row.set}"].mean())
        assert row.low < row.accuracy < row.high
        assert (row.seeds, row.examples) == (6, 60)


def test_companions_are_no_headline(found):
    main = numbers.main(found)
    assert not main["set"].str.endswith("_original").any()
    assert set(main["kind"]) == {"in_distribution", "out_of_distribution"}


def test_differences_are_second_minus_first(gathered, found):
    frame, main = numbers.differences(found, gathered[0]), numbers.main(found)
    wide = main.pivot(index=["task", "set"], columns="method", values="accuracy")
    expected = wide["Mask-tuning"] - wide["fine-tuning"]
    for row in frame.itertuples():
        assert (row.first, row.second) == ("fine-tuning", "Mask-tuning")
        assert row.difference == pytest.approx(expected[row.task, row.set])
        assert row.low <= row.difference <= row.high
        assert row.smallest_p <= row.p <= 1


def test_five_seeds_get_no_p_value():
    runs, predictions = make(tasks=("paraphrase",), seeds=5, examples=20)
    frame = numbers.differences(blocks(runs, predictions), runs)
    assert frame["p"].isna().all()
    assert (frame["smallest_p"] == 0.0625).all()


def test_first_method_is_fine_tuning_whatever_the_order(gathered, found):
    runs, _ = gathered
    frame = numbers.differences(found, runs.iloc[::-1])
    assert set(frame["first"]) == {"fine-tuning"}


def test_a_method_is_compared_with_the_fine_tuning_that_was_as_long():
    short, long = make(tasks=("sentiment",)), make(tasks=("sentiment",))
    for epochs, (runs, predictions) in ((1, short), (3, long)):
        runs["training/epochs"] = float(epochs)
        for column, marked in ((runs, "label"), (runs, "run_id"), (predictions, "run_id")):
            column[marked] = column[marked].astype(str) + f" ({epochs})"
    runs, predictions = (pd.concat(parts, ignore_index=True) for parts in zip(short, long, strict=True))
    frame = numbers.differences(blocks(runs, predictions), runs)
    compared = set(zip(frame["first"], frame["second"], strict=True))
    assert compared == {("fine-tuning (1)", "Mask-tuning (1)"), ("fine-tuning (3)", "Mask-tuning (3)")}
    assert "equally long fine-tuning" in figures.differences(frame).axes[0].get_xlabel()


def test_pair_consistency_needs_both_halves(gathered, found):
    _, predictions = gathered
    runs = gathered[0]
    details = numbers.details(found).query("measure == 'pair consistency'")
    assert set(details["set"]) == {"contrast", "counterfactual"}
    row = details.query("set == 'contrast' and method == 'fine-tuning'").iloc[0]
    ids = runs[(runs["label"] == "fine-tuning") & (runs["task"] == "sentiment")]["run_id"]
    own = predictions[predictions["run_id"].isin(ids) & predictions["set"].isin(["contrast", "contrast_original"])]
    right = own["label"] == own["prediction"]
    literal = right.groupby([own["run_id"], own["cluster_id"]]).all().groupby("run_id").mean()
    assert row["value"] == pytest.approx(100 * literal.mean())
    assert row["examples"] == 60


def test_classes_average_to_accuracy_on_a_balanced_set(found):
    details, main = numbers.details(found), numbers.main(found)
    classes = details.query("measure == 'class accuracy'").groupby("method")["value"].mean()
    accuracy = main.query("set == 'swaps'").set_index("method")["accuracy"]
    assert classes.to_dict() == pytest.approx(accuracy.to_dict())


def test_groups_cover_the_heuristics(found):
    groups = numbers.details(found).query("measure == 'group accuracy'")
    assert set(groups["set"]) == {"heuristics"}
    assert groups.groupby("method")["examples"].sum().eq(60).all()
    assert "subsequence, not entailed" in set(groups["part"])


def test_ranking_is_by_the_logits(found):
    ranking = numbers.details(found).query("measure == 'AUROC'")
    block = next(block for block in found if block.name == "swaps")
    # The synthetic logits say no more than the answers do, so the AUROC is the mean of the two recalls.
    recalls = [
        np.mean([np.mean(row[block.labels == label] == label) for label in (0, 1)])
        for row in block.answers[0].predictions
    ]
    assert ranking.iloc[0]["value"] == pytest.approx(100 * np.mean(recalls))


@pytest.fixture(scope="module")
def uneven(gathered):
    """Paraphrase with few of one label, in and out of distribution: (blocks, main, differences, details)."""
    runs, predictions = gathered
    number = predictions["example_id"].str[-2:].astype(int)
    few = (number % 2 == 0) | (number < 20)
    at = predictions["run_id"].isin(runs.loc[runs["task"] == "paraphrase", "run_id"])
    found = blocks(runs, predictions[few | ~at])
    return found, numbers.main(found), numbers.differences(found, runs), numbers.details(found)


def test_lopsided_is_a_margin_above_chance(uneven):
    lopsided = {(block.task, block.name) for block in uneven[0] if block.is_lopsided}
    assert lopsided == {("paraphrase", "validation"), ("paraphrase", "swaps")}
    assert all(block.majority - block.chance > LOPSIDED for block in uneven[0] if block.is_lopsided)


@pytest.mark.parametrize(("name", "measure"), [("balanced", "balanced accuracy"), ("auroc", "AUROC")])
def test_what_no_constant_answer_moves_stands_beside_every_lopsided_accuracy(uneven, name, measure):
    """In and out of distribution, in every table; the synthetic logits rank as the answers do."""
    found, main, differences, details = uneven
    place = ["task", "set", "method"]
    means = main.dropna(subset=name).set_index(place)[name]
    assert set(means.index.get_level_values("set")) == {"validation", "swaps"}
    assert set(means.index.get_level_values("task")) == {"paraphrase"}
    told = details[(details["measure"] == measure) & (details["task"] == "paraphrase")].set_index(place)["value"]
    assert told.to_dict() == pytest.approx(means.to_dict())
    for block in (block for block in found if block.is_lopsided):
        by_seed = [
            [np.mean([np.mean(row[block.labels == label] == label) for label in (0, 1)]) for row in answers.predictions]
            for answers in block.answers
        ]
        assert means["paraphrase", block.name, "fine-tuning"] == pytest.approx(100 * np.mean(by_seed[0]))
        gap = stats.ttest_rel(by_seed[1], by_seed[0]).confidence_interval(0.95)
        row = differences[(differences["task"] == "paraphrase") & (differences["set"] == block.name)].iloc[0]
        expected = 100 * np.mean(np.subtract(*by_seed[::-1])), 100 * gap.low, 100 * gap.high
        assert tuple(row[[name, f"{name}_low", f"{name}_high"]]) == pytest.approx(expected)


def test_a_lopsided_set_is_seen_in_the_tables_that_are_read(uneven):
    _, main, differences, _ = uneven
    shown = accuracy.tables.main(main).shown.set_index(["Task", "Set"])["fine-tuning"]
    row = main[(main["task"] == "paraphrase") & (main["set"] == "swaps")].iloc[0]
    assert shown["Paraphrase", "word swaps"].endswith(f"; balanced {row['balanced']:.1f}, AUROC {row['auroc']:.1f}")
    assert "balanced" not in shown["Sentiment", "validation"]
    gaps = accuracy.tables.differences(differences)
    assert gaps.shown["AUROC"].iloc[-1].count(",") == 1 and gaps.shown["AUROC"].iloc[0] == "\u2013"
    for table in (accuracy.tables.main(main), gaps):
        assert f"more than chance by over {100 * LOPSIDED:g} points" in table.caption


def contrasted(found, _):
    pairs = [("fine-tuning", "Mask-tuning")]
    return comparisons.tables.contrasts(comparisons.numbers.contrasts(found, pairs), "some", "Some")


def cut(found, _):
    block = next(block for block in found if block.name == "swaps")
    again = replace(block, name="swaps@16", kind="other_length")
    return lengths.tables.lengths(lengths.numbers.by_length([block, again], "embedded", "fine-tuning"))


def swept(found, runs):
    again = [replace(answers, method="more") for answers in found[-1].answers if answers.method == "Mask-tuning"]
    more = runs[runs["label"] == "Mask-tuning"].assign(label="more", mask_rate=0.15, part="ablation")
    more = more.assign(options='{"alpha": 0.6, "mask_rate": 0.15}')
    both = [replace(block, answers=(*block.answers, *again)) for block in found if block.name == "swaps"]
    variants = ablations.numbers.variants(both, pd.concat([runs, more]))
    return ablations.tables.sweep(ablations.numbers.sweep(variants, "mask_rate"), "mask_rate")


@pytest.mark.parametrize("table_of", [contrasted, cut, swept])
def test_no_table_shows_a_lopsided_set_by_accuracy_alone(uneven, gathered, table_of):
    table = table_of(uneven[0], gathered[0])
    text = markdown(table)
    assert "; balanced " in text and ", AUROC " in text
    assert f"more than chance by over {100 * LOPSIDED:g} points" in table.caption
    assert table_of is contrasted or ", constant " in text


def test_captions_say_where_runs_were_not_made_alike(gathered):
    runs, predictions = gathered
    made = runs.assign(precision=np.where(runs["task"] == "paraphrase", "bf16", "fp32"), source="0123456789")
    found = results.of(made, predictions)
    for table in (found.main_table, found.differences_table, found.details_table, found.seeds_table):
        assert table.caption.endswith("The runs were not all made alike: 12 in bf16, 24 in fp32.")
    assert "alike" not in results.of(runs, predictions).main_table.caption


def test_bootstrap_and_single_pairs_stand_beside_the_difference(gathered, found):
    for row in numbers.differences(found, gathered[0]).itertuples():
        assert row.bootstrap_low < row.difference < row.bootstrap_high
        assert 0 <= row.mcnemar_better + row.mcnemar_worse <= row.seeds


def test_calibration_compares_the_probability_of_the_answer_with_accuracy(gathered, found):
    """The synthetic logits are 2.1 for the answer and 0.1 for the rest, whatever the example."""
    details = numbers.details(found).query("measure == 'calibration error'")
    errors = details.set_index(["task", "set", "method"])["value"]
    main = numbers.main(found).set_index(["task", "set", "method"])
    two, three = (np.exp(2.1) / (np.exp(2.1) + others * np.exp(0.1)) for others in (1, 2))
    runs = gathered[0].query("task == 'paraphrase' and label == 'Mask-tuning'")["accuracy/swaps"]
    assert errors["paraphrase", "swaps", "Mask-tuning"] == pytest.approx(100 * (two - runs).abs().mean())
    runs = gathered[0].query("task == 'inference' and label == 'Mask-tuning'")["accuracy/adversarial"]
    assert errors["inference", "adversarial", "Mask-tuning"] == pytest.approx(100 * (three - runs).abs().mean())
    assert set(errors.index) == set(main.index)


def test_failures_are_listed(gathered):
    runs, _ = with_failures(*gathered, failed=2, missing=1)
    frame = numbers.failures(runs)
    assert sorted(frame["status"]) == ["failed", "failed", "missing"]
    assert frame.query("status == 'failed'")["error"].str.contains("disk is full").all()


def test_tables_depend_on_nothing_else(gathered):
    """Reading the stored files back gives the same tables, categories and all."""
    runs, predictions = gathered
    categories = {name: "category" for name in ("run_id", "set", "kind", "cluster_id", "group")}
    again = blocks(runs, predictions.astype(categories))
    pd.testing.assert_frame_equal(numbers.main(blocks(runs, predictions)), numbers.main(again))
    pd.testing.assert_frame_equal(numbers.details(blocks(runs, predictions)), numbers.details(again))
