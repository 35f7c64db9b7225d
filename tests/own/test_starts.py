"""Checkpoints to start from: found by name, made on the spot, with a rate and a length that suit them."""

import pytest
from own.conftest import reviews
from transformers import AutoModelForMaskedLM, BertConfig, PreTrainedTokenizerFast

from masktune import MaskTuneError
from masktune.models.masked_lm import load_masked_lm
from masktune.own import starts
from masktune.own.settings import Settings
from masktune.pretraining import mlm


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path / "cache"))


def test_a_model_of_the_mirror_goes_by_its_name_and_is_known_by_what_it_holds(checkpoints, tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine").symlink_to(checkpoints["bert"])
    monkeypatch.setenv("MASKTUNE_MIRROR", str(tmp_path))
    by_name, by_place = starts.named("mine"), starts.named(str(checkpoints["bert"]))
    assert by_name.identity == by_place.identity and not by_name.on_hub
    assert by_name.title == "mine" and by_name.longest == 64


@pytest.mark.slow
def test_a_trial_model_knows_the_words_of_the_texts_and_is_made_once(monkeypatch):
    monkeypatch.setattr(starts, "RECIPE", starts.Recipe(**{**starts.RECIPE.identity(), "steps": 2}))
    texts = [(text,) for text, _ in reviews(80, 0)]
    start = starts.find(Settings("a.csv", "out", "embedded"), texts)
    assert start.trial and "word17" in start.tokenizer.get_vocab() and start.longest == starts.LONGEST
    assert load_masked_lm(start.place).model.config.vocab_size == len(start.tokenizer)
    assert starts.find(Settings("a.csv", "out", "embedded"), texts).place == start.place
    assert starts.find(Settings("a.csv", "out", "embedded"), texts[:79]).place != start.place


def test_a_trial_model_wants_some_words():
    with pytest.raises(MaskTuneError, match="2 texts of 4 words are too few"):
        starts.find(Settings("a.csv", "out", "embedded"), [("a b",), ("c d",)])


@pytest.mark.slow
def test_a_checkpoint_without_a_head_is_adapted_where_that_is_asked_for(checkpoints, tmp_path, monkeypatch):
    monkeypatch.setattr(mlm, "MASKED_TOKENS", 20)
    base = AutoModelForMaskedLM.from_pretrained(checkpoints["bert"]).base_model
    base.save_pretrained(tmp_path / "headless")
    PreTrainedTokenizerFast.from_pretrained(checkpoints["bert"]).save_pretrained(tmp_path / "headless")
    with pytest.raises(MaskTuneError, match="masktune.adapt"):
        load_masked_lm(tmp_path / "headless")
    texts = [(text,) for text, _ in reviews(60, 0)]
    start = starts.find(Settings("a.csv", "out", str(tmp_path / "headless"), adapt=2), texts)
    load_masked_lm(start.place)
    assert "2 steps" in start.note and start.identity["steps"] == 2


@pytest.mark.parametrize(("size", "rate"), [(768, 2e-5), (384, 5e-5), (128, 3e-4), (64, 3e-3)])
def test_the_rate_falls_with_the_width(size, rate, checkpoints):
    start = starts.named(str(checkpoints["bert"]))
    start.config = BertConfig(hidden_size=size)
    assert start.learning_rate == rate
