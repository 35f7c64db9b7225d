import json
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import pytest
import torch
from tiny_models import WORDS
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer, BertModel

from masktune import data
from masktune.data import world
from masktune.errors import MaskTuneError
from masktune.models.joint import MaskTuningModel
from masktune.models.spec import Adaptation, ModelSpec
from masktune.pretraining import checkpoints, curve, mlm, small_models
from masktune.pretraining.checkpoints import prepare
from masktune.study.design.cells import Cell, Training
from masktune.study.execute import runner
from masktune.study.run.training import load_inputs

pytestmark = pytest.mark.slow

QUICK = Adaptation(steps=3, batch_size=8, max_length=32)


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """Three steps of pre-training on a little text, a cache of its own, no mirror."""
    text = world.unlabelled()[:300]
    monkeypatch.setattr(data, "unlabelled", lambda collection, task: text)
    recipes = {family: replace(recipe, steps=3) for family, recipe in small_models.RECIPES.items()}
    monkeypatch.setattr(small_models, "RECIPES", recipes)
    monkeypatch.setattr(mlm, "MASKED_TOKENS", 200)
    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MASKTUNE_MIRROR", raising=False)


@pytest.fixture
def headless(request, tmp_path) -> Path:
    """A checkpoint of an encoder alone, as sentence encoders are published."""
    folder = tmp_path / "models" / "headless"
    bert = request.getfixturevalue("checkpoints")["bert"]
    BertModel.from_pretrained(bert).save_pretrained(folder)
    AutoTokenizer.from_pretrained(bert).save_pretrained(folder)
    return folder


def test_an_embedded_model_is_made_once_and_has_both_heads(family, monkeypatch):
    folder = prepare(ModelSpec(family, f"embedded:{family}"), "sentiment")
    monkeypatch.delattr(checkpoints, "train_and_store")
    assert prepare(ModelSpec(family, f"embedded:{family}"), "paraphrase") == folder
    model = MaskTuningModel.from_pretrained(folder, ("no", "yes"), seed=0)
    assert model.config.model_type == family
    record = json.loads((Path(folder) / "masked_lm.json").read_text())
    assert record["curve"][0]["loss"] > record["curve"][-1]["loss"] > 0
    assert [path.name for path in Path(folder).parent.iterdir()] == [Path(folder).name]


def test_each_pretraining_has_weights_of_its_own_and_the_tokenizer_of_all(family):
    spec = ModelSpec(family, f"embedded:{family}", pretrainings=2)
    first, second = (Path(prepare(spec, "sentiment", pretraining)) for pretraining in range(2))
    assert prepare(ModelSpec(family, f"embedded:{family}"), "sentiment") == str(first) != str(second)
    names = {path.name for path in first.iterdir()} - {"made.json"}
    differ = {name for name in names if (first / name).read_bytes() != (second / name).read_bytes()}
    assert differ == {"model.safetensors", "masked_lm.json"}
    told = [checkpoints.describe(str(folder)) for folder in (first, second)]
    assert [(each["pretraining"], each["recipe"]["steps"]) for each in told] == [(0, 3), (1, 3)]
    assert [len(each["curve"]) for each in told] == [4, 4] and told[0]["texts"] + told[0]["held_out_texts"] == 300


def test_looking_at_the_held_out_loss_does_not_change_what_is_trained(family, monkeypatch, tmp_path):
    weights = []
    for number, steps in enumerate(({1, 2, 3}, set())):
        monkeypatch.setattr(curve, "steps_at", lambda total, steps=steps: steps)
        monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path / f"cache {number}"))
        folder = Path(prepare(ModelSpec(family, f"embedded:{family}", adaptation=QUICK), "sentiment"))
        weights.append((folder / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_an_adaptation_is_done_once_for_each_pretraining(headless):
    spec = ModelSpec("small", str(headless), adaptation=QUICK, pretrainings=2)
    first, second = (Path(prepare(spec, "sentiment", pretraining)) for pretraining in range(2))
    assert (first / "model.safetensors").read_bytes() != (second / "model.safetensors").read_bytes()
    assert checkpoints.describe(str(headless)) is None


def test_what_the_runner_prepares_is_what_a_cell_starts_from(monkeypatch):
    model = ModelSpec("bert", "embedded:bert", pretrainings=2)
    cell = Cell("small", "x", "embedded", "paraphrase", model, "fine_tuning")
    exec(runner.preparation_code(cell, 1), {})
    monkeypatch.delattr(checkpoints, "train_and_store")
    assert prepare(model, "paraphrase", 1) == prepare(replace(model, name="other"), "sentiment", 1)


def test_a_cell_starts_each_seed_from_its_pretraining(monkeypatch):
    """A method that fills with the frozen language model of the checkpoint gets the fills of each."""
    model, training = ModelSpec("bert", "embedded:bert", pretrainings=2), Training(train_examples=30)
    cell = Cell("small", "x", "embedded", "sentiment", model, "mlm_augmentation", training=training, seeds=(0, 1, 2, 3))
    inputs = load_inputs(cell)
    places = [inputs.of(seed).checkpoint for seed in range(4)]
    assert places == [prepare(model, "sentiment", seed % 2) for seed in range(4)] and places[0] != places[1]
    for seed in (0, 1):
        alone = load_inputs(replace(cell, seeds=(seed,)))
        assert alone.checkpoint == places[seed]
        assert alone.train[:] == inputs.of(seed).train[:] == alone.of(seed).train[:]
    assert inputs.of(0).train.column_names == inputs.of(1).train.column_names
    assert inputs.of(0).train[:] != inputs.of(1).train[:]
    assert inputs.of(2).train is inputs.train


def test_another_recipe_is_another_folder(monkeypatch):
    spec = ModelSpec("bert", "embedded:bert")
    first = prepare(spec, "sentiment")
    longer = {family: replace(recipe, steps=4) for family, recipe in small_models.RECIPES.items()}
    monkeypatch.setattr(small_models, "RECIPES", longer)
    assert prepare(spec, "sentiment") != first


def test_a_model_is_pretrained_for_as_many_steps_as_it_says():
    usual, longer = ModelSpec("bert", "embedded:bert"), ModelSpec("bert", "embedded:bert", pretraining_steps=5)
    steps = [checkpoints.describe(prepare(spec, "sentiment"))["curve"][-1]["step"] for spec in (usual, longer)]
    assert steps == [3, 5]
    assert prepare(replace(usual, pretraining_steps=3), "sentiment") == prepare(usual, "sentiment")


def test_adaptation_gives_a_headless_encoder_a_trained_head(headless):
    folder = prepare(ModelSpec("small", str(headless), adaptation=QUICK), "sentiment")
    model, info = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"]
    record = json.loads((Path(folder) / "masked_lm.json").read_text())
    assert len(record["losses"]) == QUICK.steps
    assert record["fast_dropout"] is False and checkpoints.used_fast_dropout(folder) is False
    assert checkpoints.used_fast_dropout(str(headless)) is None
    assert [point["step"] for point in record["curve"]] == [0, 1, 2, 3]
    assert all({"step", "loss", "accuracy", "masked_tokens"} == set(point) for point in record["curve"])


@pytest.mark.parametrize("headless_too", [False, True])
def test_adaptation_trains_and_keeps_a_decoder_that_is_not_the_embeddings(
    odd_checkpoints, tmp_path, monkeypatch, family, headless_too
):
    monkeypatch.setattr(data, "unlabelled", lambda collection, task: [" ".join(WORDS[i : i + 9]) for i in range(30)])
    folder = odd_checkpoints[family, "its own decoder"]
    if headless_too:
        folder = tmp_path / "encoder"
        AutoModel.from_pretrained(odd_checkpoints[family, "its own decoder"]).save_pretrained(folder)
        AutoTokenizer.from_pretrained(odd_checkpoints[family, "its own decoder"]).save_pretrained(folder)
    before = AutoModelForMaskedLM.from_pretrained(odd_checkpoints[family, "its own decoder"]).get_output_embeddings()
    adapted = prepare(ModelSpec("own", str(folder), adaptation=QUICK), "sentiment")
    model = AutoModelForMaskedLM.from_pretrained(adapted)
    trained = model.get_output_embeddings().weight
    assert not torch.equal(trained, before.weight)
    assert not torch.equal(trained, model.get_input_embeddings().weight)
    head = MaskTuningModel.from_pretrained(adapted, ("no", "yes"), seed=0).mlm_head
    assert any(torch.equal(weight, trained) for weight in head.parameters())


def test_a_model_that_is_made_again_is_the_same(headless, monkeypatch, tmp_path):
    made = []
    for number in range(2):
        torch.manual_seed(number)
        monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path / f"cache {number}"))
        folder = Path(prepare(ModelSpec("small", str(headless), adaptation=QUICK), "sentiment"))
        made.append({path.name: path.read_bytes() for path in folder.iterdir() if path.name != "made.json"})
    assert made[0] == made[1]


def test_an_embedded_model_is_adapted_to_the_texts_of_its_task(monkeypatch):
    plain = ModelSpec("bert", "embedded:bert")
    read = []
    train_mlm = checkpoints.mlm.train_mlm
    monkeypatch.setattr(checkpoints.mlm, "train_mlm", lambda *given: read.append(set(given[2])) or train_mlm(*given))
    adapted = prepare(replace(plain, adaptation=QUICK), "paraphrase")
    assert adapted != prepare(plain, "paraphrase")
    rows = data.load("embedded", "paraphrase").train
    assert read[-1] <= {*rows["text"], *rows["text_pair"]} and len(read[-1]) > 1000
    assert MaskTuningModel.from_pretrained(adapted, ("no", "yes"), seed=0).mlm_head is not None


def test_the_mirror_is_looked_at_first(headless, monkeypatch, tmp_path):
    monkeypatch.setenv("MASKTUNE_MIRROR", str(tmp_path))
    assert prepare(ModelSpec("small", "headless"), "sentiment") == str(headless)


def test_a_run_records_what_was_read_from_the_mirror(headless, monkeypatch, tmp_path):
    monkeypatch.setenv("MASKTUNE_MIRROR", str(tmp_path))
    model, training = ModelSpec("small", "headless"), Training(train_examples=8)
    inputs = load_inputs(Cell("small", "x", "embedded", "paraphrase", model, "fine_tuning", training=training))
    assert len(inputs.task.digests["models/headless"]) == 64 and len(inputs.task.digests["train"]) == 64


def test_a_model_of_the_hub_needs_the_commit_that_is_meant():
    with pytest.raises(MaskTuneError, match=r"'some/model' is no folder and no model of the mirror .*: revision = "):
        prepare(ModelSpec("x", "some/model"), "sentiment")


@pytest.mark.parametrize("adaptation", [None, QUICK])
@pytest.mark.parametrize("damage", ["a bit of the weights", "the tokenizer is gone", "another tokenizer"])
def test_a_damaged_model_of_the_cache_is_put_aside_and_made_again(capsys, damage, adaptation):
    spec = ModelSpec("bert", "embedded:bert", adaptation=adaptation)
    folder = Path(prepare(spec, "paraphrase"))
    sound = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "made.json"}
    if damage == "a bit of the weights":
        weights = bytearray(sound["model.safetensors"])
        weights[len(weights) // 2] ^= 1
        (folder / "model.safetensors").write_bytes(weights)
    elif damage == "the tokenizer is gone":
        for path in folder.glob("tokenizer*"):
            path.unlink()
    else:
        (folder / "tokenizer.json").write_text((folder / "tokenizer.json").read_text().replace("[MASK]", "[MUSK]"))
    damaged = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert prepare(spec, "paraphrase") == str(folder)
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("masktune: ")]
    assert len(said) == 1 and str(folder) in said[0] and "put aside" in said[0]
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "made.json"} == sound
    [aside] = folder.parent.glob(".damaged-*")
    assert {path.name: path.read_bytes() for path in aside.iterdir()} == damaged


def test_an_unknown_family_is_refused():
    with pytest.raises(MaskTuneError, match="'brt'.*did you mean 'bert'"):
        prepare(ModelSpec("x", "embedded:brt"), "sentiment")


def test_a_checkpoint_out_of_reach_is_one_line_with_both_ways_to_it(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(MaskTuneError, match="MASKTUNE_MIRROR") as raised:
        prepare(ModelSpec("x", "no-such-place/model", "a" * 40, adaptation=QUICK), "sentiment")
    assert "hub" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("adaptation", [None, QUICK])
def test_a_checkpoint_whose_tokenizer_is_gone_is_refused(headless, adaptation):
    """Transformers makes an empty one, which reads every text as unknown."""
    for path in headless.glob("tokenizer*"):
        path.unlink()
    model = ModelSpec("small", str(headless), adaptation=adaptation)
    cell = Cell("small", "x", "embedded", "paraphrase", model, "fine_tuning", training=Training(train_examples=8))
    with pytest.raises(MaskTuneError, match="headless' knows no word but its special tokens; put its files next to"):
        load_inputs(cell)


def test_a_tokenizer_without_mask_token_is_refused(headless):
    tokenizer = AutoTokenizer.from_pretrained(headless)
    tokenizer.mask_token = None
    tokenizer.save_pretrained(headless)
    with pytest.raises(MaskTuneError, match="no mask token"):
        prepare(ModelSpec("x", str(headless), adaptation=QUICK), "sentiment")
