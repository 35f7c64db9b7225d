import re

import pandas as pd
from synthetic_study import make

from masktune.analysis import names, results, story


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


def test_no_negative_zero_and_no_ascii_minus(gathered):
    found = results.of(*gathered)
    for sentence in story.sentences(found.differences):
        assert not re.search(r"(?<![\w-])-\d", sentence) and "\u22120.0" not in sentence
