import re
import shutil

import pytest
import torch
from models.conftest import masked
from tiny_models import rewrite, word_tokenizer
from transformers import AutoConfig, AutoModelForMaskedLM, AutoModelForSequenceClassification, pipeline

from masktune.errors import MaskTuneError
from masktune.models import MaskTuningModel

pytestmark = pytest.mark.slow

NAMES = ("negative", "positive")


@pytest.fixture
def model(checkpoints, family):
    return MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=0).eval()


def test_the_heads_share_one_encoder(model, family):
    embeddings = model.classifier.get_input_embeddings().weight
    assert any(parameter is embeddings for parameter in model.mlm_head.parameters())
    assert model.mlm_encoder is None


def test_separate_and_frozen_networks_have_an_encoder_of_their_own(checkpoints, family):
    separate = MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=0, encoder="separate")
    shared = {id(parameter) for parameter in separate.classifier.parameters()}
    assert not shared & {id(parameter) for parameter in separate.mlm_encoder.parameters()}
    frozen = MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=0, encoder="frozen")
    assert not any(p.requires_grad for m in (frozen.mlm_encoder, frozen.mlm_head) for p in m.parameters())
    assert all(p.requires_grad for p in frozen.classifier.parameters())


def test_the_seed_alone_decides_the_new_head(checkpoints, family):
    first, again, other = (
        MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=seed).classifier.state_dict()
        for seed in (1, 1, 2)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("way", ["from_pretrained", "from_classifier"])
@pytest.mark.parametrize("encoder", ["shared", "separate", "frozen"])
def test_a_decoder_that_is_not_the_embeddings_stays_what_it_is(tmp_path, odd_checkpoints, family, encoder, way):
    checkpoint = odd_checkpoints[family, "its own decoder"]
    reference = AutoModelForMaskedLM.from_pretrained(checkpoint).get_output_embeddings()
    if way == "from_pretrained":
        model = MaskTuningModel.from_pretrained(checkpoint, NAMES, seed=0, encoder=encoder)
    else:
        classifier = AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=2)
        model = MaskTuningModel.from_classifier(classifier, encoder)
    model.save_pretrained(tmp_path)
    for each in (model, MaskTuningModel.from_pretrained(tmp_path, NAMES, seed=1, encoder=encoder)):
        (decoder,) = (module for module in each.mlm_head.modules() if getattr(module, "out_features", 0) == 45)
        assert torch.equal(decoder.weight, reference.weight)
        assert not torch.equal(decoder.weight, each.classifier.get_input_embeddings().weight)


@pytest.mark.parametrize("encoder", ["shared", "separate"])
def test_an_exported_folder_is_a_plain_classifier_with_the_same_logits(tmp_path, checkpoints, family, batch, encoder):
    model = MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=0, encoder=encoder).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01)
    model.save_pretrained(tmp_path)
    word_tokenizer(family).save_pretrained(tmp_path)
    expected = model(**batch).logits
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(plain(**batch).logits, expected)
    assert plain.config.id2label == dict(enumerate(NAMES))
    best = pipeline("text-classification", model=str(tmp_path))("word1 word2 word3")[0]
    assert best["label"] == NAMES[expected[0].argmax()]
    assert best["score"] == pytest.approx(expected[0].softmax(-1).max().item(), abs=1e-5)
    again = MaskTuningModel.from_pretrained(tmp_path, NAMES, seed=5, encoder=encoder).eval()
    state, loaded = model.state_dict(), again.state_dict()
    assert all(torch.equal(state[name], loaded[name]) for name in state)


@pytest.mark.parametrize(("saved", "loaded"), [("shared", "separate"), ("separate", "frozen"), ("separate", "shared")])
def test_a_saved_language_model_is_loaded_whole_into_another_kind_or_refused(
    tmp_path, checkpoints, family, batch, saved, loaded
):
    model = MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=0, encoder=saved).eval()
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            parameter.add_(0.01 * number % 0.1)
    model.save_pretrained(tmp_path)
    if loaded == "shared":
        with pytest.raises(MaskTuneError, match="'mlm_.*' is not one of the model's"):
            MaskTuningModel.from_pretrained(tmp_path, NAMES, seed=0, encoder=loaded)
        return
    again = MaskTuningModel.from_pretrained(tmp_path, NAMES, seed=0, encoder=loaded).eval()
    masked_ids, positions = masked(batch, word_tokenizer(family).mask_token_id)
    others = {name: values for name, values in batch.items() if name != "input_ids"}
    given = (masked_ids, batch["input_ids"], positions)
    torch.testing.assert_close(again.mlm_logits(*given, **others), model.mlm_logits(*given, **others))


def test_a_classifier_that_is_saved_over_another_model_leaves_none_of_its_language_model(tmp_path, checkpoints):
    MaskTuningModel.from_pretrained(checkpoints["bert"], NAMES, seed=0).save_pretrained(tmp_path)
    MaskTuningModel.from_pretrained(checkpoints["bert"], NAMES, seed=0, encoder=None).save_pretrained(tmp_path)
    with pytest.raises(MaskTuneError, match="no trained masked-LM head"):
        MaskTuningModel.from_pretrained(tmp_path, NAMES, seed=0)


def without(text):
    return lambda weights: {name: value for name, value in weights.items() if text not in name}


def with_more_layers(weights):
    return weights | {re.sub(r"\.1\.", ".2.", name): value.clone() for name, value in weights.items()}


def with_longer(text):
    return lambda weights: {
        name: torch.cat([value, value]) if text in name else value for name, value in weights.items()
    }


@pytest.mark.parametrize("encoder", ["shared", None])
@pytest.mark.parametrize(
    ("saved", "change", "fault"),
    [
        (False, without("LayerNorm"), r"LayerNorm\.bias' is missing"),
        (False, with_more_layers, r"layer\.2\..*' is not one of the model's"),
        (False, with_longer("position_embeddings"), r"position_embeddings\.weight' has the shape \[128, 16\]"),
        (True, without("classifier"), r"'classifier\.bias' is missing"),
        (True, without("pooler"), r"'bert\.pooler\.dense\.bias' is missing"),
        (True, with_longer("classifier"), r"'classifier\.bias' has the shape \[4\] where the model has \[2\]"),
    ],
)
def test_a_checkpoint_that_transformers_would_fill_up_is_refused_by_name(
    tmp_path, checkpoints, encoder, saved, change, fault
):
    folder = tmp_path / "changed"
    shutil.copytree(checkpoints["bert"], folder)
    if saved:
        MaskTuningModel.from_pretrained(folder, NAMES, seed=0).save_pretrained(folder)
    rewrite(folder, change)
    with pytest.raises(MaskTuneError, match=fault) as error:
        MaskTuningModel.from_pretrained(folder, NAMES, seed=0, encoder=encoder)
    assert "\n" not in str(error.value)


def test_a_classifier_alone_needs_no_language_model(checkpoints, family, batch):
    model = MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=0, encoder=None)
    assert model.mlm_head is None and model(**batch).logits.shape == (3, 2)


def test_a_checkpoint_without_a_trained_head_is_refused(tmp_path, checkpoints):
    plain = AutoModelForSequenceClassification.from_pretrained(checkpoints["bert"])
    plain.save_pretrained(tmp_path)
    with pytest.raises(MaskTuneError, match="no trained masked-LM head"):
        MaskTuningModel.from_pretrained(tmp_path, NAMES, seed=0)


def test_a_checkpoint_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(MaskTuneError) as error:
        MaskTuningModel.from_pretrained(tmp_path / "nowhere", NAMES, seed=0)
    assert "nowhere" in str(error.value) and "\n" not in str(error.value)


def test_a_classifier_from_nowhere_says_what_to_do(checkpoints):
    config = AutoConfig.from_pretrained(checkpoints["bert"])
    config.name_or_path = ""
    classifier = AutoModelForSequenceClassification.from_config(config)
    with pytest.raises(MaskTuneError, match=r"was not loaded.*from_classifier\(classifier, checkpoint"):
        MaskTuningModel.from_classifier(classifier)
    assert MaskTuningModel.from_classifier(classifier, checkpoint=checkpoints["bert"]).encoder == "shared"
