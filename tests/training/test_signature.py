"""The trainer is called as transformers' own is, whichever version is installed."""

import inspect

import pytest
from transformers import Trainer

from masktune import MaskTuningTrainer, methods
from masktune.features import PREFIX

OWN = {"__init__": {"method", "measure_gradients", "fast_dropout", "fast_word_gradient", "reference", "advice"}}
OVERRIDDEN = [
    name
    for name, theirs in inspect.getmembers(Trainer, inspect.isfunction)
    if getattr(MaskTuningTrainer, name) is not theirs
]


def parameters(kind, name):
    """(name, kind, default) of each parameter: annotations may say more than Trainer's."""
    given = inspect.signature(getattr(kind, name)).parameters.values()
    return [(each.name, each.kind, each.default) for each in given]


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_every_overridden_method_has_the_parameters_of_trainers(name):
    own = OWN.get(name, set())
    ours = parameters(MaskTuningTrainer, name)
    assert [each for each in ours if each[0] not in own] == parameters(Trainer, name)
    assert all(each[1] is inspect.Parameter.KEYWORD_ONLY for each in ours if each[0] in own)


def test_the_columns_that_are_kept_are_those_that_the_classifier_reads_and_the_method_needs(trainer, family, data):
    class Settled(MaskTuningTrainer):
        """A trainer whose model, once made, is never exchanged."""

        settled = False

        def __setattr__(self, name, value):
            assert not (self.settled and name == "model"), "the model is exchanged for a while"
            super().__setattr__(name, value)

    ours, stock = trainer(family, kind=Settled), trainer(family, kind=Trainer)
    ours.settled = True
    for run in (ours, stock):
        run._set_signature_columns_if_needed()
    assert set(ours._signature_columns) == set(stock._signature_columns)


def test_the_columns_that_the_method_needs_are_kept_and_no_others(trainer, data):
    method = methods.build("reweighting")
    needed = [PREFIX + name for name in method.needs]
    rows = data["bert"]
    for name in (*needed, "group", f"{PREFIX}of_another_method"):
        rows = rows.add_column(name, [0.0] * len(rows))
    run = trainer(method=method, given={"train_dataset": rows})
    kept = run._remove_unused_columns(rows).column_names
    assert needed and set(kept) == {*data["bert"].column_names, *needed}
