"""The experiment on diversity: its cells and its files."""

from dataclasses import replace

from masktune.study.design import arms
from masktune.study.design.load import load_study


def test_the_cells_of_the_experiment_are_trained_as_the_mask_tuning_of_their_study():
    study = load_study("embedded")
    found = arms.cells_of(study)
    ours = next(cell for cell in study.cells if cell.task == study.diversity.task and cell.label == "Mask-tuning")
    assert [cell.label for cell in found] == list(arms.ARMS)
    assert {cell.training for cell in found} == {ours.training} and {cell.model for cell in found} == {ours.model}
    assert found[1].options == {"alpha": 1} and len(found[0].seeds) == study.diversity.seeds


def test_its_numbers_are_kept_under_what_they_were_made_from():
    study = load_study("embedded")
    more = replace(study, diversity=replace(study.diversity, seeds=5))
    other = replace(study, diversity=replace(study.diversity, task="sentiment"))
    assert len({arms.kept_file(each) for each in (study, more, other)}) == 3
    assert arms.kept_file(study) == arms.kept_file(replace(study, title="another title"))
