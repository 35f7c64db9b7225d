import re

import pandas as pd
from synthetic_study import make

from masktune.analysis import accuracy, results


def rows(*triples, kind="out_of_distribution", seeds=10):
    place = {"task": "sentiment", "model": "bert", "kind": kind, "first": "fine-tuning", "second": "Mask-tuning"}
    return pd.DataFrame(
        [
            {
                **place,
                "set": f"set_{i}",
                "difference": mean,
                "low": low,
                "high": high,
                "seeds": seeds,
                "p": 0.5,
                "smallest_p": 0.002,
            }
            for i, (mean, low, high) in enumerate(triples)
        ]
    )


def test_counts_are_those_of_the_table():
    text = accuracy.text.differences(rows((2, 1, 3), (1, -1, 3), (-2, -3, -1), (-0.5, -2, 1)))[0]
    assert "On 2 of 4 out-of-distribution comparisons" in text
    assert "above zero on 1, below zero on 1 and spans it on 2" in text.replace("it on 2.", "it on 2")


PLACE = {"task": "paraphrase", "model": "minilm", "set": "paws_qqp"}


def level(method, accuracy, balanced=50.0, auroc=52.0, **changes):
    """A row of the main table."""
    ends = {"low": accuracy - 1, "high": accuracy + 1, "majority": 71.8}
    return {**PLACE, **ends, "method": method, "accuracy": accuracy, "balanced": balanced, "auroc": auroc, **changes}


def gap(second, balanced, auroc, **changes):
    """A row of the table of differences."""
    ends = {f"{name}{end}": value + by for name, value in (("balanced", balanced), ("auroc", auroc))
            for end, by in (("", 0), ("_low", -1), ("_high", 1))}  # fmt: skip
    return {**PLACE, "second": second, **ends, **changes}


def test_lopsided_sets_are_told_by_numbers_and_intervals():
    main = pd.DataFrame([level("plain", 30.8), level("ours", 63.0, 53.0, 56.0), level("other", 80.0, 79.0, 85.0)])
    differences = pd.DataFrame([gap("ours", 3.0, 4.0), gap("other", 29.0, 33.0), gap("ours", 9.0, 9.0, set="else")])
    [text] = accuracy.text.lopsided(main, differences)
    assert text.startswith("PAWS-QQP (MiniLM): always giving the commonest answer would score 71.8; accuracy: plain (")
    assert "plain (30.8 [29.8, 31.8])" in text and "below that for plain, ours: accuracy there follows" in text
    assert "Balanced accuracy: plain (50.0); ours (53.0, +3.0 [+2.0, +4.0] points); other" in text
    assert "no threshold moves: plain (52.0); ours (56.0, +4.0 [+3.0, +5.0] points); other (85.0, +33.0" in text
    assert "little" not in text


def test_a_fall_on_a_lopsided_set_is_told_in_distribution_too():
    main = pd.DataFrame([level("plain", 79.6, 81.3, 88.7, set="qqp_validation", majority=64.1)])
    main.loc[1] = level("ours", 72.1, 69.1, 77.0, set="qqp_validation", majority=64.1)
    [text] = accuracy.text.lopsided(main, pd.DataFrame([gap("ours", -12.2, -11.7, set="qqp_validation")]))
    assert "ours (77.0, \u221211.7 [\u221212.7, \u221210.7] points)" in text and "below that" not in text


def test_an_even_set_is_not_mentioned():
    assert (
        accuracy.text.lopsided(pd.DataFrame([level("plain", 30.0, float("nan"), float("nan"))]), pd.DataFrame()) == []
    )


def test_extremes_name_their_place():
    text = accuracy.text.differences(rows((2, 1, 3), (-2, -3, -1)))[1]
    assert text.endswith("is 0.0 points, from \u22122.0 (BERT, set 1) to +2.0 (BERT, set 0).")


def test_losses_at_home_are_counted():
    text = accuracy.text.differences(rows((-1, -2, -0.5), (0.5, -1, 2), kind="in_distribution"))[0]
    assert "between \u22121.0 and +0.5 points" in text and "on 1 of 2 comparisons" in text


def test_few_seeds_and_nothing_to_compare():
    few = results.of(*make(tasks=("paraphrase",), seeds=5, examples=20))
    assert accuracy.text.differences(few.differences)[-1].startswith(
        "5 seeds: the sign-flip test cannot go below 0.0625"
    )
    assert accuracy.text.differences(few.differences.iloc[:0]) == [accuracy.text.NO_DIFFERENCES]


def test_prediction_is_held_against_the_mean():
    found = accuracy.text.against_prediction(rows((2, 1, 3), (4, 3, 5)), {"sentiment": 1.0, "inference": None})
    assert found == [
        "Sentiment: predicted +1.0 points, observed +3.0 points for Mask-tuning (2 comparisons); off by 2.0."
    ]
    assert accuracy.text.against_prediction(rows((2, 1, 3)), {})[0].startswith("No prediction")


def test_single_pairs_count_what_one_seed_would_have_said():
    frame = rows((2, -1, 5), (-2, -3, -1), (0, -2, 2))
    frame = frame.assign(mcnemar_better=[3, 0, 1], mcnemar_worse=[1, 10, 0])
    first, second = accuracy.text.single_pairs(frame)
    assert "Of 30 single pairs of runs McNemar's test calls 4 better and 11 worse" in first
    assert second.startswith("On 1 of 3 comparisons") and "on 2 at least one seed" in second


def test_no_negative_zero_and_no_ascii_minus(gathered):
    found = results.of(*gathered)
    for sentence in accuracy.text.differences(found.differences):
        assert not re.search(r"(?<![\w-])-\d", sentence) and "\u22120.0" not in sentence
