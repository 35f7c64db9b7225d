"""A checkpoint without trained masked-LM head gets one, on a user's own texts."""

import json
from pathlib import Path
from types import SimpleNamespace

import datasets
import pytest
import torch
from encoders import masked_language_model, tokenizer_of
from tiny_models import WORDS
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer, BertConfig, RobertaConfig

import masktune
from masktune import MaskTuneError, MaskTuningModel, adapt
from masktune.models.masked_lm import load_masked_lm, load_masked_lm_and_missing
from masktune.pretraining import mlm, storing
from masktune.pretraining.adapt import longest_of

TEXTS = [" ".join(WORDS[(3 * row + place) % 20] for place in range(6)) for row in range(40)]
OTHERS = ("electra", "deberta-v2", "distilbert", "modernbert", "eurobert", "mpnet", "mbart")
DATASET = datasets.Dataset.from_dict({"text": TEXTS})
QUICK = {"steps": 3, "batch_size": 4, "max_length": 16}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(mlm, "MASKED_TOKENS", 100)


@pytest.fixture
def headless(tmp_path, checkpoints):
    """An encoder alone, as sentence encoders are published, in half precision."""
    folder = tmp_path / "headless"
    AutoModel.from_pretrained(checkpoints["bert"], dtype=torch.float16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(checkpoints["bert"]).save_pretrained(folder)
    return folder


def test_a_sentence_encoder_gets_a_trained_head_and_the_record_of_it(headless, tmp_path, capsys):
    with pytest.raises(MaskTuneError, match=r"masktune\.adapt\(checkpoint, texts, folder\)"):
        MaskTuningModel.from_pretrained(headless, ("no", "yes"), seed=0)
    state = torch.get_rng_state()
    folder = adapt(headless, TEXTS, tmp_path / "adapted", **{**QUICK, "steps": 30}, learning_rate=1e-2)
    assert torch.equal(torch.get_rng_state(), state)
    assert folder == tmp_path / "adapted" and load_masked_lm_and_missing(folder)[1] == []
    model = MaskTuningModel.from_pretrained(folder, ("no", "yes"), seed=0)
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    classifier = AutoModelForSequenceClassification.from_pretrained(folder)
    assert MaskTuningModel.from_classifier(classifier).encoder == "shared"
    record = json.loads((folder / "masked_lm.json").read_text())
    assert record["texts"] + record["held_out_texts"] == len(set(TEXTS)) and record["held_out_texts"] == 2
    assert record["curve"][0]["loss"] > record["curve"][-1]["loss"] and len(record["losses"]) == 30
    assert record["made_of"]["recipe"]["steps"] == 30
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("step 0 of 30: held-out loss ") and said[-2].startswith("step 30 of 30: ")
    assert "has not levelled off" in said[-1]
    assert list(tmp_path.glob(".adapted*")) == []


def test_a_loss_that_did_not_fall_has_not_levelled_off(headless, tmp_path, capsys):
    adapt(headless, TEXTS, tmp_path / "adapted", **QUICK, learning_rate=1e-9, head_learning_rate=1e-9)
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("the held-out loss did not fall") and "levelled" not in said


def test_it_says_that_the_loss_has_levelled_off(headless, tmp_path, capsys, monkeypatch):
    measured = [{"step": step, "loss": loss, "accuracy": 0.5} for step, loss in ((0, 5.0), (3, 2.0), (4, 1.99))]
    monkeypatch.setattr("masktune.pretraining.adapt.train_and_store", lambda *_: measured)
    adapt(headless, TEXTS, tmp_path / "adapted", **QUICK)
    assert "fell by 0.01 nats in the last quarter of the steps: it has levelled off" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["list", "column", "generator", "file", "path with a byte order mark"])
def test_texts_come_in_many_ways_and_count_once(headless, tmp_path, kind):
    file = tmp_path / "texts.txt"
    file.write_text("\n".join([*TEXTS, "", TEXTS[0]]), encoding="utf-8-sig" if "mark" in kind else "utf-8")
    texts = {
        "list": [*TEXTS, TEXTS[1]],
        "column": datasets.Dataset.from_dict({"text": TEXTS})["text"],
        "generator": (text for text in TEXTS),
        "file": str(file),
    }.get(kind, file)
    folder = adapt(headless, texts, tmp_path / kind, **QUICK)
    expected = adapt(headless, list(dict.fromkeys(TEXTS)), tmp_path / "expected", **QUICK)
    for name in ("model.safetensors", "masked_lm.json"):
        assert (folder / name).read_bytes() == (expected / name).read_bytes()


def test_the_same_call_is_done_once_and_another_is_not_written_over_it(headless, tmp_path, monkeypatch, capsys):
    folder = adapt(headless, TEXTS, tmp_path / "adapted", **QUICK)
    monkeypatch.setattr("masktune.pretraining.adapt.train_and_store", None)
    assert adapt(headless, TEXTS, folder, **QUICK) == folder
    assert "is there already" in capsys.readouterr().out
    for changed in ({"texts": TEXTS[1:]}, {"seed": 1}, {"steps": 4}):
        given = {"checkpoint": headless, "texts": TEXTS, "folder": folder, **QUICK, **changed}
        with pytest.raises(MaskTuneError, match="name a folder that does not exist"):
            adapt(**given)


def test_an_interrupted_training_leaves_nothing_and_begins_again(headless, tmp_path, monkeypatch, capsys):
    def interrupted(*given, **named):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(storing.mlm, "train_mlm", interrupted)
        adapt(headless, TEXTS, tmp_path / "made" / "adapted", **QUICK)
    assert list((tmp_path / "made").iterdir()) == []
    (said,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("interrupted")]
    assert "made/adapted is kept" in said and said.endswith("begins again at step 0")
    assert (adapt(headless, TEXTS, tmp_path / "made" / "adapted", **QUICK) / "masked_lm.json").is_file()


def test_a_head_that_is_there_is_trained_on(checkpoints, tmp_path, family):
    folder = adapt(checkpoints[family], TEXTS, tmp_path / "adapted", **QUICK)
    before, after = (load_masked_lm(place).model for place in (checkpoints[family], folder))
    changed = [not torch.equal(one, other) for one, other in zip(before.parameters(), after.parameters(), strict=True)]
    assert sum(changed) > len(changed) / 2


@pytest.mark.slow
@pytest.mark.parametrize("model_type", OTHERS)
def test_other_types_of_encoders_are_adapted(tmp_path, model_type):
    model = masked_language_model(model_type)
    (model.base_model if model_type != "mbart" else model).save_pretrained(tmp_path / "encoder")
    tokenizer_of(model_type).save_pretrained(tmp_path / "encoder")
    folder = adapt(tmp_path / "encoder", TEXTS, tmp_path / "adapted", **QUICK)
    assert MaskTuningModel.from_pretrained(folder, ("no", "yes"), seed=0).encoder == "shared"


@pytest.mark.parametrize(
    ("config", "tokenizer", "longest"),
    [(RobertaConfig, int(1e30), 512), (BertConfig, int(1e30), 514), (BertConfig, 128, 128)],
)
def test_the_longest_text_that_a_model_reads(config, tokenizer, longest):
    assert longest_of(SimpleNamespace(model_max_length=tokenizer), config(max_position_embeddings=514)) == longest


def test_positions_that_are_taken_by_padding_are_no_tokens(checkpoints, tmp_path):
    """RoBERTa declares two positions more than it reads: the last ones would be out of bounds within training."""
    with pytest.raises(MaskTuneError, match="max_length = 65: this model reads at most 64 tokens"):
        adapt(checkpoints["roberta"], TEXTS, tmp_path / "adapted", **{**QUICK, "max_length": 65})


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"steps": 0}, "steps = 0; expected a whole number of at least 1"),
        ({"batch_size": 2.5}, "batch_size = 2.5; expected a whole number"),
        ({"max_length": 4}, "max_length = 4; expected a whole number of at least 8"),
        ({"max_length": 100}, "max_length = 100: this model reads at most 64 tokens"),
        ({"learning_rate": 3}, "learning_rate = 3; expected a number between 0 and 1"),
        ({"head_learning_rate": -1e-3}, "head_learning_rate = -0.001; expected"),
        ({"mask_rate": 1.5}, "mask_rate 1.5 is outside"),
        ({"mask_rate": 0}, "mask_rate = 0: nothing would be predicted"),
        ({"texts": []}, "0 different texts; expected"),
        ({"texts": ["one"] * 9}, "1 different texts; expected"),
        ({"texts": ["one", None]}, "text 1 is None; expected strings"),
        ({"texts": "nowhere.txt"}, "cannot read the texts 'nowhere.txt' .*one text a line"),
        (
            {"texts": datasets.Dataset.from_dict({"text": TEXTS})},
            r"Dataset with the columns \['text'\].*dataset\[\"text\"\]",
        ),
        ({"checkpoint": "/nowhere/at/all"}, "cannot load the checkpoint '/nowhere/at/all'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line_before_anything_is_written(headless, tmp_path, changed, fault):
    given = {"checkpoint": headless, "texts": TEXTS, "folder": tmp_path / "adapted", **QUICK, **changed}
    with pytest.raises(MaskTuneError, match=fault) as error:
        adapt(**given)
    assert "\n" not in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["headless"]


def test_a_folder_with_other_files_and_a_tokenizer_without_mask_token_are_refused(headless, tmp_path):
    with pytest.raises(MaskTuneError, match="headless' is there and was not made of"):
        adapt(headless, TEXTS, headless, **QUICK)
    tokenizer = AutoTokenizer.from_pretrained(headless)
    tokenizer.mask_token = None
    tokenizer.save_pretrained(headless)
    with pytest.raises(MaskTuneError, match="no mask token"):
        adapt(headless, TEXTS, tmp_path / "adapted", **QUICK)


def test_it_is_exported():
    assert masktune.adapt is adapt and "adapt" in masktune.__all__ and Path
