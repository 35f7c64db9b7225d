"""A training says how far it is, on a line that it writes over, and only where somebody looks on."""

from types import SimpleNamespace

import pytest

from masktune.course import progress


def passes(monkeypatch, reader):
    monkeypatch.setattr(progress, "has_reader", lambda: reader)
    line, args = progress.Passes(seed=3), SimpleNamespace(num_train_epochs=10.0)
    for epoch in (None, 1.0, 9.0):
        line.on_epoch_begin(args, SimpleNamespace(epoch=epoch), None)
    line.on_train_end(args, None, None)


def test_each_pass_is_said_and_nothing_is_left(monkeypatch, capsys):
    passes(monkeypatch, reader=True)
    *said, last, empty = capsys.readouterr().out.split("\r")
    assert said == ["", "seed 3: pass 1 of 10", "seed 3: pass 2 of 10", "seed 3: pass 10 of 10"]
    assert last == " " * len(said[-1]) and empty == ""


def test_where_nobody_looks_on_nothing_is_said(monkeypatch, capsys):
    passes(monkeypatch, reader=False)
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_fine_tune_says_it(monkeypatch, capsys, tmp_path):
    from dataclasses import replace

    from masktune.course import fine_tune
    from masktune.data import world
    from masktune.pretraining import small_models

    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path))
    monkeypatch.setitem(small_models.RECIPES, "bert", replace(small_models.RECIPES["bert"], steps=2))
    monkeypatch.setattr(progress, "has_reader", lambda: True)
    fine_tune(world.load("sentiment", train_examples=32).train, "fine_tuning", 5, epochs=2)
    assert "\rseed 5: pass 1 of 2\rseed 5: pass 2 of 2\r" in capsys.readouterr().out
