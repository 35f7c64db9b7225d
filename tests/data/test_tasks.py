from dataclasses import FrozenInstanceError

import pytest

from masktune import data
from masktune.data.real import TASKS


def test_the_real_tasks_are_the_tasks_of_the_package():
    assert tuple(TASKS) == data.TASKS


@pytest.mark.parametrize("task", data.TASKS)
def test_the_list_of_evaluation_sets_is_what_is_evaluated(task):
    kinds = {
        "real": {evaluated.name: evaluated.kind for evaluated in TASKS[task].evaluation},
        "embedded": {evaluated.name: evaluated.kind for evaluated in data.load("embedded", task).evaluation},
    }
    for collection, sets in kinds.items():
        headline = {name: kind for name, kind in sets.items() if kind != "companion"}
        assert list(data.EVALUATION[collection][task].items()) == list(headline.items())


def test_task_data_cannot_be_changed_by_who_receives_it(mirror):
    task = data.load("real", "sentiment")
    with pytest.raises(FrozenInstanceError):
        task.label_names = ("bad", "good")
    with pytest.raises(FrozenInstanceError):
        task.evaluation[0].kind = "companion"


@pytest.mark.parametrize("name", data.TASKS)
def test_every_set_has_a_known_kind_and_labels_that_predictions_can_reach(mirror, name):
    task = data.load("real", name)
    names = [evaluated.name for evaluated in task.evaluation]
    assert len(set(names)) == len(names)
    assert task.evaluation[0].kind == "in_distribution"
    assert "text_pair" in task.train.column_names if task.paired else "text_pair" not in task.train.column_names
    for evaluated in task.evaluation:
        assert evaluated.kind in ("in_distribution", "out_of_distribution", "companion")
        reached = evaluated.fold or range(len(task.label_names))
        assert len(reached) == len(task.label_names)
        assert set(reached) == set(range(len(evaluated.label_names)))
        assert evaluated.examples.column_names == task.train.column_names


def test_what_lies_outside_is_also_cut_to_every_other_length():
    task = data.load("embedded", "inference")
    length = task.evaluation[1].max_length
    more = task.also_cut_to((length, 16)).evaluation[len(task.evaluation) :]
    assert [evaluated.name for evaluated in more] == ["heuristics@16", "adversarial@16"]
    assert all(evaluated.kind == "other_length" and evaluated.max_length == 16 for evaluated in more)
    assert more[0].examples is task.evaluation[1].examples
    assert task.also_cut_to(()) == task
