import json
from dataclasses import replace

from synthetic_study import make

from masktune.analysis import overview, results
from masktune.study.design.load import load_study


def told(name, **columns):
    """What is said of a study of this name whose runs have these columns as well."""
    runs, predictions = make(tasks=("paraphrase",), models=("minilm",), seeds=1, examples=20)
    return " ".join(overview.what_it_is(load_study(name), results.of(runs, predictions).main, runs.assign(**columns)))


def test_the_number_of_parameters_is_that_of_the_runs():
    assert ", MiniLM (all-minilm-l6-v2-fp16)." in told("laptop")
    assert "(all-minilm-l6-v2-fp16, 22,713,986 parameters)" in told("laptop", parameters=22_713_986.0)
    assert "MiniLM (all-minilm-l6-v2-fp16, 7 to 9 parameters)" in told("laptop", parameters=[7.0, 9.0])


def test_a_study_without_runs_says_so():
    runs, predictions = make(tasks=("paraphrase",), models=("minilm",), seeds=1, examples=20)
    none, gone = runs.assign(status="missing"), predictions.iloc[:0]
    said = overview.what_it_is(load_study("laptop"), results.of(none, gone).main, none)
    assert said[1:] == ["No run of the 2 that are declared is in yet: there is nothing to show."]


def test_sets_that_were_read_in_part_are_told_with_their_rows_and_whole_and_unknown_ones_too():
    read = json.dumps({"glue/qqp/validation_subset": "a digest", "paws-qqp/dev_and_test": "another"})
    known = told("laptop", digests=read)
    assert "Read in part: subset of QQP, validation (GLUE): 7,597 of 40,430 rows (" in known
    assert "Read whole: PAWS-QQP, development and test set." in known
    assert known.count("Read in part") == 1 and "do not say" not in known
    assert "Some stored runs do not say which files they read (paraphrase)." in told("laptop", digests=[read, None])
    assert "Some stored runs do not say which files they read (paraphrase)." in told("laptop")
    assert "which files" not in told("embedded"), "the world is made on the spot"


def test_settings_of_training_are_told_as_the_runs_had_them():
    runs, _ = make(models=("bert", "bart"), tasks=("sentiment", "paraphrase"), seeds=1, examples=2)
    untuned = replace(load_study("laptop"), tuning=None, chosen={})
    alike = "The same settings of training for fine-tuning and Mask-tuning in"
    assert overview.settings(untuned, runs) == [
        f"{alike} 4 places (model x task).",
        "No setting was searched: the better of two methods is the better at these settings.",
    ]
    here = (runs["label"] == "Mask-tuning") & (runs["model"] == "bart") & (runs["task"] == "sentiment")
    runs.loc[here, "training/learning_rate"], runs.loc[here, "training/train_examples"] = 1e-4, 100
    assert overview.settings(load_study("embedded"), runs) == [
        f"{alike} 3 of 4 places (model x task); elsewhere they differ in: learning rate, train examples.",
        "Searched for each method, model and task: learning rate, in 3 trials judged by in-distribution validation "
        "alone.",
    ]
