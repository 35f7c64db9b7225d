import json
import re

import pandas as pd
import pytest
from synthetic_study import make

from masktune.analysis import accuracy, claims, overview, results
from masktune.errors import MaskTuneError
from masktune.study.spec.load import load_study


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


def test_published_gains_are_the_papers():
    assert claims.paper.published_gains() == {"sentiment": 3.61, "inference": 7.05, "paraphrase": 5.92}


def test_conclusions_are_told():
    row = {
        "statement": "a is better",
        "tested": 5,
        "holds_on": 3,
        "opposite_on": 0,
        "comparisons": 5,
        "verdict": "reproduced in part",
    }
    worse = {**row, "holds_on": 0, "opposite_on": 2, "verdict": "not reproduced", "reason": ""}
    untested = {**row, "tested": 0, "verdict": "not testable here", "reason": "runs missing"}
    assert claims.text.conclusions(pd.DataFrame([{**row, "reason": ""}, worse, untested])) == [
        "A is better: reproduced in part; it holds on at least 3 of 5 comparisons.",
        "A is better: not reproduced; it holds on at least 0 of 5 comparisons, its opposite on at least 2.",
        "A is better: not testable here: runs missing.",
    ]
    assert claims.text.conclusions(pd.DataFrame()) == ["This study declares no claims."]


def test_verdicts_are_held_against_predicted_ones():
    seen = {"name": ["HANS", "HANS"], "setting": ["embedded", "laptop"], "verdict": ["not reproduced", "not run"]}
    found = claims.text.against_prediction(pd.DataFrame(seen), "embedded", {"HANS": "not reproduced"})
    assert found == ["HANS: predicted not reproduced, found not reproduced, as predicted."]
    assert claims.text.against_prediction(pd.DataFrame(seen), "laptop", {"HANS": "measured"})[0].endswith(
        "found not run."
    )
    with pytest.raises(MaskTuneError, match="unknown verdict 'yes'"):
        claims.text.against_prediction(pd.DataFrame(seen), "embedded", {"HANS": "yes"})
    with pytest.raises(MaskTuneError, match="unknown claim 'HANZ'"):
        claims.text.against_prediction(pd.DataFrame(seen), "embedded", {"HANZ": "measured"})


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


def told(name, **columns):
    """What is said of a study of this name whose runs have these columns as well."""
    runs, predictions = make(tasks=("paraphrase",), models=("minilm",), seeds=1, examples=20)
    return " ".join(overview.what_it_is(load_study(name), results.of(runs, predictions).main, runs.assign(**columns)))


def test_the_number_of_parameters_is_that_of_the_runs():
    assert "Models: MiniLM (all-minilm-l6-v2-fp16)." in told("laptop")
    assert "(all-minilm-l6-v2-fp16, 22,713,986 parameters)" in told("laptop", parameters=22_713_986.0)
    assert "MiniLM (all-minilm-l6-v2-fp16, 7 to 9 parameters)" in told("laptop", parameters=[7.0, 9.0])


def test_sets_that_were_read_in_part_are_told_with_their_rows_and_an_unknown_one_is_told_too():
    read = json.dumps({"glue/qqp/validation_subset": "a digest", "paws-qqp/dev_and_test": "another"})
    known = told("laptop", digests=read)
    assert "Read in part: subset of QQP, validation (GLUE): 7,597 of 40,430 rows (" in known
    assert known.count("Read in part") == 1 and "do not say" not in known
    assert "Some stored runs do not say which files they read (paraphrase)." in told("laptop", digests=[read, None])
    assert "Some stored runs do not say which files they read (paraphrase)." in told("laptop")
    assert "which files" not in told("embedded"), "the world is made on the spot"


def test_settings_of_training_are_told_as_the_runs_had_them():
    runs, _ = make(models=("bert", "bart"), tasks=("sentiment", "paraphrase"), seeds=1, examples=2)
    untuned = load_study("laptop")
    alike = "The same settings of training for fine-tuning and Mask-tuning in"
    assert overview.settings(untuned, runs) == [
        f"{alike} 4 places (model x task).",
        "No setting was searched: the better of two methods is the better at these settings.",
    ]
    here = (runs["label"] == "Mask-tuning") & (runs["model"] == "bart") & (runs["task"] == "sentiment")
    runs.loc[here, "training/learning_rate"], runs.loc[here, "training/train_examples"] = 1e-4, 100
    assert overview.settings(load_study("embedded"), runs) == [
        f"{alike} 3 of 4 places (model x task); elsewhere they differ in: learning rate, train examples.",
        "Searched for each method, model and task: learning rate, in 4 trials judged by in-distribution validation "
        "alone.",
    ]
