"""The same budget for every method, chosen on in-distribution validation alone."""

import pandas as pd
import pytest
from study.tuned_study import TOML, parsed

from masktune.errors import MaskTuneError
from masktune.study.design import tuning
from masktune.study.design.load import load_study
from masktune.study.plan.trials import judge, study_of_trials, write


def made(study, accuracy, status="done"):
    """Gathered runs of the trials; `accuracy(label, task, seed)` in distribution, and better the worse outside."""
    rows = [
        {"label": cell.label, "model": cell.model.name, "task": cell.task, "seed": seed, "status": status}
        | {"accuracy/validation": (inside := accuracy(cell.label, cell.task, seed))}
        | {f"accuracy/{name}": 1 - inside for name in ("contrast", "counterfactual", "heuristics", "adversarial")}
        for cell in study_of_trials(study).cells
        for seed in cell.seeds
    ]
    return pd.DataFrame(rows)


def test_every_method_has_as_many_trials_and_what_is_tuned_as_another_none():
    trials = study_of_trials(parsed())
    labels = [cell.label for cell in trials.cells if cell.task == "sentiment"]
    assert labels == [f"{name}, trial {number}" for name in ("fine-tuning", "ours") for number in (1, 2, 3)]
    assert trials.name == "toy-tuning" and {cell.seeds for cell in trials.cells} == {(100, 101)}
    assert {cell.training.learning_rate for cell in trials.cells if cell.method == "fine_tuning"} == {1e-3, 2e-3, 4e-3}


def test_the_best_in_distribution_is_chosen_whatever_it_does_outside():
    study = parsed()
    scores = {"trial 1": 0.5, "trial 2": 0.9, "trial 3": 0.9}
    found = judge(study, made(study, lambda label, task, seed: scores[label[-7:]]))
    assert len(found) == 2 * 2 * 3
    assert set(found[found["chosen"]]["trial"]) == {2}, "of equal trials the first"


def test_the_mean_over_seeds_counts():
    study = parsed()
    scores = {"trial 1": (0.99, 0.1), "trial 2": (0.6, 0.6), "trial 3": (0.2, 0.2)}
    found = judge(study, made(study, lambda label, task, seed: scores[label[-7:]][seed - 100]))
    assert set(found[found["chosen"]]["trial"]) == {2}


def test_what_was_chosen_is_what_the_study_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path / "results"))
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "toy.toml").write_text(TOML)
    study = load_study("toy")
    before = [cell.id for cell in study.cells]
    best = {"sentiment": "trial 3", "inference": "trial 2"}
    table, choice = write(study, judge(study, made(study, lambda a, task, b: float(best[task] in a))))
    assert pd.read_csv(table)["chosen"].sum() == 4
    tuned = load_study("toy")
    settings = [tuning.settings_of(study.tuning, row) for row in study.grid[:2]]
    for cell in tuned.cells:
        number = int(best[cell.task][-1]) - 1
        own = settings[0 if cell.label == "fine-tuning" else 1][number]
        assert cell.training.learning_rate == own["learning_rate"]
        if cell.label != "fine-tuning":
            assert cell.options.get("alpha", 0.6) == own["alpha"]
    assert before != [cell.id for cell in tuned.cells]
    assert [cell.id for cell in study_of_trials(tuned).cells] == [cell.id for cell in study_of_trials(study).cells]

    whole = choice.read_text()
    choice.write_text("bert = 3\n")
    with pytest.raises(MaskTuneError, match=r"the choices for bert = 3; expected tables \[bert.<task>\]"):
        load_study("toy")
    choice.write_text(whole.replace("ours", "theirs"))
    with pytest.raises(MaskTuneError, match=r"the choice for theirs, bert, sentiment = .*python -m masktune tune toy"):
        load_study("toy")


def test_a_failed_trial_counts_as_having_learned_nothing_and_a_missing_one_is_an_error():
    study = parsed()
    runs = made(study, lambda label, task, seed: 0.4)
    first = runs["label"].str.endswith("trial 1")
    runs.loc[first, "accuracy/validation"] = None
    runs.loc[first, "status"] = "failed"
    assert set(judge(study, runs).query("chosen")["trial"]) == {2}
    runs.loc[first, "status"] = "missing"
    with pytest.raises(MaskTuneError, match="'fine-tuning, trial 1' has not run on bert, sentiment"):
        judge(study, runs)


def test_seeds_of_the_study_are_no_seeds_for_tuning():
    with pytest.raises(MaskTuneError, match=r"\[tuning\] seeds = \[2\]"):
        study_of_trials(parsed(TOML.replace("seeds = [100, 101]", "seeds = [2]")))


def test_a_study_without_the_table_is_not_tuned():
    start, stop = TOML.index("[tuning]"), TOML.index("[[grid]]")
    with pytest.raises(MaskTuneError, match=r"\[tuning\] as well"):
        parsed(TOML[:start] + TOML[stop:])
    rows = TOML[stop:].replace("tune = { alpha = [0.1, 0.6] }", "").replace('tuned_as = "ours"', "")
    with pytest.raises(MaskTuneError, match="declares no tuning"):
        study_of_trials(parsed(TOML[:start] + rows))
