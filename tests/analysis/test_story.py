import re

import pandas as pd
import pytest
from synthetic_study import make

from masktune.analysis import names, results, story
from masktune.errors import MaskTuneError


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
    text = story.sentences(rows((2, 1, 3), (1, -1, 3), (-2, -3, -1), (-0.5, -2, 1)))[0]
    assert "On 2 of 4 out-of-distribution comparisons" in text
    assert "above zero on 1, below zero on 1 and spans it on 2" in text.replace("it on 2.", "it on 2")


def lopsided(accuracy, majority=71.8, chance=50.0, kind="out_of_distribution"):
    place = {"task": "paraphrase", "model": "minilm", "set": "paws_qqp", "kind": kind}
    interval = {"low": accuracy - 1, "high": accuracy + 1}
    return {
        **place,
        **interval,
        "method": f"at {accuracy}",
        "accuracy": accuracy,
        "majority": majority,
        "chance": chance,
    }


def test_methods_below_a_constant_answer_are_named_with_what_no_threshold_moves():
    main = pd.DataFrame([lopsided(30.0), lopsided(63.0), lopsided(80.0)])
    details = main.assign(measure="AUROC", value=[51.0, 52.0, 90.0])
    [text] = story.below_constant(main, details)
    assert text.startswith("PAWS-QQP (MiniLM): always giving the commonest answer would score 71.8, more than at 30.0")
    assert "at 30.0 (30.0 [29.0, 31.0]); at 63.0 (63.0 [62.0, 64.0]). Accuracy" in text
    assert "at 30.0 (51.0" in text and "at 63.0 (52.0" in text
    assert story.below_constant(main, details.iloc[:0])[0].endswith("gives that answer.")


@pytest.mark.parametrize("changes", [{"accuracy": 72.0}, {"chance": 71.8}, {"kind": "in_distribution"}])
def test_a_set_where_no_method_is_below_a_constant_answer_is_not_mentioned(changes):
    main = pd.DataFrame([lopsided(**{"accuracy": 30.0, **changes})])
    assert story.below_constant(main, main.assign(measure="AUROC", value=1.0)) == []


def test_extremes_name_their_place():
    text = story.sentences(rows((2, 1, 3), (-2, -3, -1)))[1]
    assert text.endswith("is 0.0 points, from \u22122.0 (BERT, set 1) to +2.0 (BERT, set 0).")


def test_losses_at_home_are_counted():
    text = story.sentences(rows((-1, -2, -0.5), (0.5, -1, 2), kind="in_distribution"))[0]
    assert "between \u22121.0 and +0.5 points" in text and "on 1 of 2 comparisons" in text


def test_few_seeds_and_nothing_to_compare():
    few = results.of(*make(tasks=("paraphrase",), seeds=5, examples=20))
    assert story.sentences(few.differences)[-1].startswith("5 seeds: the sign-flip test cannot go below 0.0625")
    assert story.sentences(few.differences.iloc[:0]) == [story.NO_DIFFERENCES]


def test_prediction_is_held_against_the_mean():
    found = story.against_prediction(rows((2, 1, 3), (4, 3, 5)), {"sentiment": 1.0, "inference": None})
    assert found == [
        "Sentiment: predicted +1.0 points, observed +3.0 points for Mask-tuning (2 comparisons); off by 2.0."
    ]
    assert story.against_prediction(rows((2, 1, 3)), {})[0].startswith("No prediction")


def test_published_gains_are_the_papers():
    assert names.published_gains() == {"sentiment": 3.61, "inference": 7.05, "paraphrase": 5.92}


def test_conclusions_are_told():
    row = {"statement": "a is better", "tested": 5, "holds_on": 3, "comparisons": 5, "verdict": "reproduced in part"}
    untested = {**row, "tested": 0, "verdict": "not testable here", "reason": "runs missing"}
    assert story.concluded(pd.DataFrame([{**row, "reason": ""}, untested])) == [
        "A is better: reproduced in part; it holds on at least 3 of 5 comparisons.",
        "A is better: not testable here: runs missing.",
    ]
    assert story.concluded(pd.DataFrame()) == ["This study declares no claims."]


def test_verdicts_are_held_against_predicted_ones():
    seen = {"name": ["HANS", "HANS"], "setting": ["embedded", "laptop"], "verdict": ["not reproduced", "not run"]}
    found = story.verdicts_against(pd.DataFrame(seen), "embedded", {"HANS": "not reproduced"})
    assert found == ["HANS: predicted not reproduced, found not reproduced, as predicted."]
    assert story.verdicts_against(pd.DataFrame(seen), "laptop", {"HANS": "measured"})[0].endswith("found not run.")
    with pytest.raises(MaskTuneError, match="unknown verdict 'yes'"):
        story.verdicts_against(pd.DataFrame(seen), "embedded", {"HANS": "yes"})
    with pytest.raises(MaskTuneError, match="unknown claim 'HANZ'"):
        story.verdicts_against(pd.DataFrame(seen), "embedded", {"HANZ": "measured"})


def test_single_pairs_count_what_one_seed_would_have_said():
    frame = rows((2, -1, 5), (-2, -3, -1), (0, -2, 2))
    frame = frame.assign(mcnemar_better=[3, 0, 1], mcnemar_worse=[1, 10, 0])
    first, second = story.single_pairs(frame)
    assert "Of 30 single pairs of runs McNemar's test calls 4 better and 11 worse" in first
    assert second.startswith("On 1 of 3 comparisons") and "on 2 at least one seed" in second


def test_no_negative_zero_and_no_ascii_minus(gathered):
    found = results.of(*gathered)
    for sentence in story.sentences(found.differences):
        assert not re.search(r"(?<![\w-])-\d", sentence) and "\u22120.0" not in sentence
